"""Writes the encoder in the form of each peer, unless the files are newer than the weights and these scripts.

    python benches/peers/export.py [MODEL_DIR] [WORK_DIR]
"""

import logging
import sys
from contextlib import redirect_stdout
from pathlib import Path

from fused import export_fused, quantize_fused
from plain import export_plain, quantize_plain
from texts import batches, load_texts, load_tokenizer
from weights import Encoder

HERE = Path(__file__).parent
CALIBRATION = 300  # texts for the scales of OpenVINO's int8
FUSED, FUSED_INT8, FUSED_REDUCED = "fused.onnx", "fused-int8.onnx", "fused-int8-reduced.onnx"
PLAIN, PLAIN_INT8 = "plain.onnx", "plain-int8.xml"


def is_current(mark, model):
    """Whether `mark`, the last file of an export, names this model and is the newest."""
    sources = [Path(model, "model.safetensors"), *HERE.glob("*.py")]
    newest = max(source.stat().st_mtime for source in sources)
    return mark.exists() and mark.read_text() == str(Path(model).resolve()) and mark.stat().st_mtime > newest


def calibration(model, texts):
    """The last texts: a comparison takes the first ones."""
    tokenizer = load_tokenizer(model)
    return [(ids, mask) for _, ids, mask in batches(tokenizer, texts[-CALIBRATION:], "single")]


def export(model, work, texts):
    """All files of the peers, in the folder `work`."""
    mark = work / "complete"
    if is_current(mark, model):
        return
    work.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)
    with redirect_stdout(sys.stderr):  # where the progress belongs
        encoder = Encoder(model)
        export_fused(encoder, work / FUSED)
        quantize_fused(work / FUSED, work / FUSED_INT8, encoder.layers, reduce_range=False)
        quantize_fused(work / FUSED, work / FUSED_REDUCED, encoder.layers, reduce_range=True)
        export_plain(encoder, work / PLAIN)
        quantize_plain(work / PLAIN, work / PLAIN_INT8, calibration(model, texts))
    mark.write_text(str(Path(model).resolve()))


if __name__ == "__main__":
    model, work = (sys.argv[1:] + ["models/default", "target/peers/models"][len(sys.argv) - 1:])[:2]
    export(model, Path(work), load_texts("tests/data/airline.csv"))
