"""Writes the float and the int8 network as ONNX, with operators of the default domain only."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
INPUT, OUTPUT = "features", "logit"


def float_model(network):
    """MatMul, Add, Relu in f32; input [batch, features], output [batch, 1]."""
    nodes, constants, value = [], [], INPUT
    last = len(network.weights) - 1
    for i, (weights, bias) in enumerate(zip(network.weights, network.biases)):
        constants += [_constant(f"w{i}", weights), _constant(f"b{i}", bias)]
        nodes.append(helper.make_node("MatMul", [value, f"w{i}"], [f"product{i}"]))
        value = _add_and_relu(nodes, f"product{i}", i, last)
    return _model("deterioration_f32", nodes, constants, network.weights[0].shape[0])


def int8_model(network):
    """QOperator form: QuantizeLinear, QLinearMatMul, DequantizeLinear, Add, Relu for each layer."""
    nodes, constants, value = [], [], INPUT
    last = len(network.layers) - 1
    for i, layer in enumerate(network.layers):
        constants += [
            _constant(f"x{i}_scale", np.float32(layer.source.scale)),
            _constant(f"x{i}_zero", np.uint8(layer.source.zero)),
            _constant(f"w{i}", layer.weights),
            _constant(f"w{i}_scale", np.float32(layer.weight_scale)),
            _constant(f"w{i}_zero", np.int8(0)),
            _constant(f"y{i}_scale", np.float32(layer.product.scale)),
            _constant(f"y{i}_zero", np.uint8(layer.product.zero)),
            _constant(f"b{i}", layer.bias),
        ]
        x, y = [f"x{i}_scale", f"x{i}_zero"], [f"y{i}_scale", f"y{i}_zero"]
        nodes.append(helper.make_node("QuantizeLinear", [value, *x], [f"stored{i}"]))
        nodes.append(helper.make_node(
            "QLinearMatMul", [f"stored{i}", *x, f"w{i}", f"w{i}_scale", f"w{i}_zero", *y], [f"stored_product{i}"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"stored_product{i}", *y], [f"product{i}"]))
        value = _add_and_relu(nodes, f"product{i}", i, last)
    return _model("deterioration_int8", nodes, constants, network.layers[0].weights.shape[0])


def _add_and_relu(nodes, product, i, last):
    total = OUTPUT if i == last else f"sum{i}"
    nodes.append(helper.make_node("Add", [product, f"b{i}"], [total]))
    if i == last:
        return total
    nodes.append(helper.make_node("Relu", [total], [f"active{i}"]))
    return f"active{i}"


def _constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def _model(name, nodes, constants, width):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", width])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", 1])],
        constants,
    )
    model = helper.make_model(graph, producer_name="wardlight", opset_imports=[helper.make_opsetid("", OPSET)],
                              ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)
