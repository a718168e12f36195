"""What the model is asked about a stay: the features that sum up its vitals, and their hours."""

from dataclasses import dataclass

import numpy as np

from .features import features
from .risk_network import CLIP
from .vitals import MAX_HOURS, VITALS


@dataclass
class Rows:
    """`features` [n, features] and `hours` [n, channels, MAX_HOURS], the newest hour last; f32, NaN = absent until normalised."""

    features: np.ndarray
    hours: np.ndarray

    def __len__(self):
        return len(self.features)

    def __getitem__(self, index):
        return Rows(self.features[index], self.hours[index])

    @classmethod
    def joined(cls, parts):
        """The rows of all parts, one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "hours")))

    def flat(self):
        """[n, features + channels * MAX_HOURS], for models that know no course."""
        return np.concatenate([self.features, self.hours.reshape(len(self), -1)], 1)


def rows_of(age, hours):
    """Rows from `age` [n] and hourly means `hours` [n, h, 6], oldest hour first. The Rust crate makes the same ones."""
    recent = np.asarray(hours, np.float32)[:, -MAX_HOURS:]
    grid = np.full((len(recent), len(VITALS), MAX_HOURS), np.nan, np.float32)
    for i, vital in enumerate(VITALS):
        values = recent[:, :, i]
        with np.errstate(invalid="ignore"):
            accepted = (values >= vital.low) & (values <= vital.high)
        grid[:, i, MAX_HOURS - values.shape[1]:] = np.where(accepted, values, np.nan)
    return Rows(features(age, hours), grid)


@dataclass
class Normaliser:
    """(x - mean) / scale, clipped; absent becomes 0, the training mean. All in f32, as in the Rust crate. Behind the vitals of the
    hours stands for each whether it was measured."""

    mean: np.ndarray
    scale: np.ndarray
    hours_mean: np.ndarray
    hours_scale: np.ndarray

    @classmethod
    def fit(cls, rows):
        """Mean and standard deviation of the observed values of training rows."""
        return cls(*_standard(rows.features, 0), *_standard(rows.hours, (0, 2)))

    def __call__(self, rows):
        hours = _standardise(rows.hours, self.hours_mean[:, None], self.hours_scale[:, None])
        measured = np.isfinite(rows.hours).astype(np.float32)
        return Rows(_standardise(rows.features, self.mean, self.scale), np.concatenate([hours, measured], 1))


def _standard(values, axis):
    wide = values.astype(np.float64)
    scale = np.nanstd(wide, axis)
    return np.nanmean(wide, axis).astype(np.float32), np.where(scale > 1e-6, scale, 1.0).astype(np.float32)


def _standardise(values, mean, scale):
    scaled = (values.astype(np.float32) - mean) / scale
    return np.where(np.isnan(scaled), np.float32(0), np.clip(scaled, np.float32(-CLIP), np.float32(CLIP)))
