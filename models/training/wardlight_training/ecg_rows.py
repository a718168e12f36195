"""Rows of the model `ecg-beat` as the agent makes them: `wardlight model rows`."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import ecg_synthetic, mitdb

CHANNELS, WINDOW = 3, 128
# The numbers of the rhythm in the order of `wardlight_models::ecg_beat`, whose tests compare the manifest with them.
RHYTHM_NAMES = (
    "before_usual after_usual before_near after_near before_long before_high before_low before_after before_last last_near second_near "
    "near_high low_high change_12 change_48 regular_24 before_shortest before_longest before_settled after_settled last_settled "
    "near_settled before_longer usual_change_32 usual_change_100 steady_48 "
    "qrs_likeness p_likeness p_height_ratio p_distance p_height own_p_height t_likeness t_distance qrs_distance qrs_width own_qrs_width "
    "qrs_width_ratio qrs_height_ratio qrs_area_ratio qrs_polarity likeness_to_last last_likeness last_width_ratio recent_own "
    "shape_likeness shape_share shape_earliness own_share roughness"
).split()
RHYTHM = len(RHYTHM_NAMES)
_COLUMNS = 2 + CHANNELS * WINDOW + RHYTHM
# How a record is played: both leads at once, or one alone.
PLAYS = ("both", "0", "1")
# `Rows.play` of the first scene of `ecg_synthetic.SCENES`; the others follow.
SYNTHETIC = len(PLAYS)


@dataclass
class Rows:
    """Rows of many records; one beat has a row for each lead in which it can be seen."""

    record: np.ndarray  # [n] index into mitdb.DS1
    play: np.ndarray  # [n] index into PLAYS, or from SYNTHETIC on the scene
    time: np.ndarray  # [n] seconds
    lead: np.ndarray  # [n] 0 or 1
    window: np.ndarray  # [n, CHANNELS, WINDOW]
    rhythm: np.ndarray  # [n, RHYTHM]
    label: np.ndarray  # [n] AAMI class, −1 of a beat that is not annotated
    aberrated: np.ndarray  # [n] whether it is a supraventricular beat that is conducted aberrantly

    def __getitem__(self, chosen):
        return Rows(*(getattr(self, field)[chosen] for field in self.__dataclass_fields__))


def make(wardlight, data, folder, seed, groups):
    """Plays every record and every synthetic one through the binary `wardlight`; files that are there are kept.

    `groups`: records that are held out together, see [`ecg_synthetic.make`].
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in mitdb.DS1:
        for play in PLAYS:
            _play(wardlight, Path(data) / name, folder / f"{name}.{play}.f32", [] if play == "both" else ["--lead", play])
    ecg_synthetic.make(data, _synthetic(folder), seed, groups)
    for _, _, name in ecg_synthetic.names():
        _play(wardlight, _synthetic(folder) / name, _synthetic(folder) / f"{name}.f32", [])


def read(data, folder):
    """All rows of the records."""
    parts = []
    for number, name in enumerate(mitdb.DS1):
        truth = mitdb.beats(data, name)
        parts += [_rows(number, play, folder / f"{name}.{suffix}.f32", truth) for play, suffix in enumerate(PLAYS)]
    return join(parts)


def read_synthetic(folder):
    """All rows of the synthetic records; `record` is the one that they are made of."""
    folder = _synthetic(folder)
    return join([
        _rows(number, SYNTHETIC + scene, folder / f"{name}.f32", mitdb.beats(folder, name)) for number, scene, name in ecg_synthetic.names()
    ])


def join(parts):
    """Rows of several sources, one after the other."""
    return Rows(*(np.concatenate([getattr(part, field) for part in parts]) for field in Rows.__dataclass_fields__))


def _synthetic(folder):
    return folder / "synthetic"


def _play(wardlight, record, file, options):
    if not file.exists():
        command = [wardlight, "model", "rows", "ecg-beat", "--record", record, "--out", file, *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _rows(number, play, file, truth):
    table = np.fromfile(file, np.float32).reshape(-1, _COLUMNS)
    times, inverse = np.unique(table[:, 0], return_inverse=True)
    code = mitdb.match(times, *truth)[inverse]
    n = len(table)
    return Rows(
        np.full(n, number), np.full(n, play), table[:, 0], table[:, 1].astype(int),
        table[:, 2:-RHYTHM].reshape(n, CHANNELS, WINDOW), table[:, -RHYTHM:], mitdb.aami(code), code == mitdb.ABERRATED)
