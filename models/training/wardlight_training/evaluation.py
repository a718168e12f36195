"""Every figure of the card, computed on stays that had no part in training."""

import numpy as np

from . import baselines, metrics
from .cinc2012 import ICU_TYPES
from .pipeline import HOURS, rows_at
from .respiration import effect
from .rows import rows_of
from .vitals import MAX_HOURS, MIN_HOURS, RR

BY_HOUR = (6, 9, 12, 18, 24, 30, 36, 42, 48)
"""Hours in the card's table; the counts below it are over every hour."""

GAIN_DRAWS = 200
"""Bootstrap samples for the gain over all hours: each costs 86 areas."""

MIN_STAYS, MIN_DEATHS = 100, 20
"""A subgroup with fewer is reported as insufficient data."""


def evaluate(model, fitted, judged, validation):
    """The document of results on the stays `judged`."""
    scores = _scores(model, fitted, validation, judged)
    rows = rows_at(judged, MAX_HOURS)
    died = judged.died
    float_p = model.float_probability(rows)
    int8_p = model.probability(rows)
    return {
        "stays": len(died),
        "deaths": int(died.sum()),
        "validation": _on_validation(model, validation),
        "float": _probabilistic(died, float_p, model.high),
        "int8": _probabilistic(died, int8_p, model.high),
        "bands": {"raised": metrics.rates(died, int8_p >= model.raised), "high": metrics.rates(died, int8_p >= model.high)},
        "agreement": _agreement(model, judged),
        "others": {name: _ranked(died, score, threshold) for name, (score, threshold) in scores.items()},
        "gain": {name: metrics.interval(lambda y, a, b: metrics.auroc(y, a) - metrics.auroc(y, b), died, int8_p, score)
                 for name, (score, _) in scores.items()},
        "by_hour": _by_hour(model, fitted, judged),
        "every_hour": _every_hour(model, fitted, judged),
        "respiration": effect(model.probability, judged),
        "respiration_boosting": effect(lambda rows: fitted.boosting.predict_proba(rows.flat())[:, 1], judged),
        "groups": _groups(model, judged, int8_p),
    }


def _probabilistic(died, p, high):
    slope, intercept = metrics.calibration_line(died, p)
    return {
        "auroc": metrics.auroc(died, p),
        "auroc_interval": metrics.interval(metrics.auroc, died, p),
        "event_1": metrics.event_1(died, p >= high),
        "event_1_interval": metrics.interval(metrics.event_1, died, p >= high),
        "brier": metrics.brier(died, p),
        "brier_skill": metrics.brier_skill(died, p),
        "ece": metrics.ece(died, p),
        "ece_interval": metrics.interval(metrics.ece, died, p),
        "ece_adaptive": metrics.ece_adaptive(died, p),
        "slope": slope,
        "intercept": intercept,
        "mean_predicted": float(np.mean(p)),
        "observed": float(np.mean(died)),
    }


def _on_validation(model, validation):
    p = model.probability(rows_at(validation, MAX_HOURS))
    return {"auroc": metrics.auroc(validation.died, p), "interval": metrics.interval(metrics.auroc, validation.died, p)}


def _scores(model, fitted, validation, judged):
    """The other scores at the end of the stay, each with an event-1 threshold chosen on validation."""
    functions = {
        "Gradient boosting, same features and hours": lambda s: fitted.boosting.predict_proba(rows_at(s, MAX_HOURS).flat())[:, 1],
        "Logistic regression, same features":
            lambda s: fitted.logistic.predict_proba(model.normaliser(rows_at(s, MAX_HOURS)).features)[:, 1],
        "SAPS-I (uses laboratory values and GCS)": lambda s: _saps(fitted, s),
        "NEWS-like, last RR, SBP, HR, temperature": lambda s: baselines.news_like(s.hours),
    }
    return {name: (f(judged), metrics.best_event_1_threshold(validation.died, f(validation)))
            for name, f in functions.items()}


def _ranked(died, score, threshold):
    return {
        "auroc": metrics.auroc(died, score),
        "auroc_interval": metrics.interval(metrics.auroc, died, score),
        "event_1": metrics.event_1(died, score >= threshold),
    }


def _agreement(model, judged):
    """int8 against float over all reported hours."""
    pairs = [(model.float_probability(r), model.probability(r))
             for r in (rows_at(judged, h) for h in HOURS)]
    a, b = np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])
    gap = np.abs(a - b)
    band = lambda p: (p >= model.raised).astype(int) + (p >= model.high)
    died = np.tile(judged.died, len(HOURS))
    return {
        "rows": len(a),
        "mean": float(gap.mean()),
        "p99": float(np.quantile(gap, 0.99)),
        "max": float(gap.max()),
        "brier_difference": metrics.brier(died, b) - metrics.brier(died, a),
        "same_band": float(np.mean(band(a) == band(b))),
    }


def _by_hour(model, fitted, judged):
    table = []
    for hours in BY_HOUR:
        p = model.probability(rows_at(judged, hours))
        others = _others_at(model, fitted, judged, hours)
        table.append({
            "hours": hours,
            "int8": metrics.auroc(judged.died, p),
            "interval": metrics.interval(metrics.auroc, judged.died, p),
            "others": {name: metrics.auroc(judged.died, score) for name, score in others.items()},
            "ece": metrics.ece(judged.died, p),
        })
    return table


def _every_hour(model, fitted, judged):
    """Over all hours from the first to the last at which a risk may be shown: the mean AUROC of each, how often the model is
    above, and the interval of its gain in the mean."""
    hours = range(MIN_HOURS, MAX_HOURS + 1)
    own = np.stack([model.probability(rows_at(judged, h)) for h in hours], 1)
    others = [_others_at(model, fitted, judged, h) for h in hours]
    at_each = lambda y, scores: np.array([metrics.auroc(y, column) for column in scores.T])
    table = {"hours": len(hours), "int8": float(at_each(judged.died, own).mean()), "others": {}}
    for name in others[0]:
        scores = np.stack([o[name] for o in others], 1)
        gain = at_each(judged.died, own) - at_each(judged.died, scores)
        table["others"][name] = {
            "auroc": float(at_each(judged.died, scores).mean()),
            "above": int(np.sum(gain > 0)),
            "not_above_at": [h for h, g in zip(hours, gain) if g <= 0],
            "gain": metrics.interval(
                lambda y, a, b: float(np.mean(at_each(y, a) - at_each(y, b))), judged.died, own, scores, repeats=GAIN_DRAWS),
        }
    return table


def _saps(fitted, stays):
    return np.where(np.isnan(stays.saps), fitted.usual_saps, stays.saps)


def _others_at(model, fitted, judged, hours):
    """What the others say after so many hours; SAPS-I is a figure of the first day, whatever the hour."""
    rows = rows_at(judged, hours)
    return {
        "gradient boosting": fitted.boosting.predict_proba(rows.flat())[:, 1],
        "logistic regression": fitted.logistic.predict_proba(model.normaliser(rows).features)[:, 1],
        "SAPS-I": _saps(fitted, judged),
        "NEWS-like": baselines.news_like(judged.hours[:, :hours]),
    }


def _groups(model, judged, p):
    groups = {f"ICU: {name}": judged.icu == code for code, name in ICU_TYPES.items()}
    groups |= {"sex: female": judged.sex == 0, "sex: male": judged.sex == 1}
    for low, high in ((15, 50), (50, 65), (65, 80), (80, 131)):
        groups[f"age: {low}-{high - 1}" if high < 131 else f"age: {low} and over"] = (judged.age >= low) & (judged.age < high)
    charted = np.isfinite(judged.hours[:, :, RR]).any(1)
    groups |= {"respiration charted": charted, "respiration never charted": ~charted}
    table = []
    for name, rows in groups.items():
        died, here = judged.died[rows], p[rows]
        entry = {"name": name, "stays": int(rows.sum()), "deaths": int(died.sum())}
        if entry["stays"] >= MIN_STAYS and entry["deaths"] >= MIN_DEATHS:
            entry |= {
                "auroc": metrics.auroc(died, here),
                "interval": metrics.interval(metrics.auroc, died, here),
                "predicted": float(here.mean()),
                "observed": float(died.mean()),
                "sensitivity": float(metrics.rates(died, here >= model.raised)["sensitivity"]),
                "ppv": float(metrics.rates(died, here >= model.raised)["ppv"]),
            }
        table.append(entry)
    return table


def evaluate_external(model, age, hours, died):
    """AUROC and calibration on another hospital's stays, with nothing refitted."""
    p = model.probability(rows_of(age, hours))
    return {
        "stays": len(died), "deaths": int(died.sum()), "hours": hours.shape[1],
        "auroc": metrics.auroc(died, p), "interval": metrics.interval(metrics.auroc, died, p),
        "predicted": float(p.mean()), "observed": float(died.mean()),
    }
