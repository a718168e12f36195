"""The steps from stays to a calibrated int8 network."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from . import baselines, metrics, mlp, respiration, teacher
from .features import features
from .quantise import quantise
from .vitals import MAX_HOURS, MIN_HOURS

CLIP = 4.0
"""Normalised features are kept within this many standard deviations: the int8 input step is then exactly 1/32."""
STUDENTS = 6
SOFT_SHARE = 0.8
"""Of a label: so much is the teacher's probability, the rest the outcome."""
TRUNCATIONS = 6
WHOLE = 2
HOURS = (6, 12, 24, 48)
RECIPE = mlp.Recipe()


@dataclass
class Split:
    """Indices of the stays. One stay is in exactly one part."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(stays, seed, test=0.2, validation=0.15):
    """A random split by stay, fixed by `seed`: train, then validation, then test."""
    order = np.random.default_rng(seed).permutation(len(stays.ids))
    last, middle = round((1 - test) * len(order)), round((1 - test - validation) * len(order))
    return Split(train=order[:middle], validation=order[middle:last], test=order[last:])


def rows_at(stays, hours):
    """Feature rows as they stood after `hours` hours."""
    return features(stays.age, stays.hours[:, :hours])


def training_rows(stays, seed):
    """Each stay several times: cut off at random hours and whole. Returns rows, and the place of each row's stay."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(TRUNCATIONS):
        cut = rng.integers(MIN_HOURS, MAX_HOURS, len(stays.ids))
        block = None
        for hours in np.unique(cut):
            here = np.flatnonzero(cut == hours)
            part = rows_at(stays.take(here), hours)
            block = np.empty((len(cut), part.shape[1]), np.float32) if block is None else block
            block[here] = part
        rows.append(block)
    rows += [rows_at(stays, MAX_HOURS)] * WHOLE
    return np.concatenate(rows), np.tile(np.arange(len(stays.ids)), TRUNCATIONS + WHOLE)


@dataclass
class Normaliser:
    """(x - mean) / scale, clipped; absent becomes 0, the training mean. All in f32, as in the Rust crate."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, rows):
        """Mean and standard deviation of the observed values of training rows."""
        wide = rows.astype(np.float64)
        scale = np.nanstd(wide, 0)
        return cls(np.nanmean(wide, 0).astype(np.float32), np.where(scale > 1e-6, scale, 1.0).astype(np.float32))

    def __call__(self, rows):
        scaled = (rows.astype(np.float32) - self.mean) / self.scale
        return np.where(np.isnan(scaled), np.float32(0), np.clip(scaled, np.float32(-CLIP), np.float32(CLIP)))


@dataclass
class Calibration:
    """Platt scaling: probability = sigmoid(slope * logit + intercept)."""

    slope: float
    intercept: float

    def __call__(self, logit):
        return metrics.sigmoid(self.slope * np.asarray(logit, np.float64) + self.intercept)


@dataclass
class Trained:
    """Everything that makes a prediction."""

    normaliser: Normaliser
    float_network: mlp.Network
    int8_network: object
    calibration: Calibration
    raised: float
    high: float

    def probability(self, rows, network=None):
        """Calibrated probabilities of raw rows, by the int8 network unless another is given."""
        return self.calibration((network or self.int8_network).logit(self.normaliser(rows)))


@dataclass
class Baselines:
    """scikit-learn models fitted to the same training rows and the outcomes."""

    boosting: object
    logistic: object
    usual_saps: float
    """Stands for a missing SAPS-I: the median of the validation stays."""


def fit(train, validation, seed):
    """Trains on `train`, calibrates and sets the bands on `validation`. Returns the model and its baselines."""
    rows, place = training_rows(train, seed)
    labels = train.died[place]
    normaliser = Normaliser.fit(rows)
    target = SOFT_SHARE * teacher.soft_labels(train)[place] + (1 - SOFT_SHARE) * labels
    forgetful = np.random.default_rng(seed).random(len(rows)) < respiration.FORGOTTEN
    scaled = normaliser(respiration.forget(rows, forgetful))
    students = [mlp.train(scaled, target, RECIPE, seed + i) for i in range(STUDENTS)]
    logistic = baselines.logistic_regression(normaliser(rows), labels)
    boosting = baselines.gradient_boosting(rows, labels, seed)
    network = mlp.side_by_side(students)
    int8 = quantise(network, scaled[np.random.default_rng(seed).permutation(len(scaled))[:4000]], CLIP)
    check = np.concatenate([rows_at(validation, h) for h in HOURS])
    died = np.tile(validation.died, len(HOURS))
    logit = int8.logit(normaliser(check)).astype(np.float64)
    line = LogisticRegression(C=np.inf).fit(logit[:, None], died)
    calibration = Calibration(float(line.coef_[0, 0]), float(line.intercept_[0]))
    raised, high = _bands(died, calibration(logit))
    return Trained(normaliser, network, int8, calibration, raised, high), Baselines(boosting, logistic, np.nanmedian(validation.saps))


def _bands(died, probability):
    """`raised` keeps 70 % sensitivity, `high` has the best min(sensitivity, PPV); both rounded to a per cent, down."""
    raised = np.floor(100 * np.quantile(probability[died == 1], 0.3)) / 100
    high = np.floor(100 * metrics.best_event_1_threshold(died, probability)) / 100
    return float(raised), float(max(high, raised + 0.01))
