"""Trains, quantizes, judges and packs the model `ecg-vf`.

    python models/training/ecg-vf.py --data MITDB_DIR [--creighton CUDB_DIR] [--out PACKAGE_DIR] [--rows ROWS_DIR]

Everything but the signature; `models/training/run` does both. The rows are made by the agent's own analysis, which cargo builds.
"""

import os

# One thread: sums then have one order, and a second run gives the same bytes.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from wardlight_training import vf_evaluation, vf_package, vf_pipeline, vf_rows
from wardlight_training.vf_pipeline import SEEDS

ROOT = Path(__file__).resolve().parents[2]
THRESHOLD = 0.5
SWEEP = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def main():
    """Parses the arguments and runs the steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the MIT-BIH Arrhythmia Database")
    parser.add_argument("--creighton", type=Path, help="folder of the extracts of the Creighton database; beside --data unless given")
    parser.add_argument("--out", type=Path, default=ROOT / "models/packages/ecg-vf")
    parser.add_argument("--rows", type=Path, help="keep the rows here, and use those that are there")
    arguments = parser.parse_args()
    creighton = arguments.creighton or arguments.data.parent / "cudb"
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.rows or Path(scratch)
        vf_rows.make(_wardlight(), arguments.data, creighton, folder)
        sources = vf_rows.read(arguments.data, folder)
    found = vf_pipeline.cross_validate(sources)
    trained = vf_pipeline.Trained(sources, vf_pipeline.records(), SEEDS[0])
    result = judge(sources, found, arguments.data)
    result["weights"] = sum(weights.size for weights, _ in trained.parameters.values())
    judged = sources[vf_rows.JUDGED]
    simulated = _probability(trained.logits(judged.values)["int8"])
    result["simulated"] = vf_evaluation.counts(judged.label, simulated, THRESHOLD).tolist()
    probabilities = np.concatenate([_probability(found[name][0]["int8"]) for name in vf_pipeline.records()])
    vf_package.write(arguments.out, trained, result, probabilities)
    print(json.dumps({"all": result["all"], "simulated": result["simulated"], "agreement": result["agreement"]}, indent=1))


def judge(sources, found, data):
    """All figures of the cross-validation."""
    names = vf_pipeline.records()
    tables = {kind: _tables(sources, found, kind) for kind in ("int8", "float")}
    together = {name: [vf_evaluation.together(sources[name], logits["int8"]) for logits in found[name]] for name in names}
    figures = lambda chosen, table: vf_evaluation.figures(np.array([table[name] for name in chosen]), SEEDS[0])
    gaps = np.concatenate([abs(_probability(l["int8"]) - _probability(l["float"])) for name in names for l in found[name]])
    same = [(_probability(l["int8"]) >= THRESHOLD) == (_probability(l["float"]) >= THRESHOLD) for name in names for l in found[name]]
    single = {name: sum(vf_evaluation.counts(sources[name].label, _probability(l["int8"]), THRESHOLD) for l in found[name]) for name in names}
    everything = figures(names, tables["int8"])
    return {
        "version": vf_package.VERSION,
        "threshold": THRESHOLD,
        "windows": sum(len(sources[name].label) for name in names),
        "left_out": int(sum((sources[name].label == -1).sum() for name in names)),
        "all": everything,
        "float": figures(names, tables["float"]),
        "single": figures(names, single),
        "groups": {"all": everything}
        | {group: figures(chosen, tables["int8"]) for group, chosen in vf_evaluation.groups(data, names).items() if chosen},
        "thresholds": {t: figures(names, {n: sum(vf_evaluation.counts(*pair, t) for pair in together[n]) for n in names}) for t in SWEEP},
        "records": {
            name: (tables["int8"][name].tolist(), vf_evaluation.doubtful(*together[name][0], THRESHOLD)) for name in sorted(names)
        },
        "onset": vf_evaluation.onset(sources["cu01"], together["cu01"][0][1], THRESHOLD),
        "agreement": {
            "mean_probability_gap": float(gaps.mean()), "p99_probability_gap": float(np.quantile(gaps, 0.99)),
            "max_probability_gap": float(gaps.max()), "same_answer_share": float(np.concatenate(same).mean()),
        },
    }


def _tables(sources, found, kind):
    """`counts` of each record, the leads together, summed over the networks."""
    return {
        name: sum(vf_evaluation.counts(*vf_evaluation.together(sources[name], logits[kind]), THRESHOLD) for logits in each)
        for name, each in found.items()
    }


def _probability(logits):
    return 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))


def _wardlight():
    """The agent's binary, built."""
    subprocess.run(["cargo", "build", "--quiet", "--release", "--package", "wardlight"], check=True, cwd=ROOT)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/wardlight"


if __name__ == "__main__":
    main()
