"""Trains, quantizes, judges and packs the model `ecg-vf`.

    python models/training/ecg-vf.py --data MITDB_DIR [--creighton CUDB_DIR] [--wardlight BINARY] [--rows DIR] [--out PACKAGE_DIR] [--held-out DIR]

Everything but the signature; `models/training/run` does both. The rows are made by `wardlight model rows`, so that training sees what
the agent sees. `--held-out` also writes what the network that did not see a record says of its windows.
"""

import os

# One thread: sums then have one order, and a second run gives the same bytes.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from wardlight_training import held_out, vf_evaluation, vf_package, vf_pipeline, vf_rows
from wardlight_training.vf_pipeline import SEEDS

ROOT = Path(__file__).resolve().parents[2]
# The threshold is the highest of these with this sensitivity on records left out.
SWEEP = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
SENSITIVITY = 0.95


def main():
    """Parses the arguments and runs the steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the MIT-BIH Arrhythmia Database")
    parser.add_argument("--creighton", type=Path, help="folder of the extracts of the Creighton database; beside --data unless given")
    parser.add_argument("--wardlight", type=Path, default=ROOT / "target/release/wardlight", help="the binary that makes the rows")
    parser.add_argument("--out", type=Path, default=ROOT / "models/packages/ecg-vf")
    parser.add_argument("--rows", type=Path, help="keep the rows here, and use those that are there")
    parser.add_argument("--held-out", type=Path, help="folder for opinions on records left out, as `wardlight model annotate` writes them")
    arguments = parser.parse_args()
    creighton = arguments.creighton or arguments.data.parent / "cudb"
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.rows or Path(scratch)
        vf_rows.make(arguments.wardlight, arguments.data, creighton, folder)
        sources = vf_rows.read(arguments.data, folder)
    found = vf_pipeline.cross_validate(sources)
    if arguments.held_out:
        held_out.write_windows(arguments.held_out, sources, found)
    trained = vf_pipeline.Trained(sources, vf_pipeline.records(), SEEDS[0])
    result = judge(sources, found, arguments.data)
    result["weights"] = sum(weights.size for weights, _ in trained.parameters.values())
    judged = sources[vf_rows.JUDGED]
    simulated = _probability(trained.logits(judged.values)["int8"])
    result["simulated"] = vf_evaluation.counts(judged.label, simulated, result["threshold"]).tolist()
    probabilities = np.concatenate([_probability(found[name][0]["int8"]) for name in vf_pipeline.records()])
    windows = np.concatenate([sources[name].values for name in vf_pipeline.records()])
    vf_package.write(arguments.out, trained, result, probabilities, windows)
    print(json.dumps({key: result[key] for key in ("threshold", "all", "single", "simulated", "agreement", "onset")}, indent=1))


def judge(sources, found, data):
    """All figures of the cross-validation."""
    names = vf_pipeline.records()
    figures = lambda chosen, table: vf_evaluation.figures(np.array([table[name] for name in chosen]), SEEDS[0])
    sweep = {threshold: figures(names, _together(sources, found, "int8", threshold)) for threshold in SWEEP}
    threshold = max((t for t in SWEEP if sweep[t]["sensitivity"] >= SENSITIVITY), default=min(SWEEP))
    int8 = _together(sources, found, "int8", threshold)
    pairs = [[_probability(logits[kind]) for kind in ("int8", "float")] for each in found.values() for logits in each]
    gaps = np.concatenate([abs(stored - real) for stored, real in pairs])
    same = np.concatenate([(stored >= threshold) == (real >= threshold) for stored, real in pairs])
    single = {
        name: sum(vf_evaluation.counts(sources[name].label, _probability(logits["int8"]), threshold) for logits in each)
        for name, each in found.items()
    }
    first = {name: vf_evaluation.together(sources[name], found[name][0]["int8"]) for name in names}
    groups = {group: chosen for group, chosen in vf_evaluation.groups(data, names).items() if chosen}
    return {
        "version": vf_package.VERSION,
        "threshold": threshold,
        "windows": sum(len(sources[name].label) for name in names),
        "left_out": int(sum((sources[name].label == -1).sum() for name in names)),
        "all": figures(names, int8),
        "float": figures(names, _together(sources, found, "float", threshold)),
        "single": figures(names, single),
        "groups": {"all": figures(names, int8)} | {group: figures(chosen, int8) for group, chosen in groups.items()},
        "thresholds": sweep,
        "records": {name: (int8[name].tolist(), vf_evaluation.doubtful(*first[name], threshold)) for name in sorted(names)},
        "onset": vf_evaluation.onset(sources["cu01"], first["cu01"][1], threshold),
        "agreement": {
            "mean_probability_gap": float(gaps.mean()), "p99_probability_gap": float(np.quantile(gaps, 0.99)),
            "max_probability_gap": float(gaps.max()), "same_answer_share": float(same.mean()),
        },
    }


def _together(sources, found, kind, threshold):
    """`counts` of each record, the leads together, summed over the networks."""
    return {
        name: sum(vf_evaluation.counts(*vf_evaluation.together(sources[name], logits[kind]), threshold) for logits in each)
        for name, each in found.items()
    }


def _probability(logits):
    return 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))


if __name__ == "__main__":
    main()
