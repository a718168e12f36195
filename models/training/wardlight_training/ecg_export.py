"""Writes the float and the int8 network of `ecg-beat` as ONNX, with operators of the default domain only."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .ecg_network import CLASSES, CONVOLUTIONS, DENSE
from .ecg_quantise import RHYTHM, WINDOW
from .ecg_rows import CHANNELS
from .ecg_rows import WINDOW as LENGTH
from .export import IR_VERSION, OPSET

INPUTS, OUTPUT = ("window", "rhythm"), "logits"


class _Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def levels(self, name, tensor):
        """Scale and zero point, once for each storage."""
        names = [f"{name}_scale", f"{name}_zero"]
        if not any(c.name == names[0] for c in self.constants):
            self.constant(names[0], np.float32(tensor.scale))
            self.constant(names[1], np.uint8(tensor.zero))
        return names

    def model(self, name):
        graph = helper.make_graph(
            self.nodes, name,
            [
                helper.make_tensor_value_info(INPUTS[0], TensorProto.FLOAT, ["batch", CHANNELS, LENGTH]),
                helper.make_tensor_value_info(INPUTS[1], TensorProto.FLOAT, ["batch", DENSE["rhythm"][0]]),
            ],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", CLASSES])],
            self.constants,
        )
        model = helper.make_model(
            graph, producer_name="wardlight", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)


def _shape(name):
    _, _, kernel, stride, groups = CONVOLUTIONS[name]
    pad = 0 if name == "place" else kernel // 2
    return {"kernel_shape": [kernel], "strides": [stride], "pads": [pad, pad], "group": groups}


def float_model(parameters):
    """Conv, Relu, Add, Flatten, MatMul, Concat in f32."""
    graph = _Graph()

    def convolve(name, x):
        weights, bias = parameters[name]
        inputs = [x, graph.constant(f"{name}_weights", weights), graph.constant(f"{name}_bias", bias)]
        return graph.add("Relu", [graph.add("Conv", inputs, f"{name}_sum", **_shape(name))], name)

    def multiply(name, x, output):
        weights, bias = parameters[name]
        product = graph.add("MatMul", [x, graph.constant(f"{name}_weights", weights)], f"{name}_product")
        return graph.add("Add", [product, graph.constant(f"{name}_bias", bias)], output)

    second = convolve("second", convolve("first", INPUTS[0]))
    total = graph.add("Add", [second, convolve("third", second)], "sum")
    shape = graph.add("Flatten", [convolve("place", convolve("fourth", total))], "shape", axis=1)
    timing = graph.add("Relu", [multiply("rhythm", INPUTS[1], "rhythm_sum")], "timing")
    joined = graph.add("Concat", [shape, timing], "both", axis=1)
    hidden = graph.add("Relu", [multiply("joined", joined, "joined_sum")], "hidden")
    multiply("out", hidden, OUTPUT)
    return graph.model("ecg_beat_f32")


def int8_model(network):
    """QOperator form; ReLU of a convolution is the clamp at its zero point, 0."""
    graph = _Graph()
    tensors = network.tensors

    def quantise(x, name, tensor, output):
        return graph.add("QuantizeLinear", [x, *graph.levels(name, tensor)], output)

    def dequantise(x, name, tensor, output):
        return graph.add("DequantizeLinear", [x, *graph.levels(name, tensor)], output)

    def linear(operator, name, x, source, target, **attributes):
        layer = network.linear[name]
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

    def convolve(name, x, source, target=None):
        return linear("QLinearConv", name, x, source, target or f"{name}_levels", **_shape(name))

    def multiply(name, x, source, output):
        stored = linear("QLinearMatMul", name, x, source, f"{name}_levels")
        product = dequantise(stored, f"{name}_levels", network.linear[name].target, f"{name}_product")
        return graph.add("Add", [product, graph.constant(f"{name}_bias", network.linear[name].bias)], output)

    first = convolve("first", quantise(INPUTS[0], "window_levels", WINDOW, "window_stored"), "window_levels")
    second = convolve("second", first, "first_levels")
    third = convolve("third", second, "second_levels")
    real = [
        dequantise(stored, f"{name}_levels", network.linear[name].target, f"{name}_real")
        for name, stored in (("second", second), ("third", third))
    ]
    total = quantise(graph.add("Add", real, "sum"), "sum_levels", tensors["sum"], "sum_stored")
    place = convolve("place", convolve("fourth", total, "sum_levels"), "fourth_levels", "joined_in_levels")
    shape = graph.add("Flatten", [place], "shape", axis=1)
    rhythm = quantise(INPUTS[1], "rhythm_in_levels", RHYTHM, "rhythm_in_stored")
    timing = graph.add("Relu", [multiply("rhythm", rhythm, "rhythm_in_levels", "rhythm_sum")], "timing")
    timing = quantise(timing, "joined_in_levels", tensors["joined"], "timing_stored")
    joined = graph.add("Concat", [shape, timing], "both", axis=1)
    hidden = graph.add("Relu", [multiply("joined", joined, "joined_in_levels", "joined_sum")], "hidden")
    hidden = quantise(hidden, "hidden_levels", tensors["hidden"], "hidden_stored")
    multiply("out", hidden, "hidden_levels", OUTPUT)
    return graph.model("ecg_beat_int8")
