"""Training of `ecg-vf`, judged on records left out."""

import numpy as np

from . import vf_network
from .mitdb import DS1
from .vf_rows import CREIGHTON, SIMULATED

STEPS = 700
SEEDS = (1, 2, 3)
FOLDS = 6
# Share of a batch: real shockable, simulated shockable, simulated and other, MIT-BIH, Creighton before its onset.
SHARES = {"shockable": 0.34, "simulated shockable": 0.06, "simulated other": 0.12, "mitdb": 0.36, "creighton": 0.12}


def folds():
    """Records left out together: each fold has its share of the records with something shockable."""
    order = ["207", *CREIGHTON, "205", *(name for name in DS1 if name not in ("205", "207"))]
    return [order[at::FOLDS] for at in range(FOLDS)]


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


def train(sources, names, seed, steps=STEPS):
    """Parameters of a network that saw `names` only."""
    return vf_network.fit(sampler(sources, names), steps, seed)


def cross_validate(sources, log=print):
    """Mean over the seeds of the probability for each record by networks that never saw it."""
    probability = {}
    everything = [name for fold in folds() for name in fold]
    for number, fold in enumerate(folds()):
        networks = [train(sources, [n for n in everything if n not in fold], seed) for seed in SEEDS]
        for name in fold:
            each = [shockable(vf_network.logits(network, sources[name].values)) for network in networks]
            probability[name] = np.stack(each)
        log(f"fold {number + 1} of {FOLDS}: {' '.join(fold)}")
    return probability


def shockable(logits):
    """Probability of a shockable rhythm."""
    return 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
