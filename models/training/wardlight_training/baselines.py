"""What the model is compared with on the same stays."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from .vitals import HR, RR, SBP, TEMP

# NEWS2 (Royal College of Physicians 2017, chart 1): (first value above the band, points), lowest band first.
# Respiration, systolic pressure and pulse in integers, temperature in tenths.
NEWS_BANDS = {
    RR: ((9, 3), (12, 1), (21, 0), (25, 2), (np.inf, 3)),
    SBP: ((91, 3), (101, 2), (111, 1), (220, 0), (np.inf, 3)),
    HR: ((41, 3), (51, 1), (91, 0), (111, 1), (131, 2), (np.inf, 3)),
    TEMP: ((35.1, 3), (36.1, 1), (38.1, 0), (39.1, 1), (np.inf, 2)),
}


def news_like(hours):
    """NEWS2 points of the last value of each of the four vitals it shares with the data; a missing vital gives none.

    Set A has no SpO2, oxygen or ACVPU, so this is a part of NEWS2 and not the score itself.
    """
    total = np.zeros(len(hours))
    for vital, bands in NEWS_BANDS.items():
        decimals = 1 if vital == TEMP else 0
        for i, row in enumerate(hours[:, :, vital]):
            seen = row[np.isfinite(row)]
            if len(seen):
                value = np.floor(seen[-1] * 10**decimals + 0.5) / 10**decimals
                total[i] += next(points for limit, points in bands if value < limit)
    return total


def logistic_regression(rows, labels):
    """L2 logistic regression on normalised rows."""
    return LogisticRegression(C=0.003, max_iter=2000).fit(rows, labels)


def gradient_boosting(rows, labels, seed):
    """scikit-learn's histogram gradient boosting on raw rows; NaN is a branch of its own."""
    return HistGradientBoostingClassifier(
        max_iter=300, learning_rate=0.025, max_leaf_nodes=7, max_features=0.25, l2_regularization=10.0,
        random_state=seed,
    ).fit(rows, labels)
