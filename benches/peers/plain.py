"""The encoder as ONNX with standard operators only, which OpenVINO fuses as it compiles; and its int8 form by NNCF."""

import numpy as np
from graph import Graph
from onnx import TensorProto
from weights import EPSILON


class Plain(Graph):
    """Builds the graph, a layer at a time."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.head = encoder.dim // encoder.heads
        self.split = self.weight(np.array([0, 0, encoder.heads, self.head]))
        self.merge = self.weight(np.array([0, 0, encoder.dim]))
        self.penalty = self.penalize_padding()

    def penalize_padding(self):
        """What is added to the scores of attention: nothing for a token, very little is left of padding."""
        mask = self.node("Cast", "mask", to=TensorProto.FLOAT)
        padding = self.node("Sub", mask, self.weight(np.float32(1)))
        penalty = self.node("Mul", padding, self.weight(np.float32(1e4)))
        return self.node("Unsqueeze", penalty, self.weight(np.array([1, 2])))

    def embed(self):
        names = ["word_embeddings.weight", "position_embeddings.weight"]
        words, places = (self.weight(self.encoder.embeddings(name)) for name in names)
        length = self.node("Shape", "ids", start=1, end=2)
        zero = self.weight(np.array([0]))
        x = self.node("Add", self.node("Gather", words, "ids"), self.node("Slice", places, zero, length, zero))
        return self.normalise(x, *(self.encoder.embeddings(f"LayerNorm.{part}") for part in ("weight", "bias")))

    def normalise(self, x, gamma, beta):
        inputs = [x, self.weight(gamma), self.weight(beta)]
        return self.node("LayerNormalization", *inputs, axis=-1, epsilon=EPSILON)

    def add_and_normalise(self, x, skip, index, norm):
        gamma, beta = (self.encoder.layer(index, f"{norm}.{part}") for part in ("weight", "bias"))
        return self.normalise(self.node("Add", x, skip), gamma, beta)

    def linear(self, x, index, name, scale=1):
        weight, bias = (np.float32(scale) * self.encoder.layer(index, f"{name}.{part}") for part in ("weight", "bias"))
        return self.node("Add", self.matmul(x, weight), self.weight(bias))

    def heads(self, x, order):
        return self.node("Transpose", self.node("Reshape", x, self.split), perm=order)

    def attention(self, x, index):
        query = self.heads(self.linear(x, index, "attention.q_lin", self.head**-0.5), [0, 2, 1, 3])
        key = self.heads(self.linear(x, index, "attention.k_lin"), [0, 2, 3, 1])
        value = self.heads(self.linear(x, index, "attention.v_lin"), [0, 2, 1, 3])
        scores = self.node("Add", self.node("MatMul", query, key), self.penalty)
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), value)
        mixed = self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), self.merge)
        return self.linear(mixed, index, "attention.out_lin")

    def feed_forward(self, x, index):
        return self.linear(self.node("Gelu", self.linear(x, index, "ffn.lin1")), index, "ffn.lin2")


def export_plain(encoder, path):
    graph = Plain(encoder)
    x = graph.embed()
    for index in range(encoder.layers):
        x = graph.add_and_normalise(graph.attention(x, index), x, index, "sa_layer_norm")
        x = graph.add_and_normalise(graph.feed_forward(x, index), x, index, "output_layer_norm")
    graph.save(path, graph.pool(x), encoder.dim)


def quantize_plain(source, path, samples):
    """Weights and activations to int8, with scales from `samples`, a list of (ids, mask)."""
    import nncf
    import openvino

    dataset = nncf.Dataset([{"ids": ids, "mask": mask} for ids, mask in samples])
    model = openvino.Core().read_model(source)
    model = nncf.quantize(model, dataset, subset_size=len(samples), model_type=nncf.ModelType.TRANSFORMER)
    openvino.save_model(model, path, compress_to_fp16=False)
