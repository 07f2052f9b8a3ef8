"""Runs the engines by turns and prints the table of a mode."""

import sys
import time

import machine
from contenders import contenders
from table import table
from vigie_runner import vigies

PAUSE = 0.3  # seconds between engines, in which the threads of the last one stop spinning
TITLES = {"batch": "Batches of 32, sorted by length", "single": "One text at a time"}


def slice_of(texts, index, count):
    """The texts of a round; the first ones again when all were used."""
    return [texts[(index * count + offset) % len(texts)] for offset in range(count)]


def measure(engines, slices):
    """Posts a second of each round by (name, precision); each round starts with another engine."""
    speeds = {(engine.name, engine.precision): [] for engine in engines}
    for index, texts in enumerate(slices):
        turn = index % len(engines)
        for engine in engines[turn:] + engines[:turn]:
            time.sleep(PAUSE)
            speeds[engine.name, engine.precision].append(engine.measure(texts))
        print(f"round {index + 1} of {len(slices)}", file=sys.stderr)
    return speeds


def engines_of(args, setting, texts):
    def wanted(name):
        return any(word.lower() in name.lower() for word in args.engines)

    engines = list(contenders(args.work, setting, texts, wanted))
    if args.binary and wanted("vigie"):
        engines += vigies(args.binary, args.model, args.precisions, setting.mode, args.threads)
    if not engines:
        raise SystemExit("there is no engine to measure")
    return engines


def compare(args, setting, texts):
    """Prints the table of one mode."""
    slices = [slice_of(texts, index, args.count) for index in range(args.rounds)]
    engines = engines_of(args, setting, slices[0])
    speeds = measure(engines, slices)
    lengths = [len(encoding) for encoding in setting.tokenizer.encode_batch_fast(sum(slices, []))]
    operations = setting.encoder.operations(lengths) / len(lengths)
    mean = sum(lengths) / len(lengths)
    print(f"\n{TITLES[setting.mode]}: {args.rounds} rounds of {args.count} texts; a text has ", end="")
    print(f"{mean:.0f} tokens and takes {operations / 1e6:.0f} million operations, on average\n")
    print(table(engines, speeds, operations, machine.peaks(args.peak, args.threads)), flush=True)
