"""Figures of `ecg-vf` on records that the network did not see."""

import numpy as np

from . import mitdb, vf_labels
from .vf_rows import CREIGHTON, SECONDS

DRAWS = 2000


def together(windows, logits):
    """Windows of all leads at one time become one, as in service: log odds averaged. Returns label and probability."""
    odds = logits[:, 1] - logits[:, 0]
    _, first, which = np.unique(windows.start, return_index=True, return_inverse=True)
    mean = np.bincount(which, odds) / np.bincount(which)
    return windows.label[first], 1 / (1 + np.exp(-mean))


def counts(label, probability, threshold):
    """Shockable, of them found; others, of them found."""
    found = probability >= threshold
    return np.array([(label == 1).sum(), (found & (label == 1)).sum(), (label == 0).sum(), (found & (label == 0)).sum()])


def figures(table, seed):
    """Sensitivity and specificity over all windows and as the mean over records, with 95 % bootstrap intervals over records.

    `table` is `[records, 4]` of `counts`, summed over networks.
    """
    rng = np.random.default_rng(seed)
    draws = np.array([_gross(table[rng.integers(0, len(table), len(table))]) for _ in range(DRAWS)])
    (sensitivity, specificity), interval = _gross(table), np.nanquantile(draws, [0.025, 0.975], axis=0)
    shockable, other = table[:, 0] > 0, table[:, 2] > 0
    return {
        "sensitivity": sensitivity, "sensitivity_interval": interval[:, 0].tolist(),
        "specificity": specificity, "specificity_interval": interval[:, 1].tolist(),
        "mean_sensitivity": float(np.mean(table[shockable, 1] / table[shockable, 0])),
        "mean_specificity": float(1 - np.mean(table[other, 3] / table[other, 2])),
        "records": len(table), "shockable_records": int(shockable.sum()),
    }


def _gross(table):
    shockable, found, other, wrong = table.sum(0)
    return found / shockable if shockable else np.nan, 1 - wrong / other if other else np.nan


def groups(folder, names):
    """Records by what their headers say of the patient; those of Creighton say nothing."""
    people = {name: mitdb.person(folder, name) for name in names if name not in CREIGHTON}
    return {
        "men": [n for n, (_, sex) in people.items() if sex == "M"],
        "women": [n for n, (_, sex) in people.items() if sex == "F"],
        "under 65": [n for n, (age, _) in people.items() if age is not None and age < 65],
        "65 and over": [n for n, (age, _) in people.items() if age is not None and age >= 65],
        "MIT-BIH": list(people),
        "Creighton": [n for n in names if n in CREIGHTON],
    }


def doubtful(label, probability, threshold):
    """Share of the windows left out that are called shockable; None if there are none."""
    out = label == -1
    return float((probability[out] >= threshold).mean()) if out.any() else None


def onset(windows, probability, threshold):
    """Seconds from the onset in cu01, the one that is annotated, to the end of the first window called shockable; None if never.

    One lead: a window for each probability.
    """
    begins = vf_labels.CREIGHTON["cu01"][0][0][0]
    ends = np.unique(windows.start) + SECONDS
    called = ends[(probability >= threshold) & (ends > begins)]
    return float(called[0] - begins) if len(called) else None
