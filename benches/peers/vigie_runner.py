"""vigie itself, by the binary of the bench `classify_once`."""

import json
import os
import subprocess
import sys
import tempfile

ALL_PRECISIONS = ["f32", "bf16", "int8", "auto"]


class Vigie:
    name, is_peer = "vigie", False

    def __init__(self, binary, model, precision, mode, threads):
        self.precision = precision
        self.binary, self.model, self.mode = binary, model, mode
        self.environment = os.environ | {"RAYON_NUM_THREADS": str(threads)}

    def call(self, texts):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(texts, file)
            file.flush()
            # Two rounds, of which the first warms up.
            command = [self.binary, self.model, file.name, self.mode, "2", self.precision]
            return subprocess.run(command, capture_output=True, text=True, env=self.environment)

    def measure(self, texts):
        """Posts a second."""
        done = self.call(texts)
        if done.returncode != 0:
            raise SystemExit(f"{self.binary} failed: {done.stderr.strip()}")
        return float(done.stdout.split()[-1])

    def runs(self):
        return self.call(["a text"]).returncode == 0


def vigies(binary, model, precisions, mode, threads):
    """Those of `precisions` that the binary computes."""
    wanted = [Vigie(binary, model, precision, mode, threads) for precision in precisions]
    for engine in wanted:
        if not engine.runs():
            print(f"vigie: this binary refuses {engine.precision} on this machine", file=sys.stderr)
    return [engine for engine in wanted if engine.runs()]
