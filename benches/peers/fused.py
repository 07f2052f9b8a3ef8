"""The encoder as ONNX with the fused operators of ONNX Runtime; dynamic quantization keeps that form."""

import numpy as np
import onnx
from graph import Graph
from onnxruntime.quantization import QuantType, quantize_dynamic
from weights import EPSILON

DOMAIN = "com.microsoft"


class Fused(Graph):
    """Builds the graph, a layer at a time."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def embed(self):
        """The first hidden state, and the length of each text, which hides padding from attention."""
        names = ["word_embeddings.weight", "position_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias"]
        words, places, gamma, beta = (self.weight(self.encoder.embeddings(name)) for name in names)
        inputs = ["ids", "", words, places, "", gamma, beta, "mask"]
        return self.node("EmbedLayerNormalization", *inputs, outputs=2, domain=DOMAIN, epsilon=EPSILON)

    def attention(self, x, lengths, index):
        weights = [self.encoder.layer(index, f"attention.{part}_lin.weight").T for part in "qkv"]
        biases = [self.encoder.layer(index, f"attention.{part}_lin.bias") for part in "qkv"]
        weight, bias = self.weight(np.concatenate(weights, axis=1)), self.weight(np.concatenate(biases))
        x = self.node("Attention", x, weight, bias, lengths, domain=DOMAIN, num_heads=self.encoder.heads)
        return self.matmul(x, self.encoder.layer(index, "attention.out_lin.weight"))

    def feed_forward(self, x, index):
        x = self.matmul(x, self.encoder.layer(index, "ffn.lin1.weight"))
        x = self.node("BiasGelu", x, self.weight(self.encoder.layer(index, "ffn.lin1.bias")), domain=DOMAIN)
        return self.matmul(x, self.encoder.layer(index, "ffn.lin2.weight"))

    def add_and_normalise(self, x, skip, index, linear, norm):
        names = [f"{norm}.weight", f"{norm}.bias", f"{linear}.bias"]
        inputs = [x, skip, *(self.weight(self.encoder.layer(index, name)) for name in names)]
        return self.node("SkipLayerNormalization", *inputs, domain=DOMAIN, epsilon=EPSILON)


def export_fused(encoder, path):
    graph = Fused(encoder)
    x, lengths = graph.embed()
    for index in range(encoder.layers):
        attended = graph.attention(x, lengths, index)
        x = graph.add_and_normalise(attended, x, index, "attention.out_lin", "sa_layer_norm")
        x = graph.add_and_normalise(graph.feed_forward(x, index), x, index, "ffn.lin2", "output_layer_norm")
    graph.save(path, graph.pool(x), encoder.dim)


def quantize_fused(source, path, layers, reduce_range):
    """Weights to int8 per channel; each activation gets its scale when it is computed."""
    quantize_dynamic(
        source,
        path,
        op_types_to_quantize=["Attention", "MatMul"],
        per_channel=True,
        reduce_range=reduce_range,
        weight_type=QuantType.QInt8,
        # Of the fused operators, whose types onnx cannot infer.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    operators = [node.op_type for node in onnx.load(path).graph.node]
    found = {name: operators.count(name) for name in ("QAttention", "MatMulInteger")}
    if found != {"QAttention": layers, "MatMulInteger": 3 * layers}:
        raise SystemExit(f"{path}: not all matrix products are quantized: {found}")
