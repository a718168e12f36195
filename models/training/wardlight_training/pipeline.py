"""The steps from stays to a calibrated int8 network."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from . import baselines, metrics, respiration, risk_network, risk_quantise, teacher
from .rows import Normaliser, Rows, rows_of
from .vitals import MAX_HOURS, MIN_HOURS

MEMBERS = 4
SOFT_SHARE = 0.8
"""Of a label: so much is the teacher's probability, the rest the outcome."""
TRUNCATIONS = 6
WHOLE = 2
HOURS = (6, 12, 24, 48)
CALIBRATION_ROWS = 4000


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
    """Rows as they stood after `hours` hours."""
    return rows_of(stays.age, stays.hours[:, :hours])


def training_rows(stays, seed):
    """Each stay several times: cut off at random hours and whole. Returns rows, and the place of each row's stay."""
    rng = np.random.default_rng(seed)
    rows, place = [], []
    for _ in range(TRUNCATIONS):
        cut = rng.integers(MIN_HOURS, MAX_HOURS, len(stays.ids))
        for hours in np.unique(cut):
            here = np.flatnonzero(cut == hours)
            rows.append(rows_at(stays.take(here), hours))
            place.append(here)
    rows += [rows_at(stays, MAX_HOURS)] * WHOLE
    place += [np.arange(len(stays.ids))] * WHOLE
    return Rows.joined(rows), np.concatenate(place)


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
    ensemble: list
    int8_network: object
    calibration: Calibration
    raised: float
    high: float

    def probability(self, rows):
        """Calibrated probabilities of raw rows."""
        return self.calibration(self.int8_network.logit(self.normaliser(rows)))

    def float_probability(self, rows):
        """The same by the float ensemble."""
        return self.calibration(risk_network.logit(self.ensemble, self.normaliser(rows)))


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
    rng = np.random.default_rng(seed)
    scaled = normaliser(respiration.forget(rows, rng.random(len(rows)) < respiration.FORGOTTEN))
    some = scaled[rng.permutation(len(scaled))[:CALIBRATION_ROWS]]
    ensemble = [risk_quantise.fit_to_levels(risk_network.fit(scaled, target, seed + i), some) for i in range(MEMBERS)]
    int8 = risk_quantise.quantise(ensemble, some)
    logistic = baselines.logistic_regression(normaliser(rows).features, labels)
    boosting = baselines.gradient_boosting(rows.flat(), labels, seed)
    check = Rows.joined([rows_at(validation, h) for h in HOURS])
    died = np.tile(validation.died, len(HOURS))
    logit = int8.logit(normaliser(check)).astype(np.float64)
    line = LogisticRegression(C=np.inf).fit(logit[:, None], died)
    calibration = Calibration(float(line.coef_[0, 0]), float(line.intercept_[0]))
    raised, high = _bands(died, calibration(logit))
    return Trained(normaliser, ensemble, int8, calibration, raised, high), Baselines(boosting, logistic, np.nanmedian(validation.saps))


def _bands(died, probability):
    """`raised` keeps 70 % sensitivity, `high` has the best min(sensitivity, PPV); both rounded to a per cent, down."""
    raised = np.floor(100 * np.quantile(probability[died == 1], 0.3)) / 100
    high = np.floor(100 * metrics.best_event_1_threshold(died, probability)) / 100
    return float(raised), float(max(high, raised + 0.01))
