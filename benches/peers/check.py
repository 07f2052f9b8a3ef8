"""Tells whether the exported graphs are right: compares the vectors of each peer with PyTorch's, text by text."""

from dataclasses import replace

import numpy as np
from contenders import arrangements, makers
from torch_peer import PyTorch

TEXTS = 200
LIMIT = 1e-4  # of f32; the other precisions differ by their rounding


def cosine(left, right):
    return (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)


def check(work, setting, texts):
    """Prints a table; `setting` is that of single texts. False if a peer in f32 differs by more than the limit."""
    texts, right = texts[:TEXTS], True
    expected = PyTorch(setting).encode(texts)
    print(f"{len(texts)} texts against PyTorch f32; the mean size of a component is {np.abs(expected).mean():.3f}.\n")
    print("| engine | precision | mode | largest difference | least cosine |\n|---|---|---|---:|---:|")
    for name, precision, make in makers(work):
        settings = [setting, *arrangements(replace(setting, mode="batch"))]
        for each in settings:
            vectors = make(each).encode(texts)
            difference = np.abs(vectors - expected).max()
            mode = each.mode if each.mode == "single" else f"batch, {each.workers} at a time"
            least = cosine(vectors, expected).min()
            print(f"| {name} | {precision} | {mode} | {difference:.1e} | {least:.6f} |", flush=True)
            right &= precision != "f32" or difference < LIMIT
    return right
