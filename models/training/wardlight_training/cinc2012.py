"""Reads PhysioNet/CinC Challenge 2012 set A into hourly vitals, as a bedside would have them."""

import csv
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import chart
from .vitals import DBP, HR, MAP, MAX_HOURS, MIN_PULSE_PRESSURE, RR, SBP, TEMP, VITALS

ATTRIBUTION = (
    "Silva I, Moody G, Scott DJ, Celi LA, Mark RG. Predicting In-Hospital Mortality of ICU Patients: The "
    "PhysioNet/Computing in Cardiology Challenge 2012. Computing in Cardiology 39:245-248 (2012). "
    "Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23):e215-e220 (2000)."
)
LICENCE = "ODC-By 1.0"

SINGLE = {"HR": HR, "RespRate": RR, "Temp": TEMP}
INVASIVE = {"SysABP": SBP, "DiasABP": DBP, "MAP": MAP}
CUFF = {"NISysABP": SBP, "NIDiasABP": DBP, "NIMAP": MAP}
ICU_TYPES = {1: "coronary care", 2: "cardiac surgery recovery", 3: "medical", 4: "surgical"}


@dataclass
class Stays:
    """`hours` is [stays, 48, 6] hourly means, NaN where nothing valid was charted; one row per stay elsewhere.

    `chart` [stays, columns] sums up the whole stay, laboratory values and all: for the teacher alone, never for a prediction.
    """

    ids: np.ndarray
    hours: np.ndarray
    age: np.ndarray
    sex: np.ndarray
    icu: np.ndarray
    saps: np.ndarray
    died: np.ndarray
    chart: np.ndarray
    rejected: int

    def take(self, index):
        """The stays at `index`, in that order."""
        return Stays(self.ids[index], self.hours[index], self.age[index], self.sex[index], self.icu[index],
                     self.saps[index], self.died[index], self.chart[index], self.rejected)


def read(folder):
    """All stays of set A that have an outcome, ordered by record id. The tar is read in place."""
    folder = Path(folder)
    with open(folder / "Outcomes-a.txt", newline="", encoding="ascii") as file:
        outcomes = {int(row["RecordID"]): row for row in csv.DictReader(file)}
    records = {}
    with tarfile.open(folder / "set-a.tar.gz") as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(".txt"):
                text = tar.extractfile(member).read().decode("ascii")
                records[int(Path(member.name).stem)] = _parse(text)
    ids = np.array(sorted(set(records) & set(outcomes)))
    hourly = [_hourly(records[i]) for i in ids]
    static = [_static(records[i]) for i in ids]
    return Stays(
        ids=ids,
        hours=np.stack([h for h, _ in hourly]),
        age=np.array([s.get("Age", np.nan) for s in static]),
        sex=np.array([s.get("Gender", -1.0) for s in static]),
        icu=np.array([int(s["ICUType"]) for s in static]),
        saps=np.array([_known(float(outcomes[i]["SAPS-I"])) for i in ids]),
        died=np.array([int(outcomes[i]["In-hospital_death"]) for i in ids]),
        chart=np.stack([chart.summary(records[i]) for i in ids]),
        rejected=sum(r for _, r in hourly),
    )


def _parse(text):
    rows = []
    for line in text.splitlines()[1:]:
        time, name, value = line.split(",")
        rows.append((time, name, float(value)))
    return rows


def _static(rows):
    """Age, sex and unit, charted at 00:00; -1 stands for unknown."""
    known = {}
    for time, name, value in rows:
        if time == "00:00" and name in ("Age", "Gender", "ICUType") and value >= 0:
            known.setdefault(name, value)
    return known


def _known(value):
    """The outcomes file writes -1 for unknown."""
    return value if value >= 0 else np.nan


def _hourly(rows):
    """Hourly means [48, 6] and the number of measurements rejected. Within an hour the arterial line wins over the cuff."""
    moments, rejected = {}, 0
    for time, name, value in rows:
        for source, table in ((0, SINGLE), (1, INVASIVE), (2, CUFF)):
            if name in table:
                vital = table[name]
                if VITALS[vital].low <= value <= VITALS[vital].high:
                    moments.setdefault((time, source), {})[vital] = value
                else:
                    rejected += 1
    cells = {}
    for (time, source), values in moments.items():
        if source and not _pressure_is_consistent(values):
            rejected += len(values)
            continue
        hour = min(int(time[:2]), MAX_HOURS - 1)
        for vital, value in values.items():
            cells.setdefault((hour, vital), {}).setdefault(source, []).append(value)
    grid = np.full((MAX_HOURS, len(VITALS)), np.nan)
    for (hour, vital), by_source in cells.items():
        values = by_source[min(by_source)]
        grid[hour, vital] = sum(values) / len(values)
    return grid, rejected


def _pressure_is_consistent(values):
    """Diastolic < mean < systolic, and a pulse pressure that a living, undamped line can show."""
    systolic, diastolic, mean = values.get(SBP), values.get(DBP), values.get(MAP)
    if systolic is not None and diastolic is not None and systolic - diastolic < MIN_PULSE_PRESSURE:
        return False
    if mean is not None and systolic is not None and mean >= systolic:
        return False
    return not (mean is not None and diastolic is not None and mean <= diastolic)
