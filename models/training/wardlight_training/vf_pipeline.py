"""Training of `ecg-vf`, judged on records left out."""

import numpy as np
import onnxruntime

from . import vf_export, vf_network, vf_quantise
from .mitdb import DS1
from .vf_rows import CREIGHTON, SIMULATED

STEPS = 900
# Networks for each fold; the one that is shipped has the first seed.
SEEDS = (1, 2)
FOLDS = 6
CALIBRATION = 2000
# Share of a batch: real shockable, simulated shockable, simulated and other, MIT-BIH, Creighton before its onset.
SHARES = {"shockable": 0.40, "simulated shockable": 0.06, "simulated other": 0.10, "mitdb": 0.34, "creighton": 0.10}


def folds():
    """Records left out together: each fold has its share of the records with something shockable."""
    order = ["207", *CREIGHTON, "205", *(name for name in DS1 if name not in ("205", "207"))]
    return [order[at::FOLDS] for at in range(FOLDS)]


def records():
    """All records, fold by fold."""
    return [name for fold in folds() for name in fold]


def sampler(sources, names):
    """A batch: a part from each kind of source, within it every record the same."""
    pools = {kind: [] for kind in SHARES}
    for name in (*names, SIMULATED):
        windows = sources[name]
        shockable, other = np.flatnonzero(windows.label == 1), np.flatnonzero(windows.label == 0)
        if name == SIMULATED:
            kinds = {"simulated shockable": shockable, "simulated other": other}
        else:
            kinds = {"shockable": shockable, "creighton" if name in CREIGHTON else "mitdb": other}
        for kind, rows in kinds.items():
            if len(rows) >= 2:
                pools[kind].append((windows.values, rows))
    counts = {kind: round(share * vf_network.BATCH) for kind, share in SHARES.items()}
    counts["mitdb"] += vf_network.BATCH - sum(counts.values())

    def sample(rng):
        windows, labels = [], []
        for kind, count in counts.items():
            for pool in rng.integers(0, len(pools[kind]), count):
                values, rows = pools[kind][pool]
                windows.append(values[rng.choice(rows)])
                labels.append(int("shockable" in kind))
        return np.stack(windows), np.array(labels)

    return sample


class Trained:
    """A float network and its int8 twin."""

    def __init__(self, sources, names, seed):
        sample = sampler(sources, names)
        self.parameters = vf_network.fit(sample, STEPS, seed)
        rng = np.random.default_rng(seed)
        windows = np.concatenate([sample(rng)[0] for _ in range(CALIBRATION // vf_network.BATCH + 1)])
        self.quantised = vf_quantise.quantise(self.parameters, windows)
        self.float_onnx = vf_export.float_model(self.parameters)
        self.int8_onnx = vf_export.int8_model(self.quantised)

    def logits(self, windows):
        """Float and int8 logits, by onnxruntime on one thread."""
        return {"float": run(self.float_onnx, windows), "int8": run(self.int8_onnx, windows)}


def run(model, windows):
    """Logits of an ONNX model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    pieces = [windows[at:at + 512] for at in range(0, len(windows), 512)]
    return np.concatenate([session.run(None, {vf_export.INPUT: piece[:, None]})[0] for piece in pieces])


def cross_validate(sources, log=print):
    """For each record: a list, one entry a seed, of the logits by networks that never saw it."""
    found = {}
    for number, fold in enumerate(folds()):
        networks = [Trained(sources, [n for n in records() if n not in fold], seed) for seed in SEEDS]
        for name in fold:
            found[name] = [network.logits(sources[name].values) for network in networks]
        log(f"fold {number + 1} of {FOLDS}: {' '.join(fold)}")
    return found
