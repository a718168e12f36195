"""How `ecg-beat` is trained: which rows count how much, the ensemble, and the folds in which it is judged."""

import numpy as np
import onnxruntime

from . import ecg_export, ecg_network, ecg_quantise
from .ecg_rows import SYNTHETIC
from .mitdb import DS1

MEMBERS = 1
STEPS = 600
FOLDS = 6
# A record's class counts as the root of its beats: neither by its length alone nor all alike. Fusion beats are not told from
# their parents by experts either (415, of which 372 in one record), and aberrated beats are supraventricular by history, not by shape.
POWER = 0.5
CLASS_WEIGHT = (1.0, 1.0, 1.0, 0.3, 0.0)
ABERRATED_WEIGHT = 0.1
# What a scene of a record counts beside the record itself.
SYNTHETIC_WEIGHT = 0.5
CALIBRATION_ROWS = 4000
PIECE = 4096


def folds():
    """Records held out together: every one once, no patient in two (each record of DS1 is another patient)."""
    return [[r for r in range(len(DS1)) if r % FOLDS == fold] for fold in range(FOLDS)]


def chances(rows):
    """How often each row is drawn, up to a factor; never one that is not annotated."""
    chance = np.zeros(len(rows.label))
    # The plays of a record are one source, each of its scenes is another.
    source = np.where(rows.play < SYNTHETIC, 0, rows.play)
    for record, number in np.unique(np.stack([rows.record, source], 1), axis=0):
        for label, weight in enumerate(CLASS_WEIGHT):
            own = np.flatnonzero((rows.record == record) & (source == number) & (rows.label == label))
            if len(own):
                chance[own] = weight * len(own) ** POWER / len(own) * (SYNTHETIC_WEIGHT if number else 1.0)
    chance[rows.aberrated] *= ABERRATED_WEIGHT
    return chance


def fit(rows, seed, members=MEMBERS):
    """An ensemble trained on `rows`, and its int8 twin."""
    chance = chances(rows)
    used = chance > 0
    some, chance = rows[used], chance[used]
    ensemble = [ecg_network.fit(some, chance, STEPS, seed + member) for member in range(members)]
    rng = np.random.default_rng(seed)
    calibration = some[rng.choice(len(chance), min(CALIBRATION_ROWS, len(chance)), replace=False, p=chance / chance.sum())]
    return ensemble, ecg_quantise.quantise(ensemble, calibration.window, calibration.rhythm)


def logits(ensemble, rows):
    """Float logits: the mean over the members."""
    return np.mean([ecg_network.logits(parameters, rows) for parameters in ensemble], 0)


def stored_logits(network, rows):
    """Logits of the int8 network, computed by onnxruntime: `ecg-beat.py` checks that it gives the same bits as `network.logits`."""
    session = onnxruntime.InferenceSession(ecg_export.int8_model(network), _one_thread(), providers=["CPUExecutionProvider"])
    pieces = range(0, len(rows.label), PIECE)
    return np.concatenate([
        session.run([ecg_export.OUTPUT], dict(zip(ecg_export.INPUTS, (rows.window[at:at + PIECE], rows.rhythm[at:at + PIECE]))))[0]
        for at in pieces
    ])


def _one_thread():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return options
