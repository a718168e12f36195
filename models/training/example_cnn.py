"""Writes an unsigned package of a convolutional network with random weights, for tests and benchmarks of the engine.

    python models/training/example_cnn.py models/tests/packages/cnn --rhythm 5 --groups
    python models/training/example_cnn.py models/tests/packages/cnn-signed --signed --samples 97 --channels 5,9,12,20 --seed 11

It has everything that a waveform graph may have: strides, padding, groups, a residual sum, the mean over the window, a
row of rhythm features joined to it, and two dense layers. Its golden logits are onnxruntime's.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CLASSES = ["n", "s", "v", "f", "q"]
HIDDEN = 24
KERNELS = (7, 5, 5, 3)


class Graph:
    """Collects nodes and constants."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def bytes(self, inputs, output):
        values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", *s]) for n, s in inputs]
        result = helper.make_tensor_value_info(output[0], TensorProto.FLOAT, ["batch", *output[1]])
        graph = helper.make_graph(self.nodes, "example", values, [result], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()


def power(x):
    return np.float32(2.0 ** np.ceil(np.log2(x)))


class Levels:
    """A power-of-two scale that covers `values`; ReLU outputs use all levels above 0."""

    def __init__(self, values, signed, relu=False):
        low, high = (0.0, values.max()) if relu else (values.min(), values.max())
        self.scale = power(max(high - low, 1e-3) / 255)
        lowest = -128 if signed else 0
        middle = lowest if relu else np.clip(np.rint(lowest - low / self.scale), lowest, lowest + 255)
        self.zero = np.array(middle, np.int8 if signed else np.uint8)

    def constants(self, graph, name):
        return [graph.constant(f"{name}_scale", self.scale), graph.constant(f"{name}_zero", self.zero)]


def weights(rng, outputs, width, spread=1):
    """i8 weights of rows with their scales, one for each output, which differ by up to 2 to the power `spread`."""
    stored = rng.integers(-127, 128, (outputs, width)).astype(np.int8)
    scales = power(1.0 / np.sqrt(width) / 73) * 2.0 ** rng.integers(-spread, 1, outputs)
    return stored, scales.astype(np.float32)


def build(options):
    """The float and the int8 graph, from the same weights: (f32 bytes, int8 bytes, input shapes)."""
    rng = np.random.default_rng(options.seed)
    shapes = [("window", [1, options.samples])] + ([("rhythm", [options.rhythm])] if options.rhythm else [])
    layers = []
    channels = 1
    for index, outputs in enumerate(options.channels):
        groups = 2 if options.groups and index == 2 else 1
        stored, scales = weights(rng, outputs, channels // groups * KERNELS[index])
        layers.append((f"conv{index}", stored.reshape(outputs, channels // groups, -1), scales, groups, 2))
        channels = outputs
    stored, scales = weights(rng, channels, channels * 3)
    layers.append(("residual", stored.reshape(channels, channels, 3), scales, 1, 1))
    dense = [("dense", *weights(rng, HIDDEN, channels + options.rhythm, spread=0)), ("head", *weights(rng, len(CLASSES), HIDDEN, spread=0))]
    biases = {name: rng.normal(0, 0.1, len(scales)).astype(np.float32) for name, _, scales, *_ in layers + dense}

    calibration = example_inputs(rng, shapes, 64)
    content_f32, taps = float_graph(layers, dense, biases, shapes)
    return content_f32, int8_graph(layers, dense, biases, shapes, tap(content_f32, taps, calibration), options.signed), shapes


def float_graph(layers, dense, biases, shapes):
    graph = Graph()
    x, taps = "window", ["window"]
    for name, stored, scales, groups, stride in layers:
        kernel = stored.shape[2]
        w = graph.constant(f"{name}_w", stored.astype(np.float32) * scales[:, None, None])
        b = graph.constant(f"{name}_b", biases[name])
        pads = [kernel // 2, kernel // 2]
        y = graph.node("Conv", [x, w, b], f"{name}_y", strides=[stride], pads=pads, group=groups, kernel_shape=[kernel])
        if name == "residual":
            y = graph.node("Add", [x, y], "residual_sum")
        x = graph.node("Relu", [y], f"{name}_out")
        taps += [y, x]
    x = graph.node("GlobalAveragePool", [x], "pooled")
    x = graph.node("Flatten", [x], "flat", axis=1)
    taps.append(x)
    if len(shapes) > 1:
        x = graph.node("Concat", [x, "rhythm"], "joined", axis=1)
    for name, stored, scales in dense:
        w = graph.constant(f"{name}_w", (stored.astype(np.float32) * scales[:, None]).T)
        b = graph.constant(f"{name}_b", biases[name])
        y = graph.node("MatMul", [x, w], f"{name}_product")
        taps.append(y)
        x = graph.node("Add", [y, b], "logits" if name == "head" else f"{name}_y")
        if name != "head":
            x = graph.node("Relu", [x], f"{name}_out")
            taps.append(x)
    return graph.bytes(shapes, ("logits", [len(CLASSES)])), taps


def int8_graph(layers, dense, biases, shapes, seen, signed):
    graph = Graph()

    def store(x, levels, name):
        return graph.node("QuantizeLinear", [x, *levels.constants(graph, name)], name)

    def real(x, levels, name):
        return graph.node("DequantizeLinear", [x, *levels.constants(graph, name)], name)

    at = Levels(seen["window"], signed)
    x = store("window", at, "window_q")
    for name, stored, scales, groups, stride in layers:
        kernel = stored.shape[2]
        residual = name == "residual"
        to = Levels(seen[f"{name}_out"] if not residual else seen["residual_sum"], signed, relu=not residual)
        bias = np.rint(biases[name] / (at.scale * scales)).astype(np.int32)
        inputs = [x, *at.constants(graph, f"{name}_x"), graph.constant(f"{name}_w", stored), graph.constant(f"{name}_ws", scales)]
        inputs += [graph.constant(f"{name}_wz", np.zeros(len(scales), np.int8)), *to.constants(graph, f"{name}_to")]
        inputs.append(graph.constant(f"{name}_b", bias))
        pads = [kernel // 2, kernel // 2]
        y = graph.node("QLinearConv", inputs, f"{name}_q", strides=[stride], pads=pads, group=groups, kernel_shape=[kernel])
        if residual:
            total = graph.node("Add", [real(x, at, "skip"), real(y, to, "branch")], "residual_total")
            to = Levels(seen["residual_out"], signed, relu=True)
            y = store(graph.node("Relu", [total], "residual_relu"), to, "residual_out_q")
        x, at = y, to
    pooled = graph.node("GlobalAveragePool", [real(x, at, "before_pool")], "pooled")
    joined = seen["flat"] if len(shapes) == 1 else np.concatenate([seen["flat"], seen["rhythm"]], axis=1)
    at = Levels(joined, signed)
    x = store(graph.node("Flatten", [pooled], "flat", axis=1), at, "flat_q")
    if len(shapes) > 1:
        x = graph.node("Concat", [x, store("rhythm", at, "rhythm_q")], "joined_q", axis=1)
    for name, stored, scales in dense:
        product = Levels(seen[f"{name}_product"], signed)
        one = np.float32(scales.max())
        inputs = [x, *at.constants(graph, f"{name}_x"), graph.constant(f"{name}_w", stored.T), graph.constant(f"{name}_ws", one)]
        inputs += [graph.constant(f"{name}_wz", np.int8(0)), *product.constants(graph, f"{name}_to")]
        y = real(graph.node("QLinearMatMul", inputs, f"{name}_q"), product, f"{name}_real")
        b = graph.constant(f"{name}_b", biases[name])
        if name == "head":
            graph.node("Add", [y, b], "logits")
            break
        y = graph.node("Relu", [graph.node("Add", [y, b], f"{name}_y")], f"{name}_relu")
        at = Levels(seen[f"{name}_out"], signed, relu=True)
        x = store(y, at, f"{name}_out_q")
    return graph.bytes(shapes, ("logits", [len(CLASSES)]))


def tap(content, names, inputs):
    """The values inside a graph."""
    model = onnx.load_from_string(content)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in inputs)
    return {**dict(zip([o.name for o in model.graph.output], run(model.SerializeToString(), inputs))), **inputs}


def run(content, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]).run(None, inputs)


def example_inputs(rng, shapes, count):
    return {name: rng.normal(0, 1, (count, *shape)).astype(np.float32) for name, shape in shapes}


def short(values):
    return [float(str(v)) for v in np.asarray(values, np.float32).ravel()]


def golden(options, content_f32, content_int8, shapes):
    inputs = example_inputs(np.random.default_rng(options.seed + 1), shapes, options.vectors)
    logits = [run(content, inputs)[0] for content in (content_f32, content_int8)]
    rows = [
        {
            "name": f"example {i}",
            "inputs": [short(inputs[name][i]) for name, _ in shapes],
            "float_logits": short(logits[0][i]),
            "int8_logits": short(logits[1][i]),
        }
        for i in range(options.vectors)
    ]
    return '{"vectors": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n"


def manifest(options, files, shapes):
    inputs = ""
    for name, shape in shapes:
        features = f"features = {json.dumps([f'f{i}' for i in range(shape[0])])}\n" if len(shape) == 1 else ""
        inputs += f'[[input]]\nname = "{name}"\nshape = {json.dumps(["batch", *shape])}\nunit = "1"\n{features}\n'
    digests = "".join(f'"{name}" = "{hashlib.sha256(content).hexdigest()}"\n' for name, content in files.items())
    return f"""format = 2
id = "example-cnn"
version = "1.0.0"
summary = "Random weights, for tests of the engine"

{inputs}[output]
name = "logits"
shape = ["batch", {len(CLASSES)}]
unit = "logit"
classes = {json.dumps(CLASSES)}

[signal]
sampling_hz = 250.0

[thresholds]
v = 0.5

[files]
{digests}
[training]
script = "models/training/example_cnn.py"
data = ["none"]
licence = ["none"]
attribution = "none"
label = "none"
split = "none"
seed = {options.seed}

[metrics]
[agreement]
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--channels", type=lambda text: [int(n) for n in text.split(",")], default=[8, 12, 16, 16])
    parser.add_argument("--samples", type=int, default=120)
    parser.add_argument("--rhythm", type=int, default=0)
    parser.add_argument("--vectors", type=int, default=6)
    parser.add_argument("--groups", action="store_true", help="the third convolution in two groups")
    parser.add_argument("--signed", action="store_true", help="i8 levels in place of u8")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    content_f32, content_int8, shapes = build(options)
    files = {
        "card.md": b"# example-cnn 1.0.0\n\nRandom weights, for tests of the engine.\n",
        "golden.json": golden(options, content_f32, content_int8, shapes).encode(),
        "model.f32.onnx": content_f32,
        "model.int8.onnx": content_int8,
        "reference.json": b"{}\n",
    }
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**files, "manifest.toml": manifest(options, files, shapes).encode()}.items():
        (options.folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
