"""Posts/s of vigie against transformers + PyTorch one text at a time, on the same weights and texts, interleaved.

    cargo bench -p vigie-reading --bench classify_once --no-run        (prints the path of BINARY)
    python benches/versus_pytorch.py MODEL_DIR TEXTS.csv BINARY [--count 400] [--rounds 5] [--threads 2]

TEXTS.csv has a column `text`. The machine's speed drifts, so each round runs every engine on its own slice, and the ratio
of each round is what counts. `cpu` is CPU milliseconds a post, which other load on the machine disturbs less.
"""

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import DistilBertConfig, DistilBertModel


def pytorch(model_dir):
    """What a small web app does: tokenize one text, run the model, pool."""
    with open(f"{model_dir}/config.json") as file:
        model = DistilBertModel(DistilBertConfig(**json.load(file))).eval()
    weights = load_file(f"{model_dir}/model.safetensors")
    model.load_state_dict({name.removeprefix("distilbert."): tensor.float() for name, tensor in weights.items()})
    tokenizer = Tokenizer.from_file(f"{model_dir}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.config.max_position_embeddings)

    def run(texts):
        start, cpu = time.perf_counter(), time.process_time()
        with torch.inference_mode():
            for text in texts:
                ids = torch.tensor([tokenizer.encode(text).ids])
                model(input_ids=ids).last_hidden_state.mean(1)
        return len(texts) / (time.perf_counter() - start), (time.process_time() - cpu) / len(texts)

    return run


def vigie(binary, model_dir, mode, threads):
    def run(texts):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(texts, file)
            file.flush()
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            env = os.environ | {"RAYON_NUM_THREADS": str(threads)}
            output = subprocess.run([binary, model_dir, file.name, mode], check=True, capture_output=True, env=env).stdout
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return float(output.split()[-1]), (after.ru_utime - before.ru_utime) / len(texts)

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_dir")
    parser.add_argument("texts")
    parser.add_argument("binary")
    parser.add_argument("--count", type=int, default=400, help="texts a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    with open(args.texts, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    random.Random(1).shuffle(texts)
    engines = {
        "transformers + PyTorch, one at a time": pytorch(args.model_dir),
        "vigie, batched": vigie(args.binary, args.model_dir, "batch", args.threads),
        "vigie, one at a time": vigie(args.binary, args.model_dir, "single", args.threads),
    }
    results = {name: [] for name in engines}
    engines["transformers + PyTorch, one at a time"](texts[:20])  # warm up
    for index in range(args.rounds):
        start = index * args.count % max(1, len(texts) - args.count)
        for name, run in engines.items():
            results[name].append(run(texts[start:start + args.count]))
    base = [speed for speed, _ in next(iter(results.values()))]
    print(f"{'engine':40} {'posts/s':>8} {'cpu ms':>7}  ratio, median (least to most)")
    for name, rows in results.items():
        ratios = sorted(speed / other for (speed, _), other in zip(rows, base))
        speed, cpu = statistics.median(s for s, _ in rows), 1000 * statistics.median(c for _, c in rows)
        print(f"{name:40} {speed:8.1f} {cpu:7.2f}  {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


main()
