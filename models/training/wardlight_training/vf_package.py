"""The files of the package `ecg-vf`."""

import hashlib
import json

import numpy as np

from . import mitdb, reference, toml, vf_card, vf_export, vf_inputs, vf_network, vf_pipeline
from .vf_rows import WINDOW

FORMAT = 2
ID, VERSION = "ecg-vf", "1.0.0"
HZ = 125.0
CLASSES = ["other", "shockable"]


def write(folder, trained, result, probabilities, windows):
    """Writes everything but the signature. `windows` are those of the recordings, with `probabilities` by networks that never saw them."""
    files = {
        "card.md": vf_card.write(result).encode(),
        "golden.json": _golden(trained).encode(),
        "model.f32.onnx": trained.float_onnx,
        "model.int8.onnx": trained.int8_onnx,
        "reference.json": drift_reference(probability_histogram(probabilities), windows).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.toml").write_text(toml.dump(_manifest(result, files)))


def _manifest(result, files):
    figures = lambda e: {
        "sensitivity": _round(e["sensitivity"]), "sensitivity_interval": [_round(v) for v in e["sensitivity_interval"]],
        "specificity": _round(e["specificity"]), "specificity_interval": [_round(v) for v in e["specificity_interval"]],
    }
    return {
        "format": FORMAT,
        "id": ID,
        "version": VERSION,
        "summary": "Whether four seconds of an ECG lead show a rhythm that calls for a shock",
        "input": [{"name": vf_export.INPUT, "shape": ["batch", 1, WINDOW], "unit": "heights of the wave"}],
        "output": {"name": vf_export.OUTPUT, "shape": ["batch", vf_network.CLASSES], "unit": "logit", "classes": CLASSES},
        "signal": {"sampling_hz": HZ},
        "thresholds": {"shockable": result["threshold"]},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "training": {
            "script": "models/training/ecg-vf.py",
            "data": ["MIT-BIH Arrhythmia Database 1.0.0, DS1", "CU Ventricular Tachyarrhythmia Database, eight extracts"],
            "licence": [mitdb.LICENCE, mitdb.LICENCE],
            "attribution": vf_card.ATTRIBUTION,
            "label": "ventricular fibrillation, flutter, or tachycardia of 150 a minute and more",
            "split": "by record; trained on all, judged by cross-validation",
            "seed": vf_pipeline.SEEDS[0],
        },
        "metrics": {"judged_on": "records left out", **figures(result["all"])},
        "agreement": {name: _round(value, 6) for name, value in result["agreement"].items()},
    }


def _golden(trained):
    """Synthetic windows with the logits that every engine must reproduce: no patient's wave leaves the training data."""
    vectors = []
    for name, window in _waves():
        window = window.clip(-2, 2).astype(np.float32)
        vectors.append({
            "name": name,
            "inputs": [_numbers(window)],
            "float_logits": _numbers(vf_pipeline.run(trained.float_onnx, window[None])[0]),
            "int8_logits": _numbers(trained.quantised.logits(window[None])[0]),
        })
    lines = ",\n".join(json.dumps(vector, allow_nan=False) for vector in vectors)
    return f'{{"vectors": [\n{lines}\n]}}\n'


def _waves():
    rng = np.random.default_rng(vf_pipeline.SEEDS[0])
    time = np.arange(WINDOW) / HZ
    for hz in (2, 3, 4, 5, 6, 7):
        yield f"sine of {hz} Hz", 0.5 * np.sin(2 * np.pi * hz * time)
        wander = np.cumsum(rng.normal(0, 0.15, WINDOW))
        yield f"wandering wave near {hz} Hz", 0.5 * np.sin(2 * np.pi * hz * time + wander) * (0.7 + 0.3 * np.sin(1.7 * time))
    for rate in (50, 90, 140):
        phase = (time * rate / 60) % 1 - 0.5
        yield f"narrow beats, {rate} a minute", np.exp(-((phase * 60 / rate / 0.02) ** 2))
        yield f"wide beats, {rate} a minute", np.exp(-((phase * 60 / rate / 0.08) ** 2)) - 0.3
    yield "noise", rng.normal(0, 0.4, WINDOW)
    yield "faint noise", rng.normal(0, 0.03, WINDOW)
    yield "nothing", np.zeros(WINDOW)
    yield "both ends of the range", np.where(time % 1 < 0.5, 2.0, -2.0)


def probability_histogram(probabilities):
    """Of the probabilities on records left out."""
    edges = [round(0.05 * i, 2) for i in range(21)]
    counts, _ = np.histogram(probabilities, edges)
    return {"edges": edges, "window_counts": counts.tolist()}


def drift_reference(probability, windows):
    """For drift: `probability` as [`probability_histogram`] gives it, and the measures of the windows."""
    return reference.dump({
        "patients": len(vf_pipeline.records()),
        "bins": "left-closed; counts[i] is edges[i] <= x < edges[i + 1], the last one closed",
        "histograms": {"p_shockable": probability, **vf_inputs.histograms(windows)},
    })


def _numbers(values):
    """The shortest decimals that read back as the same f32."""
    return [float(str(np.float32(value))) for value in values]


def _round(value, digits=4):
    return round(float(value), digits)
