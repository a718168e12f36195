"""How well beats are classified, on patients that the network did not see."""

import numpy as np

from .mitdb import CLASSES

# Beats are counted from here on (ANSI/AAMI EC57).
LEARNING_S = 300.0
DRAWS = 2000
S, V = 1, 2


def fuse(rows, logits):
    """One answer for each beat: the mean of the logits over its leads. Gives rows of one lead each, and their logits."""
    key = rows.record * 1e6 + rows.time
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    total = np.zeros((len(first), len(CLASSES)))
    np.add.at(total, inverse, logits)
    return rows[first], total / np.bincount(inverse)[:, None]


def confusion(truth, called):
    """Beats by what they are (row) and what they were called (column)."""
    table = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(table, (truth, called), 1)
    return table


def figures(table):
    """Accuracy, Cohen's κ, the j index and jκ (Mar et al. 2011), sensitivity and precision of each class (NaN without beats)."""
    total = table.sum()
    truth, called, right = table.sum(1), table.sum(0), np.diag(table)
    accuracy = right.sum() / total
    chance = (truth * called).sum() / total**2
    kappa = (accuracy - chance) / (1 - chance) if chance < 1 else 0.0
    with np.errstate(invalid="ignore"):
        sensitivity, precision = right / truth, right / called
    j = float(np.nansum([sensitivity[S], sensitivity[V], precision[S], precision[V]]))
    return {
        "accuracy": float(accuracy), "kappa": float(kappa), "j": j, "j_kappa": float(kappa / 2 + j / 8),
        "sensitivity": sensitivity.tolist(), "precision": precision.tolist(), "beats": int(total),
    }


def judge(rows, logits, seed):
    """All figures of fused beats: over all, with bootstrap intervals over records, and of each record."""
    counted = rows.time >= LEARNING_S
    called = logits.argmax(1)
    records = np.unique(rows.record)
    tables = np.array([
        confusion(rows.label[counted & (rows.record == r)], called[counted & (rows.record == r)]) for r in records
    ])
    rng = np.random.default_rng(seed)
    draws = [figures(tables[rng.integers(0, len(records), len(records))].sum(0)) for _ in range(DRAWS)]
    flat = lambda f: [f["accuracy"], f["kappa"], f["j_kappa"], f["sensitivity"][S], f["precision"][S], f["sensitivity"][V], f["precision"][V]]
    low, high = np.nanpercentile([flat(f) for f in draws], (2.5, 97.5), axis=0)
    return {
        "table": tables.sum(0).tolist(), "all": figures(tables.sum(0)), "values": flat(figures(tables.sum(0))),
        "low": low.tolist(), "high": high.tolist(), "records": {int(r): figures(t) for r, t in zip(records, tables)},
        "tables": {int(r): t.tolist() for r, t in zip(records, tables)},
    }


def group(judged, chosen):
    """Figures of the records in `chosen`."""
    return figures(sum(np.array(judged["tables"][r]) for r in chosen))


def agreement(a, b):
    """How far two sets of logits of the same beats are apart, as probabilities of V and S, and how often they call the same."""
    gap = np.abs(softmax(a) - softmax(b))
    return {
        "mean_probability_gap": float(gap.mean()), "p99_probability_gap": float(np.quantile(gap.max(1), 0.99)),
        "max_probability_gap": float(gap.max()), "same_class_share": float((a.argmax(1) == b.argmax(1)).mean()),
    }


def softmax(logits):
    """Probabilities."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
