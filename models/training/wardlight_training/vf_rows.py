"""Windows of the model `ecg-vf` as the agent makes them, as `wardlight model rows` writes them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import vf_labels
from .mitdb import DS1

WINDOW = 500
SECONDS = 4.0
CREIGHTON = tuple(vf_labels.CREIGHTON)
# Two takes of each scene are for training, the third for judging.
SIMULATED, JUDGED = "simulated", "simulated, other takes"
_TRAINING_TAKES = 2 / 3


@dataclass
class Windows:
    """Windows of one source."""

    start: np.ndarray  # [n] seconds; of simulated ones the number of the scene
    lead: np.ndarray  # [n]
    values: np.ndarray  # [n, WINDOW]
    label: np.ndarray  # [n] 1 shockable, 0 not, −1 left out

    def __getitem__(self, chosen):
        return Windows(self.start[chosen], self.lead[chosen], self.values[chosen], self.label[chosen])


def make(wardlight, mitdb, creighton, folder):
    """Plays every recording through the binary `wardlight`; files that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = {name: ["--record", Path(mitdb) / name] for name in DS1}
    jobs |= {name: ["--record", Path(creighton) / f"{name}m.mat"] for name in CREIGHTON}
    jobs[SIMULATED] = ["--simulated"]
    for name, arguments in jobs.items():
        file = folder / f"{name}.f32"
        if not file.exists():
            subprocess.run([wardlight, "model", "rows", "ecg-vf", *arguments, "--out", file], check=True, stdout=subprocess.DEVNULL)


def read(mitdb, folder):
    """Windows of every record, by its name."""
    sources = {}
    for name in (*DS1, *CREIGHTON, SIMULATED):
        table = np.fromfile(folder / f"{name}.f32", np.float32).reshape(-1, 2 + WINDOW)
        if name == SIMULATED:
            simulated = Windows(table[:, 0], np.zeros(len(table), int), table[:, 2:], table[:, 1].astype(int))
            training = round(len(table) * _TRAINING_TAKES)
            sources[SIMULATED] = simulated[:training]
            sources[JUDGED] = simulated[training:]
            continue
        stretches = vf_labels.creighton(name) if name in CREIGHTON else vf_labels.mitdb(mitdb, name)
        label = vf_labels.label(table[:, 0].astype(float), SECONDS, *stretches)
        sources[name] = Windows(table[:, 0], table[:, 1].astype(int), table[:, 2:], label)
    return sources
