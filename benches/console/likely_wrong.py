"""How many of the first 100 posts are read wrong, in the orders of the posts page and in others that were tried; the numbers are in
docs/console.md.

    python3 benches/console/likely_wrong.py target/release/vigie ../shared/data

Reads the last fifth of the airline dump, which the bundled model has not seen, with `vigie classify`. A random part of the posts is
taken as reviewed by people, 60 times; the others are ordered. Orders that use the reviews:

    group    1 - p, times the wrong posts over the expected ones of the same label and reason, with 5 pseudo-posts on either side
    nearest  1 - q of the label, with q = (m p + sum of s y) / (m + sum of s) over the reviewed posts of TF-IDF cosine s >= 0.2 and
             their labels y: a Dirichlet posterior with the model as the prior of m = 8 posts
"""

import csv
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict

VIGIE, DATA = sys.argv[1:3]
LABELS = ["negative", "neutral", "positive"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIRST, ROUNDS, PRIOR, PSEUDO = 100, 60, 8, 5


def read_posts():
    with open(os.path.join(DATA, "airline/tweets.csv"), encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["created_at"])
    rows = rows[-(len(rows) // 5 + 1):]
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows(rows)
        file.flush()
        command = [VIGIE, "classify", "--file", file.name, "--model", f"{ROOT}/models/default", "--format", "json"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    read = {line["id"]: line for line in map(json.loads, lines)}
    posts = []
    for row in rows:
        p = [read[row["id"]]["probabilities"][label] for label in LABELS]
        text = re.sub(r"@\w+|https?://\S+", "", row["text"].lower())
        label, given = p.index(max(p)), LABELS.index(row["label"])
        posts.append({"p": p, "label": label, "given": given, "time": row["created_at"],
                      "group": (label, read[row["id"]].get("reason")), "words": set(re.findall(r"[a-z]{3,}", text))})
    with_word = Counter(word for post in posts for word in post["words"])
    weight = {word: math.log(len(posts) / count) ** 2 for word, count in with_word.items()}
    for post in posts:
        post["norm"] = math.sqrt(sum(weight[word] for word in post["words"])) or 1.0
    return posts, weight


def scores(reviewed, rest, weight):
    def doubt(post):
        ordered = sorted(post["p"])
        return 1 - (ordered[2] - ordered[1])

    wrong, expected, with_word = Counter(), Counter(), defaultdict(list)
    for post in reviewed:
        wrong[post["group"]] += post["label"] != post["given"]
        expected[post["group"]] += 1 - max(post["p"])
        for word in post["words"]:
            with_word[word].append(post)

    def nearest(post):
        shared = defaultdict(float)
        for word in post["words"]:
            for other in with_word[word]:
                shared[id(other)] += weight[word]
        q, total = [PRIOR * p for p in post["p"]], PRIOR
        for other in reviewed:
            similarity = shared.get(id(other), 0.0) / (post["norm"] * other["norm"])
            if similarity >= 0.2:
                q[other["given"]] += similarity
                total += similarity
        return 1 - q[post["label"]] / total

    def group(post):
        return (1 - max(post["p"])) * (wrong[post["group"]] + PSEUDO) / (expected[post["group"]] + PSEUDO)

    orders = {"newest": lambda post: post["time"], "doubtful": doubt, "1 - p": lambda post: 1 - max(post["p"]), "group": group, "nearest": nearest}
    found = {}
    for name, score in orders.items():
        first = sorted(rest, key=score, reverse=True)[:FIRST]
        found[name] = sum(post["label"] != post["given"] for post in first) / FIRST
    return found


def main():
    posts, weight = read_posts()
    print(f"{len(posts)} posts, {sum(post['label'] != post['given'] for post in posts) / len(posts):.1%} read wrong")
    for only_wrong in (False, True):
        for share in (0.05, 0.1, 0.2, 0.4):
            rounds = []
            for seed in range(ROUNDS):
                shuffled = random.Random(seed).sample(posts, len(posts))
                count = int(len(posts) * share)
                reviewed = [post for post in shuffled[:count] if not only_wrong or post["label"] != post["given"]]
                rounds.append(scores(reviewed, shuffled[count:], weight))
            kind = "the wrong ones corrected" if only_wrong else "all labelled"
            print(f"{count} reviewed, {kind}: wrong among the first {FIRST}, and the difference to doubtful with its standard deviation")
            for name in rounds[0]:
                differences = [found[name] - found["doubtful"] for found in rounds]
                mean = statistics.mean(found[name] for found in rounds)
                print(f"  {name:9} {mean:.1%}  {statistics.mean(differences):+.1%} ± {statistics.stdev(differences):.1%}")


main()
