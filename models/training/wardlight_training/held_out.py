"""What the networks of the cross-validation say of records that they did not see, in the formats of `wardlight model annotate`."""

import numpy as np

from . import ecg_evaluation, mitdb, vf_evaluation
from .vf_rows import CREIGHTON

CREIGHTON_HZ = 250


def write_beats(folder, rows, logits):
    """A file for each record of DS1: every beat of our detector that can be seen in a lead, all leads together.

    A beat that no lead shows has no row, and no line here; `annotate` gives it one that says Q.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beats, fused = ecg_evaluation.fuse(rows, logits)
    probabilities = ecg_evaluation.softmax(fused)
    for number, name in enumerate(mitdb.DS1):
        lines = ["sample,time_s,aami,p_n,p_s,p_v,p_f,p_q"]
        for at in np.flatnonzero(beats.record == number):
            seconds, called = beats.time[at], mitdb.CLASSES[probabilities[at].argmax()]
            shares = ",".join(f"{p:.5f}" for p in probabilities[at])
            lines.append(f"{seconds * mitdb.HZ:.0f},{seconds:.3f},{called},{shares}")
        _write(folder, name, lines)


def write_windows(folder, sources, found):
    """A file for each record of `found`: its int8 logits by the network of the seed that is shipped, the leads together."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (logits, *_) in found.items():
        hz = CREIGHTON_HZ if name in CREIGHTON else mitdb.HZ
        starts = np.unique(sources[name].start)
        _, probability = vf_evaluation.together(sources[name], logits["int8"])
        _write(folder, name, ["start_sample,p_shockable"] + [f"{start * hz:.0f},{p:.5f}" for start, p in zip(starts, probability)])


def _write(folder, name, lines):
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
