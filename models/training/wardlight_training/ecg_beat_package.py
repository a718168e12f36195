"""Manifest, golden vectors, drift reference and card of the package `ecg-beat`."""

import hashlib
import json

import numpy as np

from . import ecg_evaluation as evaluation
from . import ecg_export, ecg_network, ecg_scenes, ecg_synthetic, ecg_training, mitdb, reference
from .ecg_rows import CHANNELS, RHYTHM_NAMES, WINDOW

ID = "ecg-beat"
VERSION = "1.0.0"
# Golden rows for each class and record.
GOLDEN_ROWS = 3
# Numbers of the rhythm that say whether the signal is one. The middle bin is wide enough for any patient, fast, slow or paced; what a wrong
# sampling rate, mains or a clipped front end does lies outside.
WATCHED = {"before_usual": [-4, -1.5, 1.05, 4], "own_qrs_width": [0, 0.39, 1.25, 4], "roughness": [0, 0.12, 1.6, 4]}
DECISIONS = ("accuracy", "κ", "jκ", "S sensitivity", "S precision", "V sensitivity", "V precision")


def manifest(result, seed, files):
    """The manifest as nested tables; `files` maps names to bytes."""
    judged = result["int8"]
    return {
        "format": 2, "id": ID, "version": VERSION,
        "summary": "AAMI class of a beat, from its shape in one lead and the intervals around it",
        "input": [
            {"name": ecg_export.INPUTS[0], "shape": ["batch", CHANNELS, WINDOW], "unit": "bent height of the patient's own QRS"},
            {"name": ecg_export.INPUTS[1], "shape": ["batch", len(RHYTHM_NAMES)], "unit": "1", "features": list(RHYTHM_NAMES)},
        ],
        "output": {
            "name": ecg_export.OUTPUT, "shape": ["batch", len(mitdb.CLASSES)], "unit": "logit",
            "classes": [name.lower() for name in mitdb.CLASSES],
        },
        "signal": {"sampling_hz": 125.0},
        "thresholds": {},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "training": {
            "script": "models/training/ecg-beat.py", "data": ["MIT-BIH Arrhythmia Database 1.0.0, DS1"], "licence": [mitdb.LICENCE],
            "attribution": mitdb.ATTRIBUTION, "label": "AAMI class of each beat",
            "split": f"cross-validation by record (patient) in {ecg_training.FOLDS} folds; shipped weights from all of DS1", "seed": seed,
        },
        "metrics": {
            "judged_on": "records held out in cross-validation over DS1",
            **{key: round(judged["all"][key], 4) for key in ("accuracy", "kappa", "j", "j_kappa")},
            "sensitivity": _by_class(judged["all"]["sensitivity"]), "precision": _by_class(judged["all"]["precision"]),
        },
        "agreement": {key: round(value, 6) for key, value in result["agreement"].items()},
    }


def golden(rows, ensemble, network, people, seed):
    """Rows of DS1 of every class and record with what must come out. Values are rounded: they are inputs, not measurements."""
    rng = np.random.default_rng(seed)
    chosen = []
    for record in range(len(mitdb.DS1)):
        for label in range(len(mitdb.CLASSES)):
            own = np.flatnonzero((rows.record == record) & (rows.label == label))
            chosen += rng.permutation(own)[:GOLDEN_ROWS].tolist()
    some = rows[np.sort(chosen)]
    some.window, some.rhythm = np.round(some.window, 3).astype(np.float32), np.round(some.rhythm, 3).astype(np.float32)
    floats, stored = ecg_training.logits(ensemble, some), network.logits(some.window, some.rhythm)
    vectors = []
    for i in range(len(some.label)):
        age, sex = people[some.record[i]]
        groups = {"class": mitdb.CLASSES[some.label[i]].lower(), "sex": sex, "age": age_band(age)}
        vectors.append(json.dumps({
            "name": f"{mitdb.DS1[some.record[i]]} at {some.time[i]:.1f} s, lead {some.lead[i]}", "groups": groups,
            "inputs": [_shorts(some.window[i].ravel()), _shorts(some.rhythm[i])],
            "float_logits": _shorts(floats[i]), "int8_logits": _shorts(stored[i]),
        }))
    return '{"vectors": [\n' + ",\n".join(vectors) + "\n]}\n"


def age_band(age):
    """The subgroup of an age in years."""
    return "unknown" if age is None else "under 65" if age < 65 else "65 and over"


def drift_reference(rows, called):
    """For drift: quantiles of every rhythm feature over beats, histograms of those that are watched, and the shares of the classes that
    the model calls."""
    shares = np.bincount(called, minlength=len(mitdb.CLASSES)) / len(called)
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    quantiles = np.quantile(rows.rhythm, levels, axis=0).T
    watched = {name: reference.inputs(rows.rhythm[:, RHYTHM_NAMES.index(name)], edges) for name, edges in WATCHED.items()}
    return reference.dump({
        "patients": len(np.unique(rows.record)),
        "quantile_levels": levels,
        "rhythm": {name: [round(float(v), 4) for v in row] for name, row in zip(RHYTHM_NAMES, quantiles)},
        "called": {name.lower(): round(float(share), 5) for name, share in zip(mitdb.CLASSES, shares)},
        "histograms": watched,
    })


def card(result, seed, people):
    """The model card. Every figure in it comes from the evaluation; none is typed by hand."""
    parts = (_head(seed), _overall(result), _table(result), _records(result, people), _groups(result, people), _agreement(result), _limits())
    return "\n\n".join(parts) + "\n"


def _head(seed):
    t = ecg_training
    return f"""# {ID} {VERSION}

AAMI class (N, S, V, F, Q) of each beat that Wardlight's own detector finds, from the beat's shape in one lead, the patient's own
beat, the beat before, and the intervals around it. With several leads the mean of their logits counts. Known when the next beat is
known, two seconds after the beat at the latest. Written by `models/training/ecg-beat.py`, seed {seed}.

**Use.** A second witness beside the rules of `wardlight_core::rhythm`. Runs of ventricular beats may raise an alarm; it never silences or delays one.

**Network.** Networks whose logits are averaged in one graph: {t.MEMBERS}. Each has five convolutions over three windows of {WINDOW} samples (125 Hz) beside a
dense layer over {len(RHYTHM_NAMES)} numbers of the rhythm. {t.STEPS} steps of {ecg_network.BATCH} rows each. Static int8, all scales powers of two.

**Data.** {mitdb.ATTRIBUTION}; {mitdb.LICENCE}. The 22 records of DS1 (one patient each): {", ".join(mitdb.DS1)}.
DS2 was never seen. Labels: the database's annotations, matched within {mitdb.MATCH_S * 1000:.0f} ms to the beats of our detector; beats that it missed or made up are in
no figure below (see docs/rhythm.md for those).

**Synthetic records.** In training only, each record also counts in {len(ecg_synthetic.SCENES) * ecg_synthetic.TAKES} synthetic ones of {ecg_scenes.BEATS} beats: its own beats set down in atrial
fibrillation (N), in supraventricular ectopy with single early beats, runs and bigeminy (S), and in a sinus rhythm that breathes and
drops beats (N), with ventricular beats of its own or of a record that is held out with it. No figure is measured on them.

**How it was judged.** {t.FOLDS}-fold cross-validation by record, with the whole training repeated for each fold: every figure below is about records
that the weights in question did not see. Counted from {evaluation.LEARNING_S / 60:.0f} min on. Intervals: 95 % percentile bootstrap over records ({evaluation.DRAWS} draws). Features and recipe
were chosen with these folds in view. The shipped weights are trained on all 22 records."""


def _overall(result):
    lines = ["## Unseen records of DS1", "", "| | " + " | ".join(DECISIONS) + " |", "|---" * (len(DECISIONS) + 1) + "|"]
    names = {"int8": "**int8, all leads**", "float": "float, all leads", "lead 0": "int8, lead 0 alone", "lead 1": "int8, lead 1 alone"}
    for key, name in names.items():
        judged = result[key]
        cells = [f"{v:.3f} ({a:.3f}–{b:.3f})" for v, a, b in zip(judged["values"], judged["low"], judged["high"])]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    cells = [f"{v:.3f}" for v in result["boosting"]["values"]]
    lines.append("| gradient boosting on the numbers of the rhythm, all leads | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _table(result):
    lines = ["| int8, beats | called " + " | ".join(mitdb.CLASSES) + " | sensitivity | precision |", "|---" * 8 + "|"]
    every = result["int8"]["all"]
    for i, name in enumerate(mitdb.CLASSES):
        cells = [str(n) for n in result["int8"]["table"][i]]
        lines.append(f"| is {name} | " + " | ".join(cells) + f" | {_share(every['sensitivity'][i])} | {_share(every['precision'][i])} |")
    return "\n".join(lines)


def _records(result, people):
    lines = ["## By record", "", "| record | age | sex | beats | accuracy | jκ | S Se | S PPV | V Se | V PPV |", "|---" * 10 + "|"]
    for number, found in result["int8"]["records"].items():
        age, sex = people[number]
        se, ppv = found["sensitivity"], found["precision"]
        cells = [_share(v) for v in (found["accuracy"], found["j_kappa"], se[1], ppv[1], se[2], ppv[2])]
        lines.append(f"| {mitdb.DS1[number]} | {age or '?'} | {sex} | {found['beats']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _groups(result, people):
    lines = ["## By sex and age", "", "| | records | accuracy | S Se | S PPV | V Se | V PPV |", "|---" * 7 + "|"]
    bands = {"female": lambda a, s: s == "F", "male": lambda a, s: s == "M"}
    bands |= {band: lambda a, s, band=band: age_band(a) == band for band in ("under 65", "65 and over")}
    for name, belongs in bands.items():
        chosen = [r for r in result["int8"]["records"] if belongs(*people[r])]
        found = evaluation.group(result["int8"], chosen)
        cells = [_share(v) for v in (found["accuracy"], found["sensitivity"][1], found["precision"][1], found["sensitivity"][2], found["precision"][2])]
        lines.append(f"| {name} | {len(chosen)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _agreement(result):
    a = result["agreement"]
    return f"""## Float against int8

On the held-out records: mean gap of a probability {a["mean_probability_gap"]:.4f}, 99th percentile {a["p99_probability_gap"]:.4f}, largest {a["max_probability_gap"]:.4f}; the same class for {100 * a["same_class_share"]:.2f} % of the beats."""


def _limits():
    return """## Where it must not be used

- Under 18 years: nothing here was measured on children.
- Paced rhythm: paced beats are called N or V; class Q is hardly ever called.
- To tell fusion beats: class F is hardly ever called; they count as N or V.
- To diagnose atrial fibrillation or a supraventricular tachycardia: single early beats are what it knows. In fibrillation, and in long
  runs, S and N are confused; the table above shows the records where.
- During ventricular fibrillation or flutter, where there are no beats.
- Where the ECG is disturbed: the rhythm analysis says so, and no beat is to be believed then.
- As the only witness: 22 patients of the 1970s are few, and the intervals above are wide."""


def _by_class(values):
    return {name.lower(): round(v, 4) for name, v in zip(mitdb.CLASSES, values) if np.isfinite(v)}


def _share(value):
    return "–" if not np.isfinite(value) else f"{value:.3f}"


def _shorts(values):
    """The shortest decimals that read back as the same f32."""
    return [float(str(v)) for v in np.asarray(values, np.float32)]
