"""An ONNX graph in the making, with operators of the default domain only."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, operator, inputs, output, **attributes):
        """A node; returns its output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name, array):
        """A constant, once for each name; returns the name."""
        if all(known.name != name for known in self.constants):
            self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def levels(self, name, tensor):
        """Scale and zero point of a stored tensor."""
        return [self.constant(f"{name}_scale", np.float32(tensor.scale)), self.constant(f"{name}_zero", np.uint8(tensor.zero))]

    def convolution(self, name, parameters, x, shape, relu):
        """A float convolution, with ReLU if asked for."""
        weights, bias = parameters
        inputs = [x, self.constant(f"{name}_weights", weights), self.constant(f"{name}_bias", bias)]
        if not relu:
            return self.add("Conv", inputs, name, **_attributes(*shape))
        return self.add("Relu", [self.add("Conv", inputs, f"{name}_sum", **_attributes(*shape))], name)

    def product(self, name, parameters, x, output):
        """A float product and its bias."""
        weights, bias = parameters
        sums = self.add("MatMul", [x, self.constant(f"{name}_weights", weights)], f"{name}_product")
        return self.add("Add", [sums, self.constant(f"{name}_bias", bias)], output)

    def quantise(self, x, levels, tensor, output):
        """Real numbers to stored ones."""
        return self.add("QuantizeLinear", [x, *self.levels(levels, tensor)], output)

    def dequantise(self, x, levels, tensor, output):
        """Stored numbers to real ones."""
        return self.add("DequantizeLinear", [x, *self.levels(levels, tensor)], output)

    def stored_convolution(self, name, layer, x, source, target, shape):
        """A convolution on stored numbers; `source` and `target` name the levels."""
        scales = layer.scales.astype(np.float32)
        inputs = [*self._linear(name, layer, x, source, target, scales), self.constant(f"{name}_bias", layer.bias)]
        return self.add("QLinearConv", inputs, f"{name}_stored", **_attributes(*shape))

    def stored_product(self, name, layer, x, source, output):
        """A product on stored numbers, in real ones, and its bias."""
        # It has one scale for all its weights.
        inputs = self._linear(name, layer, x, source, f"{name}_levels", np.float32(layer.scales[0]))
        stored = self.add("QLinearMatMul", inputs, f"{name}_stored")
        sums = self.dequantise(stored, f"{name}_levels", layer.target, f"{name}_product")
        return self.add("Add", [sums, self.constant(f"{name}_bias", layer.bias)], output)

    def model(self, name, inputs, output):
        """The file's bytes. `inputs` and `output` map names to shapes without the batch."""
        real = lambda shapes: [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape]) for name, shape in shapes.items()]
        graph = helper.make_graph(self.nodes, name, real(inputs), real(output), self.constants)
        model = helper.make_model(
            graph, producer_name="wardlight", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)

    def _linear(self, name, layer, x, source, target, scales):
        return [
            x, *self.levels(source, layer.source),
            self.constant(f"{name}_weights", layer.weights),
            self.constant(f"{name}_weights_scale", scales),
            self.constant(f"{name}_weights_zero", np.zeros_like(scales, np.int8)),
            *self.levels(target, layer.target),
        ]


def _attributes(kernel, stride, padding, groups=None):
    grouped = {} if groups is None else {"group": groups}
    return {"kernel_shape": [kernel], "strides": [stride], "pads": [padding, padding]} | grouped
