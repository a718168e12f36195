"""How a risk model is judged. Definitions as in the PhysioNet/CinC Challenge 2012 and the calibration literature."""

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression


def sigmoid(x):
    """The logistic function in f64."""
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def logit(p):
    """Its inverse, with `p` kept off 0 and 1."""
    p = np.clip(np.asarray(p, np.float64), 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))


def auroc(y, score):
    """Area under the ROC curve; ties count half."""
    y = np.asarray(y)
    positive = int(y.sum())
    negative = len(y) - positive
    if not positive or not negative:
        return float("nan")
    return float((rankdata(score)[y == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def interval(function, *columns, seed=2012, repeats=2000):
    """Percentile bootstrap 95 % interval of `function(*columns)` over stays."""
    rng = np.random.default_rng(seed)
    n = len(columns[0])
    values = []
    for _ in range(repeats):
        rows = rng.integers(0, n, n)
        value = function(*(c[rows] for c in columns))
        if np.isfinite(value):
            values.append(value)
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def brier(y, p):
    """Mean squared error of the probability."""
    return float(np.mean((p - y) ** 2))


def brier_skill(y, p):
    """1 - Brier / Brier of the base rate."""
    return 1 - brier(y, p) / (np.mean(y) * (1 - np.mean(y)))


def ece(y, p, bins=10):
    """Expected calibration error over equal-width bins."""
    index = np.minimum((np.asarray(p) * bins).astype(int), bins - 1)
    return float(sum(abs(y[index == b].mean() - p[index == b].mean()) * np.mean(index == b)
                     for b in range(bins) if np.any(index == b)))


def ece_adaptive(y, p, bins=10):
    """The same over bins of equal count."""
    groups = np.array_split(np.argsort(p, kind="stable"), bins)
    return float(sum(abs(y[g].mean() - p[g].mean()) * len(g) / len(y) for g in groups if len(g)))


def calibration_line(y, p):
    """Slope and intercept of a logistic regression of the outcome on logit p; ideal is 1 and 0."""
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(logit(p)[:, None], y)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def event_1(y, alarm):
    """min(sensitivity, positive predictive value) of yes/no predictions (CinC 2012 event 1)."""
    hits = float(np.sum((alarm == 1) & (y == 1)))
    return min(hits / max(np.sum(y), 1), hits / max(np.sum(alarm), 1))


def rates(y, alarm):
    """Sensitivity, specificity, positive predictive value, share alarmed."""
    alarm, y = np.asarray(alarm, bool), np.asarray(y, bool)
    hits = np.sum(alarm & y)
    return {
        "sensitivity": hits / max(y.sum(), 1),
        "specificity": np.sum(~alarm & ~y) / max((~y).sum(), 1),
        "ppv": hits / max(alarm.sum(), 1),
        "alarmed": alarm.mean(),
    }


def best_event_1_threshold(y, score):
    """The threshold with the largest event-1 score."""
    candidates = np.unique(score)
    return float(max(candidates, key=lambda t: event_1(y, (score >= t).astype(int))))
