"""The model card of `ecg-vf`. Every figure in it comes from the evaluation; none is typed by hand."""

from . import mitdb, vf_labels, vf_network, vf_pipeline
from .vf_labels import FAST_PER_MINUTE, LASTING_S

ATTRIBUTION = (
    f"{mitdb.ATTRIBUTION}; CU Ventricular Tachyarrhythmia Database, PhysioNet (Nolle et al. 1986); "
    "Goldberger et al., PhysioBank, PhysioToolkit, and PhysioNet, Circulation 101(23):e215-e220 (2000)"
)


def write(result):
    """The card in Markdown."""
    return "\n\n".join((_head(result), _figures(result), _records(result), _simulated(result), _quantisation(result), _limits(result), _credit())) + "\n"


def _head(result):
    return f"""# ecg-vf {result["version"]}

Whether the last four seconds of one ECG lead, at 125 Hz, show a rhythm that calls for a shock: ventricular fibrillation, flutter, or
tachycardia of {FAST_PER_MINUTE} a minute and more that lasts {LASTING_S:g} s. Written by `models/training/ecg-vf.py`.

**Use.** A second witness beside the rule of `wardlight_core::rhythm`. It may raise a warning; it never silences or delays a red alarm.

**Network.** {len(vf_network.CONVOLUTIONS)} convolutions, the mean over the window, {len(vf_network.DENSE)} dense layers, {result["weights"]} weights, statically quantized to int8
with scales that are powers of two. Trained for {vf_pipeline.STEPS} steps of {vf_network.BATCH} windows, each disturbed in pace, polarity, gain, noise, wander and motion;
fibrillation shrunk below 0.06 mV counts as not shockable.

**Data.** The 22 records of DS1 of the MIT-BIH Arrhythmia Database, both leads, labelled by its rhythm annotations, and eight extracts of
the Creighton University database, labelled by the table in `wardlight_training/vf_labels.py`: **one engineer, no physician, looked at
the traces**; only the onset in cu01 is annotated. {result["left_out"]} of {result["windows"]} windows could be either, or lie across an edge, and are left out.
Simulated rhythms and motion are {100 * (vf_pipeline.SHARES["simulated shockable"] + vf_pipeline.SHARES["simulated other"]):.0f} % of the training windows, and marked as such.

**Split.** By record: {vf_pipeline.FOLDS} folds, seeds {", ".join(map(str, vf_pipeline.SEEDS))}; every figure below on recordings is by networks that never saw the record. The shipped network
is trained on all records with seed {vf_pipeline.SEEDS[0]}. The disturbances were chosen with these records in view (tremor in 101, the wide rhythm of
cu03), so the figures are those of cross-validation and not of a test set."""


def _figures(result):
    lines = ["## Windows of records left out", "",
             f"Threshold {result['threshold']:g}, chosen on these very windows as the highest of the table below with the sensitivity that was aimed at;",
             "the leads of a record are averaged, as in service. Intervals are 95 % bootstraps over records.", "",
             "| | records | with something shockable | sensitivity | specificity | mean over records |", "|---|---|---|---|---|---|"]
    for name, e in result["groups"].items():
        lines.append(f"| {name} | {e['records']} | {e['shockable_records']} | {_range(e, 'sensitivity')} | {_range(e, 'specificity')} | "
                     f"{_part(e['mean_sensitivity'])} / {_part(e['mean_specificity'])} |")
    single = result["single"]
    lines += ["", f"Each lead by itself: sensitivity {_range(single, 'sensitivity')}, specificity {_range(single, 'specificity')}.", "",
              f"Onset in cu01: called {_seconds(result['onset'])} after it began (windows of 4 s, one a second).", "",
              "| threshold | sensitivity | specificity |", "|---|---|---|"]
    for threshold, e in result["thresholds"].items():
        lines.append(f"| {threshold:g} | {e['sensitivity']:.4f} | {e['specificity']:.4f} |")
    return "\n".join(lines)


def _records(result):
    lines = ["## By record", "", f"Sums over {len(vf_pipeline.SEEDS)} networks. *Left out*: share of the doubtful windows that are called shockable.", "",
             "| record | shockable windows | found | others | called shockable | left out |", "|---|---|---|---|---|---|"]
    for name, (counts, doubtful) in result["records"].items():
        lines.append(f"| {name} | {counts[0]} | {counts[1]} | {counts[2]} | {counts[3]} | {'–' if doubtful is None else f'{doubtful:.2f}'} |")
    return "\n".join(lines)


def _simulated(result):
    e = result["simulated"]
    return f"""## Simulated signals of other seeds, by the shipped network

{e[0]} shockable windows, {e[1]} found; {e[2]} of other rhythms, of motion and of asystole, {e[3]} called shockable. The simulator made the training
signals too, so this says that the network learnt them, no more."""


def _quantisation(result):
    a = result["agreement"]
    return f"""## int8 against float

On all windows of records left out: mean gap in probability {a['mean_probability_gap']:.5f}, 99th percentile {a['p99_probability_gap']:.4f}, largest {a['max_probability_gap']:.4f}; the same
answer in {100 * a['same_answer_share']:.3f} %. Float: sensitivity {result['float']['sensitivity']:.4f}, specificity {result['float']['specificity']:.4f}; int8: {result['all']['sensitivity']:.4f}, {result['all']['specificity']:.4f}."""


def _limits(result):
    return f"""## Where it must not be used

- As the only detector, or to decide on a shock: it was judged on {result['all']['shockable_records']} records with something shockable, by labels that no physician made.
- In children: none was in the data.
- On a lead whose signal is poor: `wardlight_core::rhythm` says so first.
- To tell a slow ventricular tachycardia (below 150 a minute), which it is not made for.
- Where a very wide regular rhythm near 120 a minute is the patient's own (as in cu03 before its onset): see that record above."""


def _credit():
    return f"## Credit\n\n{ATTRIBUTION}. Both databases under {mitdb.LICENCE}."


def _range(entry, key):
    value, (low, high) = entry[key], entry[f"{key}_interval"]
    return "–" if value != value else f"{value:.4f} ({low:.4f} to {high:.4f})"


def _part(value):
    return "–" if value != value else f"{value:.4f}"


def _seconds(value):
    return "never" if value is None else f"{value:.1f} s"
