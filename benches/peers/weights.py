"""Reads a model directory: settings, weights in f32, and what a pass through the encoder costs."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

# Hard-wired in DistilBERT; config.json does not state it.
EPSILON = 1e-12


class Encoder:
    """Settings and weights of a DistilBERT-shaped encoder."""

    def __init__(self, directory):
        self.config = json.loads(Path(directory, "config.json").read_text(encoding="utf-8"))
        self.dim, self.hidden = self.config["dim"], self.config["hidden_dim"]
        self.heads, self.layers = self.config["n_heads"], self.config["n_layers"]
        tensors = load_file(Path(directory, "model.safetensors"))
        self.tensors = {name.removeprefix("distilbert."): tensor.astype(np.float32) for name, tensor in tensors.items()}

    def embeddings(self, name):
        return self.tensors[f"embeddings.{name}"]

    def layer(self, index, name):
        return self.tensors[f"transformer.layer.{index}.{name}"]

    def operations(self, lengths):
        """Multiplications and additions of the matrix products for texts of these lengths in tokens."""
        token = 2 * (4 * self.dim**2 + 2 * self.dim * self.hidden)
        return sum(self.layers * length * (token + 4 * length * self.dim) for length in lengths)
