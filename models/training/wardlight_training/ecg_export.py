"""Writes the float and the int8 ensemble of `ecg-beat` as ONNX, with operators of the default domain only."""

from .ecg_network import CLASSES, DENSE
from .ecg_quantise import RHYTHM, WINDOW, shape
from .ecg_rows import CHANNELS
from .ecg_rows import WINDOW as LENGTH
from .onnx_graph import Graph
from .stored import mean_output

INPUTS, OUTPUT = ("window", "rhythm"), "logits"
# Shapes of the ends, without the batch.
ENDS = {INPUTS[0]: [CHANNELS, LENGTH], INPUTS[1]: [DENSE["rhythm"][0]]}, {OUTPUT: [CLASSES]}


def float_model(ensemble):
    """Conv, Relu, Add, Flatten, MatMul, Concat in f32."""
    graph = Graph()

    def member(at, parameters):
        tag = f"m{at}_"

        def convolve(name, x):
            return graph.convolution(tag + name, parameters[name], x, shape(name), relu=True)

        def dense(name, x):
            return graph.add("Relu", [graph.product(tag + name, parameters[name], x, f"{tag}{name}_sum")], f"{tag}{name}")

        second = convolve("second", convolve("first", INPUTS[0]))
        total = graph.add("Add", [second, convolve("third", second)], f"{tag}total")
        place = graph.add("Flatten", [convolve("place", convolve("fourth", total))], f"{tag}shape", axis=1)
        both = graph.add("Concat", [place, dense("rhythm", INPUTS[1])], f"{tag}both", axis=1)
        return dense("joined", both)

    hidden = graph.add("Concat", [member(*one) for one in enumerate(ensemble)], "hidden", axis=1)
    graph.product("out", mean_output(ensemble), hidden, OUTPUT)
    return graph.model("ecg_beat_f32", *ENDS)


def int8_model(network):
    """QOperator form; ReLU of a convolution is the clamp at its zero point, 0."""
    graph = Graph()
    window = graph.quantise(INPUTS[0], "window_levels", WINDOW, "window_stored")
    rhythm = graph.quantise(INPUTS[1], "rhythm_levels", RHYTHM, "rhythm_stored")

    def member(at, own):
        tag, tensors = f"m{at}_", own.tensors

        def convolve(name, x, source, target=None):
            return graph.stored_convolution(tag + name, own.linear[name], x, source, target or f"{tag}{name}_levels", shape(name))

        def dense(name, x, source):
            return graph.add("Relu", [graph.stored_product(tag + name, own.linear[name], x, source, f"{tag}{name}_sum")], f"{tag}{name}")

        second = convolve("second", convolve("first", window, "window_levels"), f"{tag}first_levels")
        third = convolve("third", second, f"{tag}second_levels")
        real = [
            graph.dequantise(stored, f"{tag}{name}_levels", own.linear[name].target, f"{tag}{name}_real")
            for name, stored in (("second", second), ("third", third))
        ]
        total = graph.quantise(graph.add("Add", real, f"{tag}total"), f"{tag}sum_levels", tensors["sum"], f"{tag}total_stored")
        place = convolve("place", convolve("fourth", total, f"{tag}sum_levels"), f"{tag}fourth_levels", f"{tag}both_levels")
        flat = graph.add("Flatten", [place], f"{tag}shape", axis=1)
        timing = graph.quantise(dense("rhythm", rhythm, "rhythm_levels"), f"{tag}both_levels", tensors["joined"], f"{tag}timing_stored")
        both = graph.add("Concat", [flat, timing], f"{tag}both", axis=1)
        hidden = dense("joined", both, f"{tag}both_levels")
        return graph.quantise(hidden, "hidden_levels", network.hidden, f"{tag}hidden_stored")

    hidden = graph.add("Concat", [member(*one) for one in enumerate(network.members)], "hidden", axis=1)
    graph.stored_product("out", network.out, hidden, "hidden_levels", OUTPUT)
    return graph.model("ecg_beat_int8", *ENDS)
