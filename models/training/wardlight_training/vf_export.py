"""Writes the float and the int8 network of `ecg-vf` as ONNX, with operators of the default domain only."""

import numpy as np

from .onnx_graph import Graph
from .vf_network import CLASSES, CONVOLUTIONS, DENSE
from .vf_quantise import WINDOW
from .vf_rows import WINDOW as LENGTH

INPUT, OUTPUT = "window", "logits"
# Shapes of the ends, without the batch.
ENDS = {INPUT: [1, LENGTH]}, {OUTPUT: [CLASSES]}


def _shape(name):
    _, _, kernel, stride = CONVOLUTIONS[name]
    return {"kernel_shape": [kernel], "strides": [stride], "pads": [kernel // 2, kernel // 2]}


def float_model(parameters):
    """Conv, Relu, GlobalAveragePool, Flatten, MatMul, Add in f32."""
    graph = Graph()
    x = INPUT
    for name in CONVOLUTIONS:
        weights, bias = parameters[name]
        inputs = [x, graph.constant(f"{name}_weights", weights), graph.constant(f"{name}_bias", bias)]
        x = graph.add("Relu", [graph.add("Conv", inputs, f"{name}_sum", **_shape(name))], name)
    x = graph.add("Flatten", [graph.add("GlobalAveragePool", [x], "pooled")], "mean", axis=1)
    for name in DENSE:
        weights, bias = parameters[name]
        product = graph.add("MatMul", [x, graph.constant(f"{name}_weights", weights)], f"{name}_product")
        last = name == "out"
        x = graph.add("Add", [product, graph.constant(f"{name}_bias", bias)], OUTPUT if last else f"{name}_sum")
        if not last:
            x = graph.add("Relu", [x], name)
    return graph.model("ecg_vf_f32", *ENDS)


def int8_model(network):
    """QOperator form; ReLU of a convolution is the clamp at its zero point, 0."""
    graph = Graph()

    def linear(operator, name, x, source, **attributes):
        layer = network.linear[name]
        convolution = operator == "QLinearConv"
        # A product has one scale for all its weights.
        scales = layer.scales.astype(np.float32) if convolution else np.float32(layer.scales[0])
        inputs = [
            x, *graph.levels(source, layer.source),
            graph.constant(f"{name}_weights", layer.weights),
            graph.constant(f"{name}_weights_scale", scales),
            graph.constant(f"{name}_weights_zero", np.zeros_like(scales, np.int8)),
            *graph.levels(f"{name}_levels", layer.target),
        ]
        if convolution:
            inputs.append(graph.constant(f"{name}_bias", layer.bias))
        return graph.add(operator, inputs, f"{name}_stored", **attributes)

    source = "window_levels"
    x = graph.add("QuantizeLinear", [INPUT, *graph.levels(source, WINDOW)], "window_stored")
    for name in CONVOLUTIONS:
        x = linear("QLinearConv", name, x, source, **_shape(name))
        source = f"{name}_levels"
    x = graph.add("DequantizeLinear", [x, *graph.levels(source, network.linear["fourth"].target)], "real")
    x = graph.add("GlobalAveragePool", [x], "pooled")
    x = graph.add("Flatten", [x], "mean", axis=1)
    for name, stored in zip(DENSE, (network.mean, network.hidden)):
        layer = network.linear[name]
        x = graph.add("QuantizeLinear", [x, *graph.levels(f"{name}_in_levels", stored)], f"{name}_in_stored")
        x = linear("QLinearMatMul", name, x, f"{name}_in_levels")
        x = graph.add("DequantizeLinear", [x, *graph.levels(f"{name}_levels", layer.target)], f"{name}_product")
        last = name == "out"
        x = graph.add("Add", [x, graph.constant(f"{name}_bias", layer.bias)], OUTPUT if last else f"{name}_sum")
        if not last:
            x = graph.add("Relu", [x], name)
    return graph.model("ecg_vf_int8", *ENDS)
