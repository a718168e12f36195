"""Hourly vitals to the feature row of the deterioration model.

The Rust crate computes the same rows (`models/src/deterioration/features.rs`). Both work in f64 and add up oldest hour
first, one hour at a time, so the results are equal bit for bit; numpy's own sums (pairwise) would not be.
"""

import numpy as np

from .vitals import DBP, HR, MAP, MAX_HOURS, RR, SBP, TEMP, VITALS

SERIES = tuple(v.short for v in VITALS) + ("shock_index", "pulse_pressure")
STATISTICS = ("last", "first", "mean", "min", "max", "sd", "mean_6h", "mean_12h", "mean_24h", "slope", "step")
WINDOWS = (6, 12, 24)
SPREAD_NEEDS = 3
"""Observations below which spread and slope are absent."""

# (series, direction, threshold): the share of observed hours beyond the threshold.
BURDENS = (
    (HR, ">", 110.0),
    (RR, ">", 25.0),
    (SBP, "<", 90.0),
    (MAP, "<", 65.0),
    (TEMP, "<", 36.0),
    (TEMP, ">", 38.3),
    (6, ">", 1.0),
)


def names():
    """The feature names, in the order of the row."""
    row = [f"{series}_{statistic}" for series in SERIES for statistic in STATISTICS]
    row += [f"{v.short}_observed" for v in VITALS]
    row += [f"{SERIES[s]}_{'above' if d == '>' else 'below'}_{t:g}" for s, d, t in BURDENS]
    return row + ["age", "hours"]


def features(age, hours):
    """Rows [n, features] (f32, NaN = absent) from `age` [n] and hourly means `hours` [n, h, 6], oldest hour first."""
    hours = np.asarray(hours, np.float32)[:, -MAX_HOURS:].astype(np.float64)
    low = np.array([v.low for v in VITALS])
    high = np.array([v.high for v in VITALS])
    with np.errstate(all="ignore"):
        hours = np.where((hours >= low) & (hours <= high), hours, np.nan)
        series = [hours[:, :, i] for i in range(len(VITALS))]
        series.append(hours[:, :, HR] / hours[:, :, SBP])
        series.append(hours[:, :, SBP] - hours[:, :, DBP])
        columns = [column for x in series for column in _statistics(x)]
        count = [_count(np.isfinite(x)) for x in series]
        length = float(hours.shape[1])
        columns += [count[i] / length for i in range(len(VITALS))]
        columns += [_burden(series[s], count[s], d, t) for s, d, t in BURDENS]
    age = np.asarray(age, np.float32).astype(np.float64)
    columns += [np.where((age >= 0) & (age <= 130), age, np.nan), np.full(len(age), length)]
    return np.stack(columns, 1).astype(np.float32)


def _statistics(x):
    """The eleven statistics of one series [n, h]."""
    seen = np.isfinite(x)
    count = _count(seen)
    enough = count >= SPREAD_NEEDS
    mean = _total(x, seen) / count
    hour = np.broadcast_to(np.arange(x.shape[1], dtype=np.float64), x.shape)
    hour_mean = _total(hour, seen) / count
    off, hour_off = x - mean[:, None], hour - hour_mean[:, None]
    variance = _total(off * off, seen) / count
    slope = _total(hour_off * off, seen) / _total(hour_off * hour_off, seen)
    pairs = seen[:, 1:] & seen[:, :-1]
    step = _total(np.abs(x[:, 1:] - x[:, :-1]), pairs) / _count(pairs)
    last, first = np.full(len(x), np.nan), np.full(len(x), np.nan)
    smallest, largest = np.full(len(x), np.inf), np.full(len(x), -np.inf)
    for h in range(x.shape[1]):
        last = np.where(seen[:, h], x[:, h], last)
        first = np.where(seen[:, h] & np.isnan(first), x[:, h], first)
        smallest = np.where(seen[:, h] & (x[:, h] < smallest), x[:, h], smallest)
        largest = np.where(seen[:, h] & (x[:, h] > largest), x[:, h], largest)
    any_seen = count > 0
    recent = [_total(x[:, -w:], seen[:, -w:]) / _count(seen[:, -w:]) for w in WINDOWS]
    return [
        last,
        first,
        mean,
        np.where(any_seen, smallest, np.nan),
        np.where(any_seen, largest, np.nan),
        np.where(enough, np.sqrt(variance), np.nan),
        *recent,
        np.where(enough, slope, np.nan),
        step,
    ]


def _burden(x, count, direction, threshold):
    beyond = x > threshold if direction == ">" else x < threshold
    return _count(beyond) / count


def _count(mask):
    return mask.sum(1).astype(np.float64)


def _total(x, mask):
    """Sum over the hours where `mask`, oldest first, in that very order."""
    total = np.zeros(len(x))
    for h in range(x.shape[1]):
        total = np.where(mask[:, h], total + x[:, h], total)
    return total
