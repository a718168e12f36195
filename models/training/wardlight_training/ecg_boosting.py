"""Gradient boosting on the numbers of the rhythm: what the network is compared with."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from . import ecg_training
from .mitdb import CLASSES

ROWS = 25_000


def logits(train, judged, seed):
    """Log probabilities of `judged` by boosting on `train`, drawn as the network draws its rows."""
    chance = ecg_training.chances(train)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(chance), ROWS, p=chance / chance.sum())
    model = HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.08, max_leaf_nodes=12, min_samples_leaf=60, l2_regularization=5.0, early_stopping=False, random_state=seed)
    model.fit(train.rhythm[chosen], train.label[chosen])
    found = np.full((len(judged.label), len(CLASSES)), -20.0)
    found[:, model.classes_] = np.log(model.predict_proba(judged.rhythm) + 1e-9)
    return found
