"""What is shockable in the recordings: ventricular fibrillation, flutter, and tachycardia of 150 a minute and more.

MIT-BIH: from the rhythm annotations. Creighton: the extracts have no annotations, but for the onset in cu01 (sample 53541). The
table was made by one engineer, no physician, who looked at the whole trace of each record at 30 s a line, and measured the
dominant frequency (4 s, Hann window) of what oscillates. What could be either, and what lies under artefact, is left out.
"""

from pathlib import Path

import numpy as np

CREIGHTON_END = 508.9
# Seconds of each record: shockable, and left out. All else is not shockable.
CREIGHTON = {
    # Onset by its annotation; 5 Hz.
    "cu01": ([(214.3, CREIGHTON_END)], [(213.5, 214.3)]),
    # Before: a wide rhythm of 121 a minute with raised ST. Flutter of 3.9 Hz, a thump at 478 s, then finer.
    "cu03": ([(468.3, 477.0), (479.5, CREIGHTON_END)], [(465.0, 468.3), (477.0, 479.5)]),
    # Runs of polymorphic tachycardia of 4 Hz; fibrillation of 4.6 Hz up to a shock at 446 s.
    "cu05": (
        [(143.2, 148.3), (193.8, 199.2), (359.5, 445.3)],
        [(88.0, 92.8), (142.5, 143.2), (148.3, 149.0), (192.0, 193.8), (199.2, 200.0), (210.5, 223.5), (353.0, 359.5), (445.3, 456.0)],
    ),
    # From 147 s on wide, regular, about 160 a minute: left out. Fibrillation of 3.5 Hz that slows to 2 Hz and gets fine.
    "cu07": ([(296.5, CREIGHTON_END)], [(147.0, 296.5)]),
    # Fibrillation of 3.8 Hz up to a shock at 295 s; later a wide rhythm of 114 to 157 a minute: left out.
    "cu09": ([(240.5, 264.5), (275.0, 295.0)], [(237.0, 240.5), (264.5, 275.0), (295.0, 305.0), (395.0, CREIGHTON_END)]),
    # Fibrillation of 5.6 Hz; from 420 s on under artefact.
    "cu11": ([(372.8, 420.0)], [(369.5, 372.8), (420.0, CREIGHTON_END)]),
    # Tachycardia, then flutter, of 3.6 Hz (215 a minute), with artefact between; a rhythm after 491 s.
    "cu13": (
        [(382.0, 413.0), (420.5, 427.5), (435.0, 443.5), (455.0, 479.5)],
        [(381.0, 382.0), (413.0, 420.5), (427.5, 435.0), (443.5, 455.0), (479.5, 491.0)],
    ),
    # A sine wave of 2.1 Hz (128 a minute) that gets lower: left out.
    "cu15": ([], [(403.5, CREIGHTON_END)]),
}
# Rate from which a tachycardia is shockable, and how long it must last.
FAST_PER_MINUTE = 150
LASTING_S = 4.0
_HZ = 360
_SKIP, _NUM, _SUB, _CHN, _AUX, _RHYTHM = 59, 60, 61, 62, 63, 28
_VENTRICULAR = (5, 10)


def creighton(name):
    """Shockable and left-out stretches."""
    return CREIGHTON[name]


def mitdb(folder, name):
    """Shockable and left-out stretches of a record of the MIT-BIH Arrhythmia Database."""
    rhythms, beats = _annotations((Path(folder) / f"{name}.atr").read_bytes())
    shockable, left_out = [], []
    for (begins, text), (ends, _) in zip(rhythms, rhythms[1:] + [(1e9, "")]):
        if text == "(VFL":
            shockable.append((begins, ends))
        elif text == "(VT":
            inside = [at for at in beats if begins - 0.1 <= at < ends - 0.1]
            rate = 60 / np.median(np.diff(inside)) if len(inside) > 2 else 0
            if rate >= FAST_PER_MINUTE:
                (shockable if ends - begins >= LASTING_S else left_out).append((begins, ends))
    # The edges of a stretch are neither.
    edges = [(at - 1.0, at + 0.5) for stretch in shockable for at in stretch]
    return shockable, left_out + edges


def label(starts, length, shockable, left_out):
    """For windows of `length` s from `starts` on: 1 within a shockable stretch, 0 outside all, −1 in between."""
    ends = starts + length
    inside = np.zeros(len(starts), bool)
    touched = np.zeros(len(starts), bool)
    for begin, end in shockable:
        inside |= (starts >= begin) & (ends <= end)
        touched |= (starts < end) & (ends > begin)
    for begin, end in left_out:
        touched |= (starts < end) & (ends > begin)
    return np.where(inside, 1, np.where(touched, -1, 0))


def _annotations(content):
    """((seconds, text) of rhythm changes, seconds of ventricular beats)."""
    words = np.frombuffer(content, "<u2")
    rhythms, beats, sample, at, code = [], [], 0, 0, 0
    while at < len(words):
        kind, step = int(words[at]) >> 10, int(words[at]) & 0x3FF
        at += 1
        if kind == 0 and step == 0:
            break
        if kind == _SKIP:
            jump = (int(words[at]) << 16) | int(words[at + 1])
            sample += jump - (1 << 32) if jump >= 1 << 31 else jump
            at += 2
        elif kind == _AUX:
            text = words[at:at + (step + 1) // 2].tobytes()[:step].decode("ascii").rstrip("\0")
            at += (step + 1) // 2
            if code == _RHYTHM:
                rhythms.append((sample / _HZ, text))
        elif kind not in (_NUM, _SUB, _CHN):
            sample += step
            code = kind
            if code in _VENTRICULAR:
                beats.append(sample / _HZ)
    return rhythms, beats
