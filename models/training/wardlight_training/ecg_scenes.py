"""Rhythms for synthetic records: intervals, kinds of beats and P waves, drawn at random.

Early beats, runs and pauses are as textbooks describe them; the shares are a choice, so that every patient shows enough of each.
"""

from dataclasses import dataclass

import numpy as np

N, S, V = range(3)
BEATS = 450
# Shortest and longest interval: 180 and 25 a minute.
SHORTEST_S, LONGEST_S = 0.33, 2.4


@dataclass
class Beat:
    """One beat of a rhythm."""

    interval_s: float  # from the beat before
    kind: int = N
    p: float = 1.0  # its P wave as a multiple of the usual one
    p_later: int = 0  # samples by which the P wave is later
    height: float = 1.0


class _Rhythm:
    """Beats one after the other on a sinus that breathes and drifts."""

    def __init__(self, rng, interval_s, breathing):
        self.rng, self.beats = rng, []
        self.base = interval_s * rng.uniform(0.8, 1.15)
        self.breathing, self.breath_s = breathing, rng.uniform(3, 7)
        self.drift, self.time = 0.0, 0.0

    def full(self):
        return len(self.beats) >= BEATS

    def add(self, interval_s, **other):
        interval_s = float(np.clip(interval_s, SHORTEST_S, LONGEST_S))
        self.time += interval_s
        self.beats.append(Beat(interval_s, **other))

    def sinus(self):
        """The next interval of the sinus."""
        self.drift = 0.99 * self.drift + self.rng.normal(0, 0.012)
        wave = self.breathing * np.sin(2 * np.pi * self.time / self.breath_s)
        return self.base * (1 + wave + self.drift + self.rng.normal(0, 0.012))

    def normal(self, count):
        for _ in range(count):
            self.add(self.sinus())

    def ventricular(self):
        """One, a pair, a bigeminy, a run, or one between two beats that come as if nothing had been."""
        form = self.rng.choice(["one", "one", "one", "pair", "bigeminy", "run", "between"])
        if form == "between":
            early = self.rng.uniform(0.45, 0.55)
            whole = self.sinus()
            self.add(whole * early, kind=V)
            self.add(whole * (1 - early) * 1.05)
            return
        for _ in range(self.rng.integers(4, 12) if form == "bigeminy" else 1):
            early = self.rng.uniform(0.5, 0.85)
            self.add(self.sinus() * early, kind=V)
            for _ in range({"pair": 1, "run": self.rng.integers(2, 8)}.get(form, 0)):
                self.add(self.base * self.rng.uniform(0.45, 0.65), kind=V)
            self.add(self.sinus() * (2 - early) * self.rng.uniform(0.92, 1.05))


def _fibrillation(rng, interval_s):
    """No P wave, intervals without order."""
    rhythm = _Rhythm(rng, float(np.clip(interval_s, 0.55, 1.0)), 0.0)
    while not rhythm.full():
        spread, pace = rng.uniform(0.13, 0.3), rng.uniform(0.75, 1.15)
        for _ in range(rng.integers(40, 120)):
            interval = rhythm.base * pace * rng.gamma(1 / spread**2, spread**2)
            if rng.random() < 0.04:
                rhythm.add(rhythm.base * pace * rng.uniform(0.45, 0.75), kind=V)
                interval = max(interval, rhythm.base * pace * rng.uniform(0.9, 1.3))
            rhythm.add(interval, p=0.0)
    height, hz = rng.uniform(0.01, 0.06, (2, 1)), rng.uniform(4.5, 8.0)

    def wave(rng, length):
        time = np.arange(length) / 360
        phase = 2 * np.pi * (hz * time + 0.6 * np.sin(2 * np.pi * 0.31 * time) + np.cumsum(rng.normal(0, 0.02, length)))
        return height * (np.sin(phase) + 0.4 * np.sin(2 * phase + 1))

    return rhythm.beats, wave


def _ectopy(rng, interval_s):
    """Early supraventricular beats of one focus: single, in pairs, in runs, in bigeminy."""
    rhythm = _Rhythm(rng, interval_s, rng.uniform(0.01, 0.06))
    focus = rng.choice([0.0, rng.uniform(-1.2, -0.4), rng.uniform(0.3, 1.8)])
    later, coupling = int(rng.integers(-12, 13)), rng.uniform(0.5, 0.82)

    def early(interval):
        rhythm.add(interval, kind=S, p=focus + rng.normal(0, 0.1), p_later=later, height=rng.uniform(0.92, 1.06))

    def follow():
        rhythm.add(rhythm.sinus() * rng.uniform(1.0, 1.25))

    while not rhythm.full():
        rhythm.normal(rng.integers(4, 25))
        form = rng.choice(["one", "one", "one", "pair", "run", "bigeminy", "blocked", "ventricular"])
        lead_in = lambda: rhythm.sinus() * float(np.clip(coupling + rng.normal(0, 0.06), 0.45, 0.9))
        if form == "ventricular":
            rhythm.ventricular()
        elif form == "blocked":
            rhythm.add(rhythm.sinus() * rng.uniform(1.3, 1.8))
        elif form == "bigeminy":
            between = rng.integers(0, 3)
            for _ in range(rng.integers(4, 14)):
                early(lead_in())
                follow()
                rhythm.normal(between)
        else:
            early(lead_in())
            fast = rng.uniform(0.48, 0.78)
            for _ in range({"pair": 1, "run": rng.integers(2, 22)}.get(form, 0)):
                early(rhythm.base * fast * (1 + rng.normal(0, 0.03)))
            follow()
    return rhythm.beats, _silence


def _sinus(rng, interval_s):
    """Nothing supraventricular is early here: breathing moves the intervals, beats drop out, the rate changes."""
    rhythm = _Rhythm(rng, interval_s, rng.uniform(0.04, 0.18))
    while not rhythm.full():
        rhythm.normal(rng.integers(5, 40))
        form = rng.choice(["dropped", "faster", "breathing", "ventricular", "ventricular"])
        if form == "dropped":
            for _ in range(rng.integers(1, 4)):
                rhythm.add(rhythm.sinus() * rng.uniform(1.4, 2.1))
                rhythm.normal(rng.integers(1, 6))
        elif form == "faster":
            rhythm.base = interval_s * rng.uniform(0.7, 1.25)
        elif form == "breathing":
            rhythm.breathing, rhythm.breath_s = rng.uniform(0.02, 0.2), rng.uniform(2.5, 8)
        else:
            rhythm.ventricular()
    return rhythm.beats, _silence


def _silence(_rng, length):
    return np.zeros((2, length))


SCENES = {"fibrillation": _fibrillation, "ectopy": _ectopy, "sinus": _sinus}
