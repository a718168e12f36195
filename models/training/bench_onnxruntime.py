"""Times both graphs of a package in onnxruntime on one thread, as `wardlight model bench` times our engines."""

import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

BATCHES = (1, 16, 64, 256)
ROUNDS = 60
READ_EVERY = 64  # windows between two looks at the clock
ROUND_S = 0.015


def rate(session, batch):
    inputs = {}
    for value in session.get_inputs():
        shape = [batch, *value.shape[1:]]
        inputs[value.name] = np.sin(np.arange(np.prod(shape), dtype=np.float32) * 0.7).reshape(shape)
    best = 0.0
    for _ in range(ROUNDS):
        calls, start = 0, time.thread_time()
        while time.thread_time() - start < ROUND_S:
            for _ in range(max(1, READ_EVERY // batch)):
                session.run(None, inputs)
                calls += 1
        best = max(best, calls * batch / (time.thread_time() - start))
    return best


def main():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    for name, file in (("onnxruntime int8", "model.int8.onnx"), ("onnxruntime float", "model.f32.onnx")):
        path = Path(sys.argv[1]) / file
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for batch in BATCHES:
            print(f"{name},{batch},{rate(session, batch):.0f}", flush=True)


if __name__ == "__main__":
    main()
