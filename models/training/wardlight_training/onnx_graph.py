"""An ONNX graph in the making, with operators of the default domain only."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .export import IR_VERSION, OPSET


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

    def model(self, name, inputs, output):
        """The file's bytes. `inputs` and `output` map names to shapes without the batch."""
        real = lambda shapes: [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape]) for name, shape in shapes.items()]
        graph = helper.make_graph(self.nodes, name, real(inputs), real(output), self.constants)
        model = helper.make_model(
            graph, producer_name="wardlight", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
