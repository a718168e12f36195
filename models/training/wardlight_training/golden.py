"""Golden vectors: synthetic hourly grids with the features, logits and probabilities that every engine must reproduce.

Synthetic on purpose: no patient's values leave the training data.
"""

import json

import numpy as np

from . import risk_network
from .rows import rows_of
from .vitals import MAX_HOURS, VITALS

WELL = np.array([78.0, 16.0, 124.0, 66.0, 85.0, 36.9])
SICK = np.array([132.0, 33.0, 78.0, 42.0, 54.0, 39.4])
NOISE = np.array([5.0, 2.5, 8.0, 5.0, 5.0, 0.25])


def cases(seed):
    """(name, age or None, hours [h, 6] with NaN) for each case: a spread of courses, then the odd ones."""
    rng = np.random.default_rng(seed)
    for i in range(18):
        length = int(rng.integers(6, MAX_HOURS + 1))
        start, end = rng.random(2) * np.array([0.7, 1.1])
        yield f"course {i}", float(rng.integers(18, 91)), _course(rng, length, start, end, absent=0.1 * (i % 5))
    full = _course(rng, MAX_HOURS, 0.0, 1.2, absent=0.0)
    yield "no age", None, full
    yield "one hour", 70.0, full[-1:]
    yield "sixty hours, of which the last 48 count", 70.0, np.concatenate([full[:12], full])
    only_rate = np.full_like(full, np.nan)
    only_rate[:, 0] = full[:, 0]
    yield "heart rate only", 55.0, only_rate
    yield "nothing observed", 55.0, np.full((12, len(VITALS)), np.nan)
    yield "no hours", None, np.empty((0, len(VITALS)))
    wild = full.copy()
    wild[::3] = [0.0, 0.0, 0.0, -50.0, 360.0, -17.8]
    wild[1::3, 0] = 300.0
    yield "values outside the accepted ranges", 90.0, wild


def build(cases, model):
    """The golden document. Probabilities are those of the int8 network, after calibration."""
    vectors = []
    for name, age, hours in cases:
        hours = hours.astype(np.float32)
        row = rows_of([np.nan if age is None else age], hours[None])
        scaled = model.normaliser(row)
        stored = float(model.int8_network.logit(scaled)[0])
        vectors.append({
            "name": name,
            "age_years": age,
            "hours": [[_number(v) for v in hour] for hour in hours],
            "features": [_number(v) for v in row.features[0]],
            "float_logit": _number(risk_network.logit(model.ensemble, scaled)[0]),
            "int8_logit": _number(np.float32(stored)),
            "probability": _number(np.float32(model.calibration(stored))),
        })
    return {"vital_order": [v.name for v in VITALS], "vectors": vectors}


def dump(document):
    """JSON with one vector a line."""
    lines = ",\n".join(json.dumps(v, ensure_ascii=True, allow_nan=False) for v in document["vectors"])
    order = json.dumps(document["vital_order"])
    return f'{{"vital_order": {order}, "vectors": [\n{lines}\n]}}\n'


def _course(rng, length, start, end, absent):
    """A course from `start` to `end`, where 0 is well and 1 is sick, rounded as a chart would."""
    severity = np.linspace(start, end, length)[:, None]
    hours = WELL + severity * (SICK - WELL) + rng.normal(0, 1, (length, len(VITALS))) * NOISE
    hours = np.round(hours, 1)
    hours[rng.random(hours.shape) < absent] = np.nan
    return hours


def _number(value):
    """The shortest decimal that reads back as the same f32; null for an absent value."""
    value = np.float32(value)
    return float(str(value)) if np.isfinite(value) else None
