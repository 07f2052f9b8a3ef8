"""Texts, and the batches of tokens that every peer gets."""

import csv
import random
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

MAX_TOKENS = 256
BATCH = 32


def load_texts(path):
    """The column `text` in an order that is random but always the same."""
    with open(path, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    random.Random(1).shuffle(texts)
    return texts


def load_tokenizer(model):
    tokenizer = Tokenizer.from_file(str(Path(model, "tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def pad(rows):
    """Token ids and mask of one batch, as long as its longest text."""
    ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int32)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, :len(row)] = row
        mask[index, :len(row)] = 1
    return ids, mask


def batches(tokenizer, texts, mode):
    """Yields (which texts, token ids, mask): 32 texts of about the same length, or one text at a time."""
    if mode == "single":
        for index, text in enumerate(texts):
            yield [index], *pad([tokenizer.encode(text).ids])
        return
    # The longest first, so that workers end at about the same time.
    rows = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]
    order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
    for start in range(0, len(order), BATCH):
        chosen = order[start:start + BATCH]
        yield chosen, *pad([rows[index] for index in chosen])
