"""Writes the float and the int8 ensemble of `deterioration` as ONNX, with operators of the default domain only."""

from .features import names
from .onnx_graph import Graph
from .risk_network import CHANNELS, CONVOLUTIONS
from .risk_quantise import INPUT, shape
from .stored import mean_output
from .vitals import MAX_HOURS

INPUTS, OUTPUT = ("features", "hours"), "logit"
# Shapes of the ends, without the batch.
ENDS = {INPUTS[0]: [len(names())], INPUTS[1]: [CHANNELS, MAX_HOURS]}, {OUTPUT: [1]}


def float_model(ensemble):
    """Conv, Relu, Flatten, Concat, MatMul, Add in f32."""
    graph = Graph()

    def member(at, parameters):
        tag = f"m{at}_"
        h = INPUTS[1]
        for name in CONVOLUTIONS:
            h = graph.convolution(tag + name, parameters[name], h, shape(name), relu=name != "course")
        course = graph.add("Flatten", [h], f"{tag}flat", axis=1)
        x = graph.add("Concat", [INPUTS[0], course], f"{tag}both", axis=1)
        for name in ("joined", "hidden"):
            x = graph.add("Relu", [graph.product(tag + name, parameters[name], x, f"{tag}{name}_sum")], f"{tag}{name}")
        return x

    last = graph.add("Concat", [member(*one) for one in enumerate(ensemble)], "last", axis=1)
    graph.product("out", mean_output(ensemble), last, OUTPUT)
    return graph.model("deterioration_f32", *ENDS)


def int8_model(network):
    """QOperator form; ReLU of a convolution is the clamp at its zero point, 0."""
    graph = Graph()
    features, hours = (graph.quantise(name, "input_levels", INPUT, f"{name}_stored") for name in INPUTS)

    def member(at, own):
        tag = f"m{at}_"
        h, source = hours, "input_levels"
        for name in CONVOLUTIONS:
            target = "input_levels" if name == "course" else f"{tag}{name}_levels"
            h = graph.stored_convolution(tag + name, own.linear[name], h, source, target, shape(name))
            source = target
        course = graph.add("Flatten", [h], f"{tag}flat", axis=1)
        x = graph.add("Concat", [features, course], f"{tag}both", axis=1)
        joined = graph.add("Relu", [graph.stored_product(f"{tag}joined", own.linear["joined"], x, source, f"{tag}joined_sum")], f"{tag}joined")
        x = graph.quantise(joined, f"{tag}joined_in_levels", own.joined, f"{tag}joined_in_stored")
        hidden = graph.stored_product(f"{tag}hidden", own.linear["hidden"], x, f"{tag}joined_in_levels", f"{tag}hidden_sum")
        last = graph.add("Relu", [hidden], f"{tag}hidden")
        return graph.quantise(last, "last_levels", network.last, f"{tag}last_stored")

    last = graph.add("Concat", [member(*one) for one in enumerate(network.members)], "last", axis=1)
    graph.stored_product("out", network.out, last, "last_levels", OUTPUT)
    return graph.model("deterioration_int8", *ENDS)
