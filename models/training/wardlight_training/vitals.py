"""The vitals of the deterioration model: order, units, accepted ranges.

The Rust crate repeats this table (`models/src/deterioration/vitals.rs`); the golden vectors hold the two together.
"""

from dataclasses import dataclass

MAX_HOURS = 48
"""Hours of history the model looks at, newest last."""

MIN_HOURS = 6
"""Shortest history the model was trained and evaluated on."""


@dataclass(frozen=True)
class Vital:
    """One vital. Values outside `low..=high` count as absent."""

    name: str
    short: str
    unit: str
    low: float
    high: float


# Ranges: what the instrument can report (adult heart rate 15-300, respiration up to 200), narrowed where the training
# data hold obvious dirt: a respiration of 0, pressures of an unzeroed or flushed transducer, room-temperature probes.
# Design choices; a hospital must ratify them.
VITALS = (
    Vital("heart_rate", "hr", "/min", 15.0, 300.0),
    Vital("resp_rate", "rr", "/min", 1.0, 200.0),
    Vital("systolic", "sbp", "mm[Hg]", 25.0, 290.0),
    Vital("diastolic", "dbp", "mm[Hg]", 10.0, 250.0),
    Vital("mean_arterial", "map", "mm[Hg]", 15.0, 270.0),
    Vital("temperature", "temp", "Cel", 28.0, 43.0),
)

HR, RR, SBP, DBP, MAP, TEMP = range(6)

MIN_PULSE_PRESSURE = 10.0
"""mmHg. An arterial triple with less is a flushed or damped line and is dropped."""
