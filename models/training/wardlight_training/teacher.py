"""Soft labels: what a model that may read the whole chart says about a stay that it was not fitted to.

The outcome alone is a coin thrown once. A probability that knows the laboratory, the consciousness and the end of the
second day says more about the same hours of vitals, and the network, which never sees any of it, learns from less noise.
"""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from .features import features

FOLDS = 8
REPEATS = 3


def soft_labels(stays):
    """Probability of death [stays]: each from boosting on the other folds of `stays`, the mean over other divisions."""
    rows = np.concatenate([stays.chart, features(stays.age, stays.hours)], 1)
    labels = np.zeros(len(rows))
    for repeat in range(REPEATS):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        for others, held_out in folds.split(rows, stays.died):
            fitted = _boosting(repeat).fit(rows[others], stays.died[others])
            labels[held_out] += fitted.predict_proba(rows[held_out])[:, 1] / REPEATS
    return labels


def _boosting(seed):
    return HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.04, max_leaf_nodes=6, max_features=0.2, l2_regularization=10.0, random_state=seed)
