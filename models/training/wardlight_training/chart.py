"""What the whole chart of a stay says, laboratory values, consciousness and urine included: only the teacher reads it."""

import numpy as np

STATIC = ("Gender", "Height", "ICUType")
CHARTED = (
    "HR", "RespRate", "Temp", "SysABP", "DiasABP", "MAP", "NISysABP", "NIDiasABP", "NIMAP", "GCS", "FiO2", "SaO2", "PaO2",
    "PaCO2", "pH", "Urine", "Weight", "MechVent", "Albumin", "ALP", "ALT", "AST", "Bilirubin", "BUN", "Cholesterol",
    "Creatinine", "Glucose", "HCO3", "HCT", "K", "Lactate", "Mg", "Na", "Platelets", "TroponinI", "TroponinT", "WBC",
)
SECOND_DAY = 24
"""Hour at which it begins."""


def summary(rows):
    """One row of numbers (f32, NaN = absent) of a stay's (time, parameter, value); -1 stands for unknown."""
    static, charted = {}, {name: [] for name in CHARTED}
    for time, name, value in rows:
        if value >= 0 and name in STATIC:
            static.setdefault(name, value)
        elif value >= 0 and name in charted:
            charted[name].append((int(time[:2]), value))
    columns = [static.get(name, np.nan) for name in STATIC]
    for values in charted.values():
        columns += _statistics(values)
    urine = charted["Urine"]
    columns += [sum(v for _, v in urine), sum(v for hour, v in urine if hour >= SECOND_DAY)]
    return np.array(columns, np.float32)


def _statistics(values):
    """First, last, smallest, largest, mean, mean of the second day, count."""
    if not values:
        return [np.nan] * 6 + [0.0]
    x = np.array([v for _, v in values])
    late = np.array([v for hour, v in values if hour >= SECOND_DAY])
    return [x[0], x[-1], x.min(), x.max(), x.mean(), late.mean() if len(late) else np.nan, float(len(x))]
