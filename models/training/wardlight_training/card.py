"""The model card. Every figure in it comes from the evaluation; none is typed by hand."""

from . import cinc2012, external, manifest, pipeline, respiration, risk_network
from .features import names
from .vitals import MAX_HOURS, MIN_HOURS, VITALS


def write(model, result, parts, stays, seed, abroad):
    """The card in Markdown."""
    sections = (
        _head(parts, stays, seed), _discrimination(result), _hours(result), _respiration(result), _calibration(result), _bands(model, result),
        _quantization(result), _groups(result), _abroad(abroad), _limits(), _credit(),
    )
    return "\n\n".join(sections) + "\n"


def _head(parts, stays, seed):
    deaths = lambda rows: int(stays.died[rows].sum())
    ranges = ", ".join(f"{v.name} {v.low:g} to {v.high:g} {v.unit}" for v in VITALS)
    return f"""# {manifest.ID} {manifest.VERSION}

Risk of death in this hospital stay, from age and up to {MAX_HOURS} hours of six bedside vitals (hourly means, absent where not
measured). No laboratory value, no consciousness score, no diagnosis, no SpO2. Written by `models/training/deterioration.py`.

**Use.** An advisory beside the clinical scores and alarms, for trained staff. It never raises, silences or delays a red alarm.

**Network.** An ensemble of {pipeline.MEMBERS} networks in one graph, statically quantized to int8. Each has convolutions over the course of the hours
({", ".join(str(outputs) for _, outputs, *_ in risk_network.CONVOLUTIONS.values())} channels), whose result joins {len(names())} features that sum the hours up, and dense layers
({", ".join(str(outputs) for _, outputs in risk_network.DENSE.values())}) over both.
Trained on soft labels: {100 * pipeline.SOFT_SHARE:.0f} % the probability of a teacher, {100 - 100 * pipeline.SOFT_SHARE:.0f} % the outcome. The teacher is gradient boosting that reads the whole
chart of the stay (laboratory, consciousness, urine, ventilation, all 48 hours), fitted to other training stays than the one it speaks of;
the network sees none of that, in training or in service.
Each training stay appears {pipeline.TRUNCATIONS} times cut off at a random hour ({MIN_HOURS} to {MAX_HOURS - 1}) and {pipeline.WHOLE} times whole.

**Data.** PhysioNet/CinC Challenge 2012 set A ({cinc2012.LICENCE}), {len(stays.ids)} adult ICU stays, {int(stays.died.sum())} deaths. Split by stay with seed {seed}:
{len(parts.train)} train ({deaths(parts.train)} deaths), {len(parts.validation)} validation ({deaths(parts.validation)}), {len(parts.test)} test ({deaths(parts.test)}). The data carry no patient number, so
two stays of one patient cannot be told apart. Arterial pressure is preferred to the cuff within an hour.
Accepted: {ranges}; a pressure
triple that contradicts itself is dropped. {stays.rejected} measurements were rejected. Normalisation uses training stays only; calibration and
thresholds use validation stays only. Features, recipe and baselines were chosen by cross-validation over train and validation stays. One
later comparison of recipes did include test stays; nothing was adopted from it. Versions 1.0.0 and 2.0.0 were judged on the same test stays. Intervals are 95 % percentile bootstraps over stays (2000 draws)."""


def _discrimination(result):
    lines = ["## Discrimination on the test stays, at the end of the stay's data", "",
             f"{result['stays']} stays, {result['deaths']} deaths. Event 1 is min(sensitivity, positive predictive value) of CinC 2012, at a threshold "
             "chosen on validation. A missing SAPS-I counts as the validation median.", "",
             "| | AUROC | event 1 | AUROC gain of int8 over it |", "|---|---|---|---|"]
    for name, key in (("**this model, int8**", "int8"), ("this model, float", "float")):
        entry = result[key]
        lines.append(f"| {name} | {_range(entry['auroc'], entry['auroc_interval'])} | {entry['event_1']:.3f} | |")
    for name, entry in result["others"].items():
        low, high = result["gain"][name]
        lines.append(f"| {name} | {_range(entry['auroc'], entry['auroc_interval'])} | {entry['event_1']:.3f} | {low:+.3f} to {high:+.3f} |")
    beaten = [n for n in result["others"] if result["gain"][n][0] > 0]
    level = [n for n in result["others"] if result["gain"][n][0] <= 0 <= result["gain"][n][1]]
    worse = [n for n in result["others"] if result["gain"][n][1] < 0]
    for text, group in (("Better than", beaten), ("Not distinguishable from", level), ("Worse than", worse)):
        if group:
            lines += ["", f"{text}: {'; '.join(group)}."]
    check = result["validation"]
    lines += ["", f"The same int8 model gets {_range(check['auroc'], check['interval'])} on the validation stays, which set calibration and thresholds but "
              "trained no weight: the gap to the test stays shows how much a split of this size moves the figure."]
    return "\n".join(lines)


def _hours(result):
    names = list(result["by_hour"][0]["others"])
    lines = ["## By hours of data", "", f"| hours | int8 AUROC | {' | '.join(names)} | ECE int8 |", "|---|---|" + "---|" * len(names) + "---|"]
    for e in result["by_hour"]:
        others = " | ".join(f"{e['others'][name]:.3f}" for name in names)
        lines.append(f"| {e['hours']} | {_range(e['int8'], e['interval'])} | {others} | {e['ece']:.3f} |")
    every = result["every_hour"]
    lines += ["", f"Mean AUROC over the {every['hours']} hours from {MIN_HOURS} to {MAX_HOURS}: {every['int8']:.3f}. Against the others:", "",
              "| | mean AUROC | hours at which the model is above | gain in the mean |", "|---|---|---|---|"]
    for name, e in every["others"].items():
        where = f"{e['above']} of {every['hours']}" + (f", not at {_spans(e['not_above_at'])}" if e["not_above_at"] else "")
        lines.append(f"| {name} | {e['auroc']:.3f} | {where} | {e['gain'][0]:+.3f} to {e['gain'][1]:+.3f} |")
    return "\n".join(lines)


def _spans(hours):
    """Hours in order, neighbours as a span: 6 to 9, 12."""
    spans = []
    for hour in hours:
        if spans and hour == spans[-1][1] + 1:
            spans[-1][1] = hour
        else:
            spans.append([hour, hour])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in spans)


def _respiration(result):
    return f"""## Respiration

In the training data respiration was charted for those who breathed by themselves: that it is there at all says "not ventilated", and a
model makes use of that. So {100 * respiration.FORGOTTEN:.0f} % of the training rows lose it. In the test stays that have it, it still changes the risk by {100 * result['respiration']:+.1f} points on
average over the hours {', '.join(map(str, respiration.HOURS))} (that of gradient boosting, which loses none, by {100 * result['respiration_boosting']:+.1f}). Most of this is the flaw, not the breath: the
risk of a ventilated patient whose monitor counts breaths comes out too low by about so much, and a lead that falls off raises a risk."""


def _calibration(result):
    lines = ["## Calibration", "", "| | float | int8 |", "|---|---|---|"]
    a, b = result["float"], result["int8"]
    for name, key in (("Brier", "brier"), ("Brier skill", "brier_skill"), ("ECE, 10 equal-width bins", "ece"),
                      ("ECE, 10 equal-count bins", "ece_adaptive"), ("calibration slope (ideal 1)", "slope"),
                      ("calibration intercept (ideal 0)", "intercept"), ("mean predicted", "mean_predicted"), ("observed", "observed")):
        lines.append(f"| {name} | {a[key]:.4f} | {b[key]:.4f} |")
    lines += ["", f"ECE interval int8 {b['ece_interval'][0]:.3f} to {b['ece_interval'][1]:.3f}; ECE is biased upwards on few stays."]
    return "\n".join(lines)


def _bands(model, result):
    lines = ["## Bands, thresholds chosen on validation", "", "| band from | sensitivity | specificity | PPV | share of stays |", "|---|---|---|---|---|"]
    for name, threshold in (("raised", model.raised), ("high", model.high)):
        e = result["bands"][name]
        lines.append(f"| {name}, {threshold:.2f} | {e['sensitivity']:.3f} | {e['specificity']:.3f} | {e['ppv']:.3f} | {e['alarmed']:.3f} |")
    return "\n".join(lines)


def _quantization(result):
    a = result["agreement"]
    return f"""## int8 against float

Over {a['rows']} test rows (all hours above): mean gap in probability {a['mean']:.4f}, 99th percentile {a['p99']:.4f}, largest {a['max']:.4f};
Brier difference {a['brier_difference']:+.5f}; same band in {100 * a['same_band']:.1f} %. Allowed: Brier difference 0.005, 99th percentile 0.05."""


def _groups(result):
    lines = ["## Groups, at the end of the stay's data", "",
             "| group | stays | deaths | AUROC | predicted | observed | sensitivity, raised | PPV, raised |", "|---|---|---|---|---|---|---|---|"]
    for e in result["groups"]:
        start = f"| {e['name']} | {_count(e['stays'])} | {_count(e['deaths'])} |"
        if "auroc" in e:
            lines.append(f"{start} {_range(e['auroc'], e['interval'])} | {e['predicted']:.3f} | {e['observed']:.3f} | {e['sensitivity']:.3f} | {e['ppv']:.3f} |")
        else:
            lines.append(f"{start} insufficient data | | | | |")
    return "\n".join(lines)


def _abroad(abroad):
    if not abroad:
        return "## Other hospitals\n\nNot evaluated in this run."
    lines = ["## Other hospitals, nothing refitted", "", "| cohort | hours | stays | deaths | AUROC | predicted | observed |", "|---|---|---|---|---|---|---|"]
    for source, e in abroad.items():
        lines.append(f"| {external.SOURCES[source]} | {e['hours']} | {e['stays']} | {e['deaths']} | {_range(e['auroc'], e['interval'])} | {e['predicted']:.3f} | {e['observed']:.3f} |")
    lines += ["", f"{external.LICENCE}. These cohorts were looked at during development, to decide that the share of observed hours may be an input. "
              "MIMIC-III comes from the hospital of the training data and may share patients with it. Both cohorts hold few deaths: read the intervals."]
    return "\n".join(lines)


def _limits():
    return f"""## Where it must not be used

- Under 16 years, in pregnancy, outside intensive or high-dependency care: no such stay was in the data.
- With less than {MIN_HOURS} hours of data, or with no vital observed: the software gives no risk then.
- To withhold or ration treatment, or as the only reason for it. It ranks risk in this population; it does not know the plan of care.
- As a score of short-term deterioration: the label is death at any time in the hospital stay.
- Without a local check of calibration: the data are from one hospital, 2001 to 2008, and practice has changed.

What was charted is itself a signal here: respiration was charted for few stays (see above and the groups), and the model knows the share of
observed hours. A ward that measures everything always looks different from the training data in this respect. It has had no clinical validation."""


def _credit():
    return f"## Credit\n\n{cinc2012.ATTRIBUTION} Data under {cinc2012.LICENCE}, https://physionet.org/content/challenge-2012/."


def _range(value, interval):
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def _count(value):
    """Small counts are not published."""
    return "<11" if 0 < value < 11 else str(value)
