"""Trains, quantizes, judges and packs the model `ecg-beat`.

    python models/training/ecg-beat.py --data MITDB_DIR [--wardlight BINARY] [--rows DIR] [--out PACKAGE_DIR] [--held-out DIR]

MITDB_DIR holds the records of DS1 of the MIT-BIH Arrhythmia Database. The rows are made by `wardlight model rows`, so that training sees
what the agent sees; they are kept in `--rows` and made again when that folder is gone. Everything but the signature;
`models/training/run` does both. `--held-out` also writes what the network that did not see a record says of its beats.
"""

import os

# One thread: sums then have one order, and a second run gives the same bytes.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

from wardlight_training import ecg_beat_package, ecg_evaluation, ecg_export, ecg_folds, ecg_rows, ecg_training, held_out, mitdb, toml

SEED = 1980


def main():
    """Parses the arguments and runs the steps in order."""
    root = Path(__file__).parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with the records of DS1")
    parser.add_argument("--wardlight", default=root / "target/release/wardlight", type=Path, help="the binary that makes the rows")
    parser.add_argument("--rows", default=Path(tempfile.gettempdir()) / "ecg-beat-rows", type=Path, help="folder where the rows are kept")
    parser.add_argument("--out", default=root / "models/packages" / ecg_beat_package.ID, type=Path)
    parser.add_argument("--jobs", default=2, type=int, help="folds trained at once")
    parser.add_argument("--held-out", type=Path, help="folder for opinions on records left out, as `wardlight model annotate` writes them")
    arguments = parser.parse_args()

    ecg_rows.make(arguments.wardlight, arguments.data, arguments.rows, SEED, ecg_training.folds())
    found = ecg_rows.read(arguments.data, arguments.rows)
    people = [mitdb.person(arguments.data, name) for name in mitdb.DS1]
    logits = ecg_folds.held_out_logits(arguments.data, arguments.rows, found, SEED, arguments.jobs)
    if arguments.held_out:
        together = found.play == 0
        held_out.write_beats(arguments.held_out, found[together], logits["int8"][together])
    annotated = found.label >= 0
    rows, logits = found[annotated], {kind: values[annotated] for kind, values in logits.items()}
    result = judge(rows, logits)
    for kind in ecg_folds.KINDS:
        print(kind, result[kind]["all"])
    ensemble, network = ecg_training.fit(ecg_rows.join([rows, ecg_rows.read_synthetic(arguments.rows)]), SEED)
    alone = rows[rows.play == 0]
    files = {
        "card.md": ecg_beat_package.card(result, SEED, people).encode(),
        "golden.json": ecg_beat_package.golden(alone, ensemble, network, people, SEED).encode(),
        "model.f32.onnx": ecg_export.float_model(ensemble),
        "model.int8.onnx": ecg_export.int8_model(network),
        "reference.json": ecg_beat_package.drift_reference(alone, ecg_training.stored_logits(network, alone).argmax(1)).encode(),
    }
    check_with_onnxruntime(files, ensemble, network, alone[::50])
    write(arguments.out, files, toml.dump(ecg_beat_package.manifest(result, SEED, files)))


def judge(rows, logits):
    """Both leads fused, each lead alone, float and int8, and gradient boosting beside them."""
    play = {name: rows.play == number for number, name in enumerate(("both", "lead 0", "lead 1"))}
    fused = {kind: ecg_evaluation.fuse(rows[play["both"]], values[play["both"]]) for kind, values in logits.items()}
    result = {kind: ecg_evaluation.judge(*pair, SEED) for kind, pair in fused.items()}
    for lead in ("lead 0", "lead 1"):
        result[lead] = ecg_evaluation.judge(rows[play[lead]], logits["int8"][play[lead]], SEED)
    result["agreement"] = ecg_evaluation.agreement(fused["int8"][1], fused["float"][1])
    return result


def check_with_onnxruntime(files, ensemble, network, rows):
    """The exported graphs must say what the networks say: int8 exactly, float within rounding."""
    inputs = dict(zip(ecg_export.INPUTS, (rows.window, rows.rhythm)))
    expected = {"model.int8.onnx": (network.logits(rows.window, rows.rhythm), 0.0), "model.f32.onnx": (ecg_training.logits(ensemble, rows), 1e-3)}
    for name, (logits, allowed) in expected.items():
        session = onnxruntime.InferenceSession(files[name], providers=["CPUExecutionProvider"])
        gap = float(np.abs(session.run([ecg_export.OUTPUT], inputs)[0] - logits).max())
        print(f"{name}: largest difference from onnxruntime {gap:g} over {len(rows.label)} rows")
        if gap > allowed:
            raise SystemExit(f"{name}: onnxruntime differs by {gap:g}, allowed {allowed:g}")


def write(folder, files, text):
    """Writes the package; an older signature no longer holds and goes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.sig").unlink(missing_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    print(f"wrote {folder}; sign it before use")


if __name__ == "__main__":
    main()
