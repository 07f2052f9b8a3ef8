"""A small builder of ONNX graphs: what `fused.py` and `plain.py` have in common."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 20, 10  # the first opset with Gelu, and a file version that every peer reads
SHAPE = ["texts", "tokens"]


class Graph:
    """Collects the nodes and weights of an encoder: token ids and mask in, one vector a text out."""

    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0

    def weight(self, array):
        self.count += 1
        name = f"weight_{self.count}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator, *inputs, outputs=1, domain="", **attributes):
        """Adds a node and returns the name of its output, or the names if it has several."""
        self.count += 1
        name = f"{operator}_{self.count}"
        names = [f"{name}_out_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=name, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def matmul(self, x, weight):
        """By a weight that is stored as PyTorch stores it, one row an output."""
        return self.node("MatMul", x, self.weight(weight.T))

    def pool(self, x):
        """The mean over the tokens of each text."""
        mask = self.node("Cast", "mask", to=TensorProto.FLOAT)
        rows = self.node("Unsqueeze", mask, self.weight(np.array([1])))
        total = self.node("Squeeze", self.node("MatMul", rows, x), self.weight(np.array([1])))
        count = self.node("ReduceSum", mask, self.weight(np.array([1])), keepdims=1)
        return self.node("Div", total, count)

    def save(self, path, vectors, dim):
        nodes = [*self.nodes, helper.make_node("Identity", [vectors], ["vectors"], name="vectors")]
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT32, SHAPE) for name in ("ids", "mask")]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [SHAPE[0], dim])]
        graph = helper.make_graph(nodes, "encoder", inputs, outputs, self.weights)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION), path)
