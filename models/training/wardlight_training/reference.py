"""Reference histograms for drift: what the inputs and the scores looked like in training."""

import json

import numpy as np

from .vitals import HR, RR, SBP, TEMP

# Left-closed bins aligned to the NEWS2 cut points, so that drift of the score can be derived from them.
EDGES = {
    "heart_rate": (HR, [0, 30, 41, 51, 61, 71, 81, 91, 101, 111, 121, 131, 151, 181, 221, 301]),
    "resp_rate": (RR, [0, 5, 9, 12, 15, 18, 21, 25, 31, 41, 61]),
    "systolic": (SBP, [0, 60, 71, 81, 91, 101, 111, 121, 141, 161, 181, 201, 220, 301]),
    "temperature": (TEMP, [25, 32, 34, 35.1, 36.1, 37.1, 38.1, 39.1, 40.1, 45]),
}
RISK_EDGES = [round(0.05 * i, 2) for i in range(21)]


def build(hours, probability):
    """Histograms of hourly means, of each stay's median, and of the int8 probability at the end of each stay."""
    document = {"bins": "left-closed; counts[i] is edges[i] <= x < edges[i + 1]", "histograms": {}}
    for name, (vital, edges) in EDGES.items():
        values = hours[:, :, vital]
        observed = np.isfinite(values).any(1)
        document["histograms"][name] = {
            "edges": edges,
            "hourly_counts": _counts(values[np.isfinite(values)], edges),
            "stay_median_counts": _counts(np.nanmedian(values[observed], axis=1), edges),
            "missing_hours_share": round(float(np.mean(~np.isfinite(values))), 4),
        }
    document["histograms"]["probability"] = {"edges": RISK_EDGES, "stay_counts": _counts(probability, RISK_EDGES)}
    return document


def inputs(values, edges):
    """The histogram of an input of a waveform model, as the agent compares it with the ward's."""
    counts, _ = np.histogram(values, edges)
    return {"edges": edges, "input_counts": counts.tolist()}


def dump(document):
    """JSON, indented."""
    return json.dumps(document, indent=1) + "\n"


def _counts(values, edges):
    index = np.searchsorted(edges, values, side="right") - 1
    inside = (index >= 0) & (index < len(edges) - 1)
    return np.bincount(index[inside], minlength=len(edges) - 1).tolist()
