"""Trains, quantizes, judges and packs the `deterioration` model.

    python models/training/deterioration.py --data CINC2012_DIR [--external EICU_MIMIC_DEMO_DIR] [--out PACKAGE_DIR]

Everything but the signature; `models/training/run` does both. With `--judge-on validation` or `--judge-on folds` (cross-validation over
the training and validation stays) nothing touches the test stays and nothing is written: that is for development.
"""

import os

# One thread: sums then have one order, and a second run gives the same bytes.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime

from wardlight_training import (
    card, cinc2012, evaluation, external, folds, golden, manifest, pipeline, reference, risk_export, risk_network, toml,
)
from wardlight_training.rows import Rows
from wardlight_training.vitals import MAX_HOURS

SEED = 2012


def main():
    """Parses the arguments and runs the steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with set-a.tar.gz and Outcomes-a.txt")
    parser.add_argument("--external", help="folder with mortality24/{eicu_demo,mimic_demo}")
    parser.add_argument("--out", default=Path(__file__).parent.parent / "packages" / manifest.ID, type=Path)
    parser.add_argument("--test-stays", type=Path, metavar="FILE", help="only write the RecordIDs of the test stays, a line each")
    parser.add_argument("--judge-on", choices=("test", "validation", "folds"), default="test")
    arguments = parser.parse_args()

    stays = cinc2012.read(arguments.data)
    parts = pipeline.split(stays, SEED)
    if arguments.test_stays:
        arguments.test_stays.write_text("".join(f"{record}\n" for record in sorted(stays.ids[parts.test])), encoding="ascii")
        return
    if arguments.judge_on == "folds":
        folds.judge(stays.take(np.concatenate([parts.train, parts.validation])), SEED)
        return
    validation = stays.take(parts.validation)
    model, fitted = pipeline.fit(stays.take(parts.train), validation, SEED)
    judged = stays.take(parts.test) if arguments.judge_on == "test" else validation
    result = evaluation.evaluate(model, fitted, judged, validation)
    if arguments.judge_on == "validation":
        print(json.dumps(result, indent=1, default=float))
        return
    abroad = {}
    if arguments.external:
        abroad = {s: evaluation.evaluate_external(model, *external.read(arguments.external, s)) for s in external.SOURCES}
    files = build_files(model, result, parts, stays, abroad)
    check_with_onnxruntime(model, files, judged)
    write_package(arguments.out, files, toml.dump(manifest.build(model, result, parts, stays, SEED, files)))


def build_files(model, result, parts, stays, abroad):
    """Every file of the package but the manifest and its signature."""
    vectors = golden.build(golden.cases(SEED), model)
    validation = stays.take(parts.validation)
    train = stays.take(parts.train)
    drift = reference.build(train.hours, model.probability(pipeline.rows_at(validation, MAX_HOURS)))
    return {
        "card.md": card.write(model, result, parts, stays, SEED, abroad).encode(),
        "golden.json": golden.dump(vectors).encode(),
        "model.f32.onnx": risk_export.float_model(model.ensemble),
        "model.int8.onnx": risk_export.int8_model(model.int8_network),
        "reference.json": reference.dump(drift).encode(),
    }


def check_with_onnxruntime(model, files, judged):
    """The exported graphs must say what the networks say: int8 exactly, float within rounding."""
    rows = Rows.joined([model.normaliser(pipeline.rows_at(judged, h)) for h in pipeline.HOURS])
    given = dict(zip(risk_export.INPUTS, (rows.features, rows.hours)))
    expected = {
        "model.int8.onnx": (model.int8_network.logit(rows), 0.0),
        "model.f32.onnx": (risk_network.logit(model.ensemble, rows), 1e-4),
    }
    for name, (logit, allowed) in expected.items():
        session = onnxruntime.InferenceSession(files[name], providers=["CPUExecutionProvider"])
        gap = float(np.max(np.abs(session.run([risk_export.OUTPUT], given)[0][:, 0] - logit)))
        print(f"{name}: largest difference from onnxruntime {gap:g} over {len(rows)} rows")
        if gap > allowed:
            raise SystemExit(f"{name}: onnxruntime differs by {gap:g}, allowed {allowed:g}")


def write_package(folder, files, text):
    """Writes the package; an older signature no longer holds and goes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.sig").unlink(missing_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    print(f"wrote {folder}; sign it before use")


if __name__ == "__main__":
    main()
