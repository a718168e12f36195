"""Synthetic records for the training of `ecg-beat`: each record's own beats in rhythms that it does not show.

DS1 has early supraventricular beats in few patients, and atrial fibrillation in two. Here every patient gets both: its beats are cut
out and set down again in the rhythm of a scene (`ecg_scenes.py`), with another P wave or none. A synthetic record is held out
together with the record that it is made of, and no figure is ever measured on one.
"""

import numpy as np
from scipy.ndimage import median_filter, uniform_filter1d

from . import ecg_scenes, mitdb
from .mitdb import HZ

SCENES = tuple(ecg_scenes.SCENES)
# Times that each scene is drawn.
TAKES = 2
# Annotation codes of what is set down.
_CODE = {ecg_scenes.N: mitdb.NORMAL, ecg_scenes.S: mitdb.ATRIAL, ecg_scenes.V: mitdb.VENTRICULAR}
# Samples at 360 Hz: medians that take the QRS and the T wave out (de Chazal 2004); a beat with its P and T wave, a ventricular one,
# the P wave itself, and the slope at the ends of a cut.
_SHORT, _LONG, _SMOOTH = 73, 217, 361
_BEFORE, _BEFORE_V, _AFTER = 101, 47, 190
_P = slice(0, _BEFORE - 25)
_SLOPE = 12
# What a beat must keep from its neighbours to be cut out, and what remains for the next one's P wave.
_ALONE, _FREE = 0.55, 0.75
_NEXT = 97
# A record is a donor of ventricular beats from this many on.
_LEAST_VENTRICULAR = 5
_GAIN = 200


def make(data, folder, seed, groups):
    """Writes every scene of every record of DS1 as a WFDB record `folder/NAME`, see [`names`]; those that are there are kept.

    Ventricular beats come from the record itself or from another one of its group in `groups`, records that are held out together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for group in groups:
        wanted = [(record, scene, take) for record in group for scene, take in np.ndindex(len(SCENES), TAKES)]
        if all((folder / f"{name(*place)}.hea").exists() for place in wanted):
            continue
        patients = {record: _Patient(data, mitdb.DS1[record]) for record in group}
        donors = [patient for patient in patients.values() if len(patient.ventricular) >= _LEAST_VENTRICULAR]
        for record, scene, take in wanted:
            rng = np.random.default_rng([seed, record, scene, take])
            beats, wave = ecg_scenes.SCENES[SCENES[scene]](rng, patients[record].interval_s)
            played = patients[record].play(rng, beats, wave, donors[rng.integers(len(donors))])
            _write(folder, name(record, scene, take), patients[record].leads, *played)


def names():
    """Number in DS1, scene, and name of every synthetic record."""
    return [(*place[:2], name(*place)) for place in np.ndindex(len(mitdb.DS1), len(SCENES), TAKES)]


def name(record, scene, take):
    """Name of the synthetic record that is made of record number `record` of DS1."""
    return f"{mitdb.DS1[record]}-{SCENES[scene]}-{take}"


class _Patient:
    """The beats of one record, ready to be set down elsewhere."""

    def __init__(self, data, record):
        raw = mitdb.signals(data, record).astype(np.float32)
        self.leads = mitdb.leads(data, record)
        baseline = np.stack([median_filter(median_filter(lead, _SHORT), _LONG) for lead in raw])
        self.wander = uniform_filter1d(baseline, _SMOOTH, axis=1)
        self.level = raw - baseline
        times, codes = mitdb.beats(data, record)
        at, classes = np.rint(times * HZ).astype(int), mitdb.aami(codes)
        gaps = np.diff(at, prepend=at[0] - HZ, append=at[-1] + HZ)
        before, after = gaps[:-1], gaps[1:]
        usual = np.median(gaps[1:-1][(classes[1:] == 0) & (classes[:-1] == 0)])
        inside = (at > _BEFORE) & (at < raw.shape[1] - _AFTER)
        own = inside & (classes == 0) & (before > _ALONE * usual) & (after > _FREE * usual)
        # Sample of the QRS, and samples from there on before the next beat begins.
        self.own = np.stack([at, after - _NEXT], 1)[own]
        self.ventricular = np.stack([at, after - _NEXT], 1)[inside & (codes == mitdb.VENTRICULAR) & (after > _FREE * usual)]
        self.interval_s = usual / HZ
        self.mean = np.mean([self.level[:, q - _BEFORE:q + _AFTER] for q, _ in self.own], 0)
        self.height = np.ptp(self.mean, axis=1, keepdims=True)
        self.noise = np.median(np.abs(np.diff(self.level, axis=1)), axis=1, keepdims=True)

    def play(self, rng, beats, wave, donor):
        """Sets `beats` down; returns signals `[2, samples]`, samples of the beats and their codes."""
        at = HZ + np.cumsum([round(beat.interval_s * HZ) for beat in beats])
        length = at[-1] + 2 * HZ
        signal, there = np.zeros((2, length)), np.zeros(length)
        first, focus = rng.integers(len(self.own)), self._focus(rng, donor)
        for number, (place, beat) in enumerate(zip(at, beats)):
            cut, before = focus() if beat.kind == ecg_scenes.V else self._cut(beat, first + number)
            slope = np.minimum(1, np.arange(1, cut.shape[1] + 1) / _SLOPE)
            weight = slope * slope[::-1]
            to = slice(place - before, place - before + cut.shape[1])
            signal[:, to] += cut * weight
            there[to] += weight
        signal += wave(rng, length) * self.height
        signal += (1 - np.minimum(there, 1)) * self.noise * rng.normal(0, 1, signal.shape)
        return signal + self._wander(rng, length), at, [_CODE[beat.kind] for beat in beats]

    def _wander(self, rng, length):
        """A stretch of the record's own baseline, forth and back."""
        start = rng.integers(self.wander.shape[1] - 1)
        there_and_back = np.concatenate([self.wander, self.wander[:, ::-1]], 1)
        return np.take(there_and_back, np.arange(start, start + length), axis=1, mode="wrap")

    def _focus(self, rng, donor):
        """Draws ventricular beats of `donor` as high as they are by its own beats; one of another patient may be wider and turned over."""
        height = self.height / donor.height
        pace = 1.0
        if donor is not self:
            height *= rng.choice([-1, 1], p=[0.3, 0.7])
            pace = rng.uniform(0.8, 1.15)

        def cut():
            q, room = donor.ventricular[rng.integers(len(donor.ventricular))]
            wave = donor.level[:, q - _BEFORE_V:q + min(room, _AFTER)] * height
            at = np.arange(0, wave.shape[1] - 1, pace)
            return np.stack([np.interp(at, np.arange(wave.shape[1]), lead) for lead in wave]), round(_BEFORE_V / pace)

        return cut

    def _cut(self, beat, number):
        """The wave of one own beat `[2, samples]`, and how many of its samples come before the QRS."""
        q, room = self.own[number % len(self.own)]
        cut = self.level[:, q - _BEFORE:q + min(room, _AFTER)].copy()
        usual = self.mean[:, _P] - np.linspace(self.mean[:, _P.start], self.mean[:, _P.stop], _P.stop, axis=1)
        cut[:, _P] += beat.p * np.roll(usual, beat.p_later, axis=1) - usual
        return cut * beat.height, _BEFORE


def _write(folder, record, leads, signal, at, codes):
    """A WFDB record in format 16, and its annotations."""
    lines = [f"{record} {len(leads)} {HZ} {signal.shape[1]}"]
    lines += [f"{record}.dat 16 {_GAIN} 16 0 0 0 0 {lead}" for lead in leads]
    stored = np.clip(np.rint(signal - signal.mean(1, keepdims=True)), -32000, 32000)
    (folder / f"{record}.dat").write_bytes(stored.T.astype("<i2").tobytes())
    (folder / f"{record}.atr").write_bytes(mitdb.encoded(at, codes))
    (folder / f"{record}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
