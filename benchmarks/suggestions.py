"""Suggestions against sentences that people have judged: how well the ranking puts first what is worth a check.

    make bench-suggestions FILE=sentences.jsonl

The file has one sentence a line, ``{"text": "…", "checkworthy": 0 or 1}``. The figures in docs/words.md are of 2,000
sentences of presidential debates (500 worth a check) from the public ClaimBuster benchmark (Arslan, Hassan, Li,
Tremayne: "A Benchmark Dataset of Check-worthy Factual Claims", ICWSM 2020); the set is its authors' and not part of
this project.
The peers are what is easily had: how many digits a sentence has, and how long it is. A sentence that is not suggested
stands behind all that are; what is alike is ranked at random, with a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import django

from factcheck.claims.suggesting import suggest

Scored = Callable[[str], float]


def ours(language: str) -> Scored:
    def score(sentence: str) -> float:
        return max((found.score for found in suggest(sentence, language)), default=0.0)

    return score


def digits(sentence: str) -> float:
    return float(sum(character.isdigit() for character in sentence))


def length(sentence: str) -> float:
    return float(len(sentence))


def average_precision(scores: Sequence[float], labels: Sequence[int]) -> float:
    """The mean, over all that is worth a check, of how much of what is ranked at or above it is so too."""
    order = list(range(len(scores)))
    random.Random(1).shuffle(order)
    order.sort(key=lambda place: -scores[place])
    hits, total = 0, 0.0
    for rank, place in enumerate(order, start=1):
        if labels[place]:
            hits += 1
            total += hits / rank
    return total / hits if hits else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--language", default="en")
    given = parser.parse_args()
    # The reasons are words that can be translated.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factcheck.settings")
    django.setup()
    rows = [json.loads(line) for line in given.file.read_text(encoding="utf-8").splitlines() if line.strip()]
    labels = [int(row["checkworthy"]) for row in rows]
    print(f"{len(rows)} sentences, {sum(labels)} worth a check\n")
    print("| ranked by | average precision | right among the first 100 |\n| --- | ---: | ---: |")
    for name, scored in (("suggestions", ours(given.language)), ("digits", digits), ("length", length)):
        scores = [scored(row["text"]) for row in rows]
        first = sorted(range(len(rows)), key=lambda place: -scores[place])[:100]
        right = sum(labels[place] for place in first)
        print(f"| {name} | {average_precision(scores, labels):.2f} | {right} |")


if __name__ == "__main__":
    main()
