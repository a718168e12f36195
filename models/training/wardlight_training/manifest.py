"""The manifest of the deterioration package."""

import hashlib

import numpy as np

from . import cinc2012
from .features import names
from .risk_export import INPUTS, OUTPUT
from .risk_network import CHANNELS, CLIP
from .vitals import MAX_HOURS, MIN_HOURS, VITALS

FORMAT = 1
ID = "deterioration"
VERSION = "3.0.0"


def build(model, result, parts, stays, seed, files):
    """The manifest as nested tables; `files` maps names to bytes."""
    return {
        "format": FORMAT,
        "id": ID,
        "version": VERSION,
        "summary": "Risk of in-hospital death from up to 48 hours of bedside vitals and age",
        "input": {"name": INPUTS[0], "shape": ["batch", len(names())], "unit": "standard deviations", "features": names()},
        "hours": {
            "name": INPUTS[1],
            "shape": ["batch", CHANNELS, MAX_HOURS],
            "mean": [_short(v) for v in model.normaliser.hours_mean],
            "scale": [_short(v) for v in model.normaliser.hours_scale],
        },
        "output": {"name": OUTPUT, "shape": ["batch", 1], "unit": "logit"},
        "vitals": {
            "min_hours": MIN_HOURS,
            "max_hours": MAX_HOURS,
            "channel": [{"name": v.name, "unit": v.unit, "low": v.low, "high": v.high} for v in VITALS],
        },
        "normalisation": {
            "absent": "mean",
            "clip": CLIP,
            "mean": [_short(v) for v in model.normaliser.mean],
            "scale": [_short(v) for v in model.normaliser.scale],
        },
        "calibration": {
            "method": "platt",
            "slope": model.calibration.slope,
            "intercept": model.calibration.intercept,
            "fitted_on": "validation",
        },
        "bands": {"raised": model.raised, "high": model.high},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "training": {
            "script": "models/training/deterioration.py",
            "data": "PhysioNet/CinC Challenge 2012 set A",
            "licence": cinc2012.LICENCE,
            "attribution": cinc2012.ATTRIBUTION,
            "label": "in-hospital death",
            "split": "by stay, random, fixed seed",
            "seed": seed,
            "train_stays": len(parts.train),
            "validation_stays": len(parts.validation),
            "test_stays": len(parts.test),
            "stays": len(stays.ids),
        },
        "metrics": {
            "judged_on": "test",
            "auroc_int8": _round(result["int8"]["auroc"]),
            "auroc_int8_interval": [_round(v) for v in result["int8"]["auroc_interval"]],
            "auroc_float": _round(result["float"]["auroc"]),
            "brier_int8": _round(result["int8"]["brier"]),
            "ece_int8": _round(result["int8"]["ece"]),
        },
        "agreement": {
            "mean_probability_gap": _round(result["agreement"]["mean"], 6),
            "p99_probability_gap": _round(result["agreement"]["p99"], 6),
            "max_probability_gap": _round(result["agreement"]["max"], 6),
            "same_band_share": _round(result["agreement"]["same_band"], 6),
        },
    }


def _short(value):
    """The shortest decimal that reads back as the same f32."""
    return float(str(np.float32(value)))


def _round(value, digits=4):
    return round(float(value), digits)
