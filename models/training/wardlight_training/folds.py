"""Cross-validation over the stays that development may see: one test set is too small to tell two recipes apart."""

import numpy as np
from sklearn.model_selection import StratifiedKFold

from . import metrics, pipeline
from .evaluation import BY_HOUR
from .respiration import effect

FOLDS = 5
SHUFFLE = 7


def judge(stays, seed):
    """Prints a line for each fold and one for the mean: AUROC at BY_HOUR of the int8 model and of boosting, and the effect of
    respiration's being charted."""
    found = []
    divided = StratifiedKFold(FOLDS, shuffle=True, random_state=SHUFFLE).split(stays.ids, stays.died)
    print(f"hours: {' '.join(map(str, BY_HOUR))}, mean; respiration, points")
    for fold, (others, held_out) in enumerate(divided):
        judged = stays.take(held_out)
        # Calibration and bands, which the validation stays set, change no AUROC: the folds need none of their own.
        model, fitted = pipeline.fit(stays.take(others), judged, seed)
        boosting = lambda rows: fitted.boosting.predict_proba(rows.flat())[:, 1]
        found.append([_line(f"fold {fold}, {name}", p, judged) for name, p in (("int8", model.probability), ("boosting", boosting))])
    for place, name in enumerate(("int8", "boosting")):
        _print(f"mean, {name}", np.mean([lines[place] for lines in found], 0))


def _line(name, probability, judged):
    areas = [metrics.auroc(judged.died, probability(pipeline.rows_at(judged, hours))) for hours in BY_HOUR]
    figures = np.array([*areas, np.mean(areas), 100 * effect(probability, judged)])
    _print(name, figures)
    return figures


def _print(name, figures):
    *areas, respiration = figures
    print(f"{name}: {' '.join(f'{area:.3f}' for area in areas)}; {respiration:+.1f}", flush=True)
