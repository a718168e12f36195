"""Writes the float and the int8 network of `ecg-vf` as ONNX, with operators of the default domain only."""

from .onnx_graph import Graph
from .vf_network import CLASSES, CONVOLUTIONS, DENSE
from .vf_quantise import WINDOW, shape
from .vf_rows import WINDOW as LENGTH

INPUT, OUTPUT = "window", "logits"
# Shapes of the ends, without the batch.
ENDS = {INPUT: [1, LENGTH]}, {OUTPUT: [CLASSES]}


def float_model(parameters):
    """Conv, Relu, GlobalAveragePool, Flatten, MatMul, Add in f32."""
    graph = Graph()
    x = INPUT
    for name in CONVOLUTIONS:
        x = graph.convolution(name, parameters[name], x, shape(name), relu=True)
    x = graph.add("Flatten", [graph.add("GlobalAveragePool", [x], "pooled")], "mean", axis=1)
    for name in DENSE:
        last = name == "out"
        x = graph.product(name, parameters[name], x, OUTPUT if last else f"{name}_sum")
        if not last:
            x = graph.add("Relu", [x], name)
    return graph.model("ecg_vf_f32", *ENDS)


def int8_model(network):
    """QOperator form; ReLU of a convolution is the clamp at its zero point, 0."""
    graph = Graph()
    source = "window_levels"
    x = graph.quantise(INPUT, source, WINDOW, "window_stored")
    for name in CONVOLUTIONS:
        x = graph.stored_convolution(name, network.linear[name], x, source, f"{name}_levels", shape(name))
        source = f"{name}_levels"
    x = graph.dequantise(x, source, network.linear["fourth"].target, "real")
    x = graph.add("GlobalAveragePool", [x], "pooled")
    x = graph.add("Flatten", [x], "mean", axis=1)
    for name, stored in zip(DENSE, (network.mean, network.hidden)):
        x = graph.quantise(x, f"{name}_in_levels", stored, f"{name}_in_stored")
        last = name == "out"
        x = graph.stored_product(name, network.linear[name], x, f"{name}_in_levels", OUTPUT if last else f"{name}_sum")
        if not last:
            x = graph.add("Relu", [x], name)
    return graph.model("ecg_vf_int8", *ENDS)
