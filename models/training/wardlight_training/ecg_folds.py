"""Cross-validation of `ecg-beat` by record, the folds in processes of their own."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from . import ecg_boosting, ecg_rows, ecg_training, mitdb

KINDS = ("float", "int8", "boosting")


def held_out_logits(data, folder, rows, seed, jobs):
    """For each of `KINDS` the logits of all rows, each by a model that did not see the row's record."""
    logits = {kind: np.zeros((len(rows.label), len(mitdb.CLASSES)), np.float32) for kind in KINDS}
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        pending = [pool.submit(_fold, data, folder, held_out, seed) for held_out in ecg_training.folds()]
        for number, (held_out, found) in enumerate(zip(ecg_training.folds(), pending)):
            out = np.isin(rows.record, held_out)
            for kind, values in found.result().items():
                logits[kind][out] = values
            print(f"fold {number + 1} of {len(pending)} done", flush=True)
    return logits


def _fold(data, folder, held_out, seed):
    rows, synthetic = ecg_rows.read(data, folder), ecg_rows.read_synthetic(folder)
    out, made_of_it = np.isin(rows.record, held_out), np.isin(synthetic.record, held_out)
    train, judged = ecg_rows.join([rows[~out], synthetic[~made_of_it]]), rows[out]
    ensemble, network = ecg_training.fit(train, seed)
    return {
        "float": ecg_training.logits(ensemble, judged), "int8": ecg_training.stored_logits(network, judged),
        "boosting": ecg_boosting.logits(train, judged, seed),
    }
