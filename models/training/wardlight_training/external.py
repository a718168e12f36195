"""Reads the harmonised eICU-CRD and MIMIC-III demo cohorts (24 h, hospital mortality) as hourly vitals."""

from pathlib import Path

import numpy as np
import pandas as pd

from .vitals import VITALS

SOURCES = {"eicu_demo": "eICU-CRD Demo 2.0.1", "mimic_demo": "MIMIC-III Demo 1.4"}
COLUMNS = ["hr", "resp", "sbp", "dbp", "map", "temp"]
HOURS = 24
LICENCE = "ODbL 1.0, harmonised by YAIB"
OLDEST = 90.0
"""Set A stops at 90 years; older ages in the demos stand for "over 89"."""


def read(folder, source):
    """(age [n], hours [n, 24, 6], died [n]) of one cohort."""
    folder = Path(folder) / "mortality24" / source
    series, outcome, static = (pd.read_parquet(folder / f"{f}.parquet") for f in ("dyn", "outc", "sta"))
    outcome = outcome.set_index("stay_id")["label"]
    age = static.set_index("stay_id")["age"].loc[outcome.index].to_numpy(float)
    place = {stay: i for i, stay in enumerate(outcome.index)}
    hours = np.full((len(outcome), HOURS, len(VITALS)), np.nan)
    when = (series["time"].dt.total_seconds() // 3600).astype(int).to_numpy()
    for stay, hour, values in zip(series["stay_id"], when, series[COLUMNS].to_numpy(float)):
        if 0 <= hour < HOURS:
            hours[place[stay], hour] = values
    return np.minimum(age, OLDEST), hours, outcome.to_numpy(int)
