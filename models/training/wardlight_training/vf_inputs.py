"""Measures of a window that say whether the signal is one: `models/src/ecg_vf/measures.rs` computes the same in service."""

import numpy as np

from . import reference
from .vf_rows import SECONDS

# A step from one value to the next below this share of the height is none.
STILL = 0.004
# As in `models/src/ecg_vf/mod.rs`: the share on each side that the height leaves out.
TAIL = 0.02
# The middle bin of each is wide enough for any patient; what a wrong gain, mains or a clipped front end does lies outside.
EDGES = {"height": [0, 0.4, 0.8, 4], "still": [0, 0.01, 0.4, 1], "crossings": [0, 3, 45, 125]}


def histograms(windows):
    """Of each measure over windows `[n, WINDOW]`."""
    return {name: reference.inputs(values, EDGES[name]) for name, values in measures(windows).items()}


def measures(windows):
    """By name, `[n]`: height, share of the steps in which nothing moves, crossings of the middle a second."""
    ordered = np.sort(windows, 1)
    tail = int(windows.shape[1] * TAIL)
    before, after = windows[:, :-1], windows[:, 1:]
    return {
        "height": ordered[:, -1 - tail] - ordered[:, tail],
        "still": (np.abs(after - before) < np.float32(STILL)).mean(1),
        "crossings": (before * after < 0).mean(1) * windows.shape[1] / SECONDS,
    }
