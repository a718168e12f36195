"""Writes the float and the int8 ensemble of `ecg-beat` as ONNX, with operators of the default domain only."""

import numpy as np

from .ecg_network import CLASSES, CONVOLUTIONS, DENSE
from .ecg_quantise import RHYTHM, WINDOW, mean_output
from .ecg_rows import CHANNELS
from .ecg_rows import WINDOW as LENGTH
from .onnx_graph import Graph

INPUTS, OUTPUT = ("window", "rhythm"), "logits"
# Shapes of the ends, without the batch.
ENDS = {INPUTS[0]: [CHANNELS, LENGTH], INPUTS[1]: [DENSE["rhythm"][0]]}, {OUTPUT: [CLASSES]}


def _shape(name):
    _, _, kernel, stride, groups = CONVOLUTIONS[name]
    pad = 0 if name == "place" else kernel // 2
    return {"kernel_shape": [kernel], "strides": [stride], "pads": [pad, pad], "group": groups}


def float_model(ensemble):
    """Conv, Relu, Add, Flatten, MatMul, Concat in f32."""
    graph = Graph()

    def product(name, x, weights, bias, output):
        sums = graph.add("MatMul", [x, graph.constant(f"{name}_weights", weights)], f"{name}_product")
        return graph.add("Add", [sums, graph.constant(f"{name}_bias", bias)], output)

    def member(at, parameters):
        tag = f"m{at}_"

        def convolve(name, x):
            weights, bias = parameters[name]
            inputs = [x, graph.constant(f"{tag}{name}_weights", weights), graph.constant(f"{tag}{name}_bias", bias)]
            return graph.add("Relu", [graph.add("Conv", inputs, f"{tag}{name}_sum", **_shape(name))], f"{tag}{name}")

        def dense(name, x):
            return graph.add("Relu", [product(tag + name, x, *parameters[name], f"{tag}{name}_sum")], f"{tag}{name}")

        second = convolve("second", convolve("first", INPUTS[0]))
        total = graph.add("Add", [second, convolve("third", second)], f"{tag}total")
        shape = graph.add("Flatten", [convolve("place", convolve("fourth", total))], f"{tag}shape", axis=1)
        both = graph.add("Concat", [shape, dense("rhythm", INPUTS[1])], f"{tag}both", axis=1)
        return dense("joined", both)

    hidden = graph.add("Concat", [member(*one) for one in enumerate(ensemble)], "hidden", axis=1)
    product("out", hidden, *mean_output(ensemble), OUTPUT)
    return graph.model("ecg_beat_f32", *ENDS)


def int8_model(network):
    """QOperator form; ReLU of a convolution is the clamp at its zero point, 0."""
    graph = Graph()

    def quantise(x, name, tensor, output):
        return graph.add("QuantizeLinear", [x, *graph.levels(name, tensor)], output)

    def dequantise(x, name, tensor, output):
        return graph.add("DequantizeLinear", [x, *graph.levels(name, tensor)], output)

    def linear(operator, name, layer, x, source, target, **attributes):
        # A product has one scale for all its weights.
        scales = layer.scales.astype(np.float32) if operator == "QLinearConv" else np.float32(layer.scales[0])
        inputs = [
            x, *graph.levels(source, layer.source),
            graph.constant(f"{name}_weights", layer.weights),
            graph.constant(f"{name}_weights_scale", scales),
            graph.constant(f"{name}_weights_zero", np.zeros_like(scales, np.int8)),
            *graph.levels(target, layer.target),
        ]
        if operator == "QLinearConv":
            inputs.append(graph.constant(f"{name}_bias", layer.bias))
        return graph.add(operator, inputs, f"{name}_stored", **attributes)

    def product(name, layer, x, source, output):
        stored = linear("QLinearMatMul", name, layer, x, source, f"{name}_levels")
        sums = dequantise(stored, f"{name}_levels", layer.target, f"{name}_product")
        return graph.add("Add", [sums, graph.constant(f"{name}_bias", layer.bias)], output)

    window = quantise(INPUTS[0], "window_levels", WINDOW, "window_stored")
    rhythm = quantise(INPUTS[1], "rhythm_levels", RHYTHM, "rhythm_stored")

    def member(at, own):
        tag, tensors = f"m{at}_", own.tensors

        def convolve(name, x, source, target=None):
            return linear("QLinearConv", tag + name, own.linear[name], x, source, target or f"{tag}{name}_levels", **_shape(name))

        def dense(name, x, source):
            return graph.add("Relu", [product(tag + name, own.linear[name], x, source, f"{tag}{name}_sum")], f"{tag}{name}")

        second = convolve("second", convolve("first", window, "window_levels"), f"{tag}first_levels")
        third = convolve("third", second, f"{tag}second_levels")
        real = [
            dequantise(stored, f"{tag}{name}_levels", own.linear[name].target, f"{tag}{name}_real")
            for name, stored in (("second", second), ("third", third))
        ]
        total = quantise(graph.add("Add", real, f"{tag}total"), f"{tag}sum_levels", tensors["sum"], f"{tag}total_stored")
        place = convolve("place", convolve("fourth", total, f"{tag}sum_levels"), f"{tag}fourth_levels", f"{tag}both_levels")
        shape = graph.add("Flatten", [place], f"{tag}shape", axis=1)
        timing = quantise(dense("rhythm", rhythm, "rhythm_levels"), f"{tag}both_levels", tensors["joined"], f"{tag}timing_stored")
        both = graph.add("Concat", [shape, timing], f"{tag}both", axis=1)
        hidden = dense("joined", both, f"{tag}both_levels")
        return quantise(hidden, "hidden_levels", network.hidden, f"{tag}hidden_stored")

    hidden = graph.add("Concat", [member(*one) for one in enumerate(network.members)], "hidden", axis=1)
    product("out", network.out, hidden, "hidden_levels", OUTPUT)
    return graph.model("ecg_beat_int8", *ENDS)
