"""Annotations of the MIT-BIH Arrhythmia Database, grouped as ANSI/AAMI EC57 does."""

from pathlib import Path

import numpy as np

LICENCE = "Open Data Commons Attribution License v1.0 (ODC-By 1.0)"
ATTRIBUTION = "MIT-BIH Arrhythmia Database 1.0.0, PhysioNet, doi:10.13026/C2F305 (Moody and Mark 2001)"
DS1 = ("101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230").split()
HZ = 360
CLASSES = ("N", "S", "V", "F", "Q")
# WFDB annotation codes: N L R e j | A a J S | V E | F | / f Q
_CODES = {1: 0, 2: 0, 3: 0, 34: 0, 11: 0, 8: 1, 4: 1, 7: 1, 9: 1, 5: 2, 10: 2, 6: 3, 12: 4, 38: 4, 13: 4}
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
NORMAL, ABERRATED, VENTRICULAR, ATRIAL = 1, 4, 5, 8
FLUTTER_BEGINS, FLUTTER_ENDS = 32, 33
# The beat was found if it was annotated within 150 ms (ANSI/AAMI EC57).
MATCH_S = 0.15


def annotations(folder, name):
    """(seconds, code) of every annotation of a record."""
    words = np.frombuffer((Path(folder) / f"{name}.atr").read_bytes(), "<u2")
    found, sample, at = [], 0, 0
    while at < len(words):
        code, step = int(words[at]) >> 10, int(words[at]) & 0x3FF
        at += 1
        if code == 0 and step == 0:
            break
        if code == _SKIP:
            jump = (int(words[at]) << 16) | int(words[at + 1])
            sample += jump - (1 << 32) if jump >= 1 << 31 else jump
            at += 2
        elif code == _AUX:
            at += (step + 1) // 2
        elif code not in (_NUM, _SUB, _CHN):
            sample += step
            found.append((sample / HZ, code))
    return found


def signals(folder, name):
    """The two leads of a record, `[2, samples]`, as stored (format 212)."""
    first, middle, last = np.fromfile(Path(folder) / f"{name}.dat", np.uint8).reshape(-1, 3).astype(int).T
    stored = np.stack([first | (middle & 0x0F) << 8, last | (middle & 0xF0) << 4])
    return (stored + 2048) % 4096 - 2048


def leads(folder, name):
    """Names of the leads."""
    return [line.split()[-1] for line in (Path(folder) / f"{name}.hea").read_text().splitlines()[1:3]]


def encoded(samples, codes):
    """An annotation file of beats at ascending samples less than 1024 apart from each other."""
    steps = np.diff(samples, prepend=0)
    return (np.append((np.array(codes) << 10) | steps, 0)).astype("<u2").tobytes()


def beats(folder, name):
    """Times in seconds and annotation codes of the annotated beats."""
    times, codes = zip(*((at, code) for at, code in annotations(folder, name) if code in _CODES))
    return np.array(times), np.array(codes)


def aami(codes):
    """AAMI classes of annotation codes; −1 stays −1."""
    return np.array([_CODES[code] if code >= 0 else -1 for code in codes])


def match(times, truth_times, truth_codes):
    """Code of the beats found at `times` (ascending), -1 for one that was not annotated. One to one, nearest first."""
    labels = np.full(len(times), -1)
    at = np.searchsorted(truth_times, times)
    pairs = []
    for beat, next_ in enumerate(at):
        for truth in range(max(next_ - 1, 0), min(next_ + 1, len(truth_times))):
            gap = abs(times[beat] - truth_times[truth])
            if gap <= MATCH_S:
                pairs.append((gap, beat, truth))
    taken = set()
    for _, beat, truth in sorted(pairs):
        if labels[beat] < 0 and truth not in taken:
            labels[beat] = truth_codes[truth]
            taken.add(truth)
    return labels


def person(folder, name):
    """Age in years (None if not known) and sex, from the comments of the header."""
    for line in (Path(folder) / f"{name}.hea").read_text().splitlines():
        if line.startswith("#"):
            age, sex = line.lstrip("# ").split()[:2]
            return (int(age) if int(age) > 0 else None), sex
    return None, "?"
