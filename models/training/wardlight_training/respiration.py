"""What it does to the risk that respiration was charted at all.

In set A it was charted for those who breathed by themselves: that it is there says "not ventilated". A ward's monitors count
everybody's breaths, and a lead that falls off must not make a patient sicker. So the network also learns from rows that lost it.
"""

import numpy as np

from .features import names
from .rows import Rows, rows_of
from .vitals import RR, VITALS

FORGOTTEN = 0.5
"""Share of the training rows that lose it."""

HOURS = (12, 24, 48)
"""Hours at which the effect is measured."""
COLUMNS = np.array([i for i, name in enumerate(names()) if name.startswith("rr_")])
NEVER_CHARTED = rows_of([np.nan], np.full((1, 1, len(VITALS)), np.nan)).features[0, COLUMNS]


def forget(rows, which):
    """The rows, with respiration as if never charted where `which` is true."""
    features, hours = rows.features.copy(), rows.hours.copy()
    features[np.ix_(which, COLUMNS)] = NEVER_CHARTED
    hours[which, RR] = np.nan
    return Rows(features, hours)


def effect(probability, stays):
    """Mean change of the probability by the respiration of those in whom it was charted, over HOURS."""
    here = stays.take(np.flatnonzero(np.isfinite(stays.hours[:, :, RR]).any(1)))
    changes = []
    for hours in HOURS:
        rows = rows_of(here.age, here.hours[:, :hours])
        changes.append(probability(rows) - probability(forget(rows, np.ones(len(rows), bool))))
    return float(np.mean(changes))
