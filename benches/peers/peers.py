"""Posts/s of vigie against PyTorch, ONNX Runtime and OpenVINO: same weights, same texts, same threads, interleaved.

    benches/peers/run.sh [OPTIONS]

Each round runs every engine once on the same slice of the texts, in an order that rotates, because the speed of a
machine drifts. Everything is timed from text to vector, tokenizing included, after a round that warms up.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the bench `classify_once`; without it vigie is left out")
    parser.add_argument("--peak", help="the bench `peak`, which measures what the machine can do")
    parser.add_argument("--precisions", nargs="*", default=["f32", "bf16", "int8"], help="of vigie; also: auto")
    parser.add_argument("--engines", nargs="+", default=[""], help="only those whose name contains one of these words")
    parser.add_argument("--modes", nargs="+", default=["batch", "single"], choices=["batch", "single"])
    parser.add_argument("--model", default=str(ROOT / "models/default"))
    parser.add_argument("--texts", default=str(ROOT / "tests/data/airline.csv"), help="a CSV file with a column `text`")
    parser.add_argument("--work", type=Path, default=ROOT / "target/peers/models", help="folder of the exported graphs")
    parser.add_argument("--count", type=int, default=512, help="texts a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--check", action="store_true", help="compare the vectors with PyTorch's instead of the speeds")
    return parser.parse_args()


def keep_to(threads):
    """Gives this process, and those that it starts, as many cores as threads; before any engine is loaded."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["RAYON_NUM_THREADS"] = str(threads)  # of the tokenizer, and of vigie
    os.environ["NNCF_CI"] = "1"  # sends nothing to its makers


def main():
    args = options()
    keep_to(args.threads)
    # Only now: engines read the number of cores when they are loaded.
    import machine
    from check import check
    from export import export
    from peer import Setting
    from rounds import compare
    from texts import load_texts, load_tokenizer
    from weights import Encoder

    print(machine.describe(args.threads), flush=True)
    texts = load_texts(args.texts)
    export(args.model, args.work, texts)
    encoder, tokenizer = Encoder(args.model), load_tokenizer(args.model)
    if args.check:
        sys.exit(not check(args.work, Setting(encoder, tokenizer, "single", args.threads), texts))
    for mode in args.modes:
        compare(args, Setting(encoder, tokenizer, mode, args.threads), texts)


main()
