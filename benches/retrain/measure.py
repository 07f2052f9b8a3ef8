"""Measures what a retraining gains on real tweets, and its time and memory; the numbers are in docs/lab.md.

    cargo build --release
    python3 benches/retrain/measure.py target/release/vigie ../shared/data

Draws 800 labelled tweets of a set that the bundled model has not seen, gives their labels to a daemon as corrections, and runs
`vigie lab retrain`, judged on 1,000 others and on the last fifth of the airline dump: once with all labels, once with only those
that the model read wrong, as a team corrects.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request

VIGIE, DATA = (os.path.abspath(path) for path in sys.argv[1:3])
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LABELS = ("negative", "neutral", "positive")


def read(path):
    with open(os.path.join(DATA, path), newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["label"] in LABELS]


def write(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["label", "text"])
        out.writerows((row["label"], row["text"]) for row in rows)


def correct(directory, url, rows, only_wrong):
    """Gives the labels to the daemon; returns how many the model had read differently."""
    with open(os.path.join(directory, "state/api-token"), encoding="utf-8") as file:
        token = file.read().strip()
    headers = {"content-type": "application/json", "authorization": "Bearer " + token}

    def post(path, body):
        request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    read_labels = [it["label"] for it in post("/api/v1/classify", {"texts": [row["text"] for row in rows]})["predictions"]]
    for row, label in zip(rows, read_labels):
        if label != row["label"] or not only_wrong:
            post("/api/v1/feedback", {"what": row["text"], "label": row["label"], "by": "team", "is_text": True})
    return sum(row["label"] != label for row, label in zip(rows, read_labels))


def measure(corrections, only_wrong):
    with tempfile.TemporaryDirectory() as directory:
        write(os.path.join(directory, "held-out.csv"), tweets[800:1800])
        write(os.path.join(directory, "airline.csv"), airline)
        open(os.path.join(directory, "posts.jsonl"), "w").close()
        with open(os.path.join(directory, "vigie.toml"), "w", encoding="utf-8") as file:
            file.write(
                '[daemon]\nstate = "state"\n[web]\nlisten = "127.0.0.1:0"\n'
                f'[classify]\nmodel = "{ROOT}/models"\n[retrain]\nheld_out = ["held-out.csv", "airline.csv"]\n'
                '[[source]]\nname = "desk"\ntype = "file"\npath = "posts.jsonl"\nlayout = "jsonl"\n'
            )
        flags = ["--config", "vigie.toml", "--state", "state"]
        daemon = subprocess.Popen([VIGIE, "run", *flags], cwd=directory, stderr=subprocess.PIPE, text=True)
        try:
            url = next(line.split("console: ")[1].split("/ ")[0] for line in daemon.stderr if "console: " in line)
            wrong = correct(directory, url.strip().rstrip("/"), corrections, only_wrong)
        finally:
            daemon.terminate()
            daemon.wait()
        started = time.monotonic()
        child = subprocess.Popen([VIGIE, "lab", "retrain", *flags], cwd=directory)
        _, status, usage = os.wait4(child.pid, 0)
        assert status == 0
        print(f"\n{wrong} of {len(corrections)} read wrong before; {time.monotonic() - started:.0f} s, {usage.ru_maxrss // 1024} MB\n")


random.seed(5)
tweets = read("more/en_tse_kaggle.csv")
random.shuffle(tweets)
airline = sorted(read("airline/tweets.csv"), key=lambda row: row["created_at"])
airline = airline[-(len(airline) // 5):]
for only_wrong in (False, True):
    print("== only what the model read wrong" if only_wrong else "== all labels")
    measure(tweets[:800], only_wrong)
