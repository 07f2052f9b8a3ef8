"""What all peers share: one engine in one precision, which turns texts to vectors and is measured doing so."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from texts import batches


@dataclass(frozen=True)
class Setting:
    """How an engine runs: `workers` batches at a time, each with its share of the threads."""

    encoder: Any
    tokenizer: Any
    mode: str
    threads: int
    workers: int = 1

    @property
    def threads_each(self):
        return max(1, self.threads // self.workers)


class Peer:
    """A subclass implements `forward`: token ids and mask of a batch to one vector a text."""

    def __init__(self, setting):
        self.setting = setting

    def start_thread(self):
        """Called in each thread that calls `forward`."""

    def encode(self, texts):
        """The vectors of the texts, in their order."""
        vectors = np.zeros((len(texts), self.setting.encoder.dim), dtype=np.float32)
        self.fill(vectors, batches(self.setting.tokenizer, texts, self.setting.mode))
        return vectors

    def fill(self, vectors, work):
        def fill_one(batch):
            chosen, ids, mask = batch
            vectors[chosen] = self.forward(ids, mask)

        if self.setting.workers == 1:
            self.start_thread()
            for batch in work:
                fill_one(batch)
        else:
            with ThreadPoolExecutor(self.setting.workers, initializer=self.start_thread) as pool:
                list(pool.map(fill_one, work))

    def measure(self, texts):
        """Posts a second, after a round that warms up."""
        self.encode(texts)
        start = time.perf_counter()
        self.encode(texts)
        return len(texts) / (time.perf_counter() - start)
