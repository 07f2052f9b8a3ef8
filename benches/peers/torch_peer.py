"""PyTorch in f32: a lean forward pass on its functions alone; also the reference of `--check`."""

import torch
from peer import Peer
from torch.nn import functional
from weights import EPSILON


class PyTorch(Peer):
    def __init__(self, setting):
        super().__init__(setting)
        self.encoder = setting.encoder
        self.tensors = {name: torch.from_numpy(tensor) for name, tensor in self.encoder.tensors.items()}

    def start_thread(self):
        torch.set_num_threads(self.setting.threads_each)

    def parameters(self, name):
        return self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]

    def normalise(self, x, name):
        return functional.layer_norm(x, (self.encoder.dim,), *self.parameters(name), EPSILON)

    def attention(self, x, visible, layer):
        split = (*x.shape[:2], self.encoder.heads, -1)
        linear = [functional.linear(x, *self.parameters(f"{layer}.{part}_lin")) for part in "qkv"]
        query, key, value = (part.view(split).transpose(1, 2) for part in linear)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        return functional.linear(mixed.transpose(1, 2).reshape(x.shape), *self.parameters(f"{layer}.out_lin"))

    def layer(self, x, visible, name):
        x = self.normalise(x + self.attention(x, visible, f"{name}.attention"), f"{name}.sa_layer_norm")
        hidden = functional.gelu(functional.linear(x, *self.parameters(f"{name}.ffn.lin1")))
        x = x + functional.linear(hidden, *self.parameters(f"{name}.ffn.lin2"))
        return self.normalise(x, f"{name}.output_layer_norm")

    @torch.inference_mode()
    def forward(self, ids, mask):
        mask = torch.from_numpy(mask)
        # A batch without padding needs no mask.
        visible = None if mask.all() else mask.bool()[:, None, None, :]
        words = functional.embedding(torch.from_numpy(ids), self.tensors["embeddings.word_embeddings.weight"])
        places = self.tensors["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self.normalise(words + places, "embeddings.LayerNorm")
        for index in range(self.encoder.layers):
            x = self.layer(x, visible, f"transformer.layer.{index}")
        weights = mask.float().unsqueeze(2)
        return ((x * weights).sum(1) / weights.sum(1)).numpy()
