"""Quotes and anchors: how right and how fast, beside likeness alone, on this machine, in one run.

    make bench-words                      # prints the tables
    make bench-words ARGS="--write"       # also puts them into docs/words.md

How right: every pair of tests/lib/data/quote_pairs.jsonl, and the edits of tests/articles/test_anchoring.py. How fast:
texts of 1 MB made up with a fixed seed; milliseconds are of this process's CPU, which on a quiet machine is the time
that passes. The peers are what is commonly used for the same: the best window of
rapidfuzz, accepted from a likeness on; Hypothesis's rule (exact, else within half the quote's length in edits); and
difflib's opcodes for words that move from one wording to another.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import platform
import random
import re
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from factcheck.articles.anchoring import transport
from factcheck.lib.folding import fold
from factcheck.lib.matching import locate

ROOT = Path(__file__).resolve().parent.parent
PAIRS = ROOT / "tests/lib/data/quote_pairs.jsonl"
TEXT_CHARS, QUOTES, CLAIMS, ARTICLE_WORDS = 1_000_000, 25, 300, 5_000
LENGTHS = (80, 250, 800, 2_000)
SYLLABLES = re.findall(r"..?", "baretilomunderanfisocapeltraquinesvoralemigustond")
_BEGIN, _END = "<!-- bench-words -->", "<!-- /bench-words -->"


# --- texts ------------------------------------------------------------------------------------------------------------


def prose(chance: random.Random, characters: int) -> str:
    """Paragraphs of made-up words with the names, numbers, quotation marks and spaces of a news text."""
    vocabulary = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _word in range(6_000)]
    names = [word.capitalize() for word in chance.sample(vocabulary, 300)]
    written: list[str] = []
    length = 0
    while length < characters:
        sentences = []
        for _sentence in range(chance.randint(2, 6)):
            words = chance.choices(vocabulary, k=chance.randint(6, 28))
            words[chance.randrange(len(words))] = chance.choice(names)
            if chance.random() < 0.4:
                words[chance.randrange(len(words))] = f"{chance.randint(2, 999)}\u00a0million"
            if chance.random() < 0.3:
                words[0], words[-1] = f"“{words[0]}", f"{words[-1]}”"
            sentences.append(" ".join(words).capitalize() + ".")
        written.append(" ".join(sentences))
        length += len(written[-1]) + 2
    return "\n\n".join(written)[:characters]


def quotes_of(chance: random.Random, text: str, length: int) -> list[str]:
    found = []
    for _quote in range(QUOTES):
        start = text.index(" ", chance.randrange(len(text) - 2 * length)) + 1
        found.append(text[start : text.index(" ", start + length)])
    return found


def respelled(quote: str) -> str:
    return quote.replace("“", '"').replace("”", '"').replace("\u00a0", " ").replace("\n\n", " ")


def misquoted(chance: random.Random, quote: str) -> str:
    words = respelled(quote).split(" ")
    words[chance.randrange(len(words))] = "never"
    return " ".join(words)


def shuffled(chance: random.Random, quote: str) -> str:
    letters = list(respelled(quote))
    chance.shuffle(letters)
    return "".join(letters)


# --- how right --------------------------------------------------------------------------------------------------------


def likeness(quote: str, text: str, least: float) -> bool:
    best = fuzz.partial_ratio_alignment(fold(quote).text, fold(text).text)
    return best is not None and best.score >= least and len(fold(quote).text) <= len(fold(text).text)


def hypothesis_rule(quote: str, text: str) -> bool:
    """Found exactly, or the best window within half the quote's length in edits; no least likeness beyond that."""
    if quote in text:
        return True
    best = fuzz.partial_ratio_alignment(quote, text)
    if best is None:
        return False
    window = text[best.dest_start : best.dest_end]
    return Levenshtein.distance(quote, window) <= min(256, len(quote) / 2)


def rightness() -> list[str]:
    pairs = [json.loads(line) for line in PAIRS.open(encoding="utf-8")]
    false, variants = ([pair for pair in pairs if pair["passes"] is passes] for passes in (False, True))
    ways: list[tuple[str, Callable[[str, str], bool]]] = [
        ("ours: exact or normalised", lambda quote, text: locate(quote, text).outcome in ("exact", "normalised")),
        ("best window, likeness of 90 or more", lambda quote, text: likeness(quote, text, 90)),
        ("best window, likeness of 98 or more", lambda quote, text: likeness(quote, text, 98)),
        ("Hypothesis's rule", hypothesis_rule),
    ]
    lines = ["| way | quotes that say something else, taken for right | spellings without meaning, found |"]
    lines.append("| --- | ---: | ---: |")
    for name, passes in ways:
        wrong = sum(passes(pair["quote"], pair["text"]) for pair in false)
        right = sum(passes(pair["quote"], pair["text"]) for pair in variants)
        lines.append(f"| {name} | {wrong} of {len(false)} | {right} of {len(variants)} ({_percent(right, variants)}) |")
    return lines


def _percent(part: int, whole: Iterable[object]) -> str:
    return f"{100 * part / len(list(whole)):.1f} %"


# --- how fast ---------------------------------------------------------------------------------------------------------


def milliseconds(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return 1000 * (time.process_time() - begun)


def speed_of_locate() -> list[str]:
    chance = random.Random(1)
    text = prose(chance, TEXT_CHARS)
    folding = milliseconds(lambda: fold(text))
    folded = fold(text)
    lines = [
        f"1 MB of text, folded once ({folding:.0f} ms); {QUOTES} quotes a row, median and worst; beside it the median"
        " of `rapidfuzz.fuzz.partial_ratio_alignment` on the folded text, which says nothing of what differs.",
        "",
        "| quote | characters | outcomes | median ms | worst ms | rapidfuzz, median ms |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for kind in ("exact", "normalised", "one word changed", "absent"):
        for length in LENGTHS:
            quotes = quotes_of(chance, text, length)
            if kind == "normalised":
                quotes = [respelled(quote) for quote in quotes]
            elif kind == "one word changed":
                quotes = [misquoted(chance, quote) for quote in quotes]
            elif kind == "absent":
                quotes = [shuffled(chance, quote) for quote in quotes]
            outcomes, times = set(), []
            for quote in quotes:
                begun = time.process_time()
                outcomes.add(locate(quote, folded).outcome)
                times.append(1000 * (time.process_time() - begun))
            few = [fold(quote).text for quote in quotes[:3]]
            peer = [milliseconds(partial(fuzz.partial_ratio_alignment, quote, folded.text)) for quote in few]
            lines.append(
                f"| {kind} | {length} | {', '.join(sorted(outcomes))} | {statistics.median(times):.1f} |"
                f" {max(times):.1f} | {statistics.median(peer):.1f} |"
            )
    return lines


def hostile_quotes() -> list[tuple[str, str, str]]:
    """Names, quotes within the desk's 2,000 characters, and texts that make a search costly."""
    chance = random.Random(2)
    words = "a " * 500_000
    text = prose(chance, TEXT_CHARS)
    return [
        ("one word, ten thousands of times", "the", "the sea and " * 83_000),
        ("a repeated pair with elisions", ("a a … " * 333)[:2_000], words),
        ("elisions between letters", ("a … " * 500)[:2_000], text),
        ("brackets between letters", ("a [b] " * 333)[:2_000], text),
        ("a run of one letter", "a" * 2_000, "a" * 999_999),
        ("a run of one letter, one other", "a" * 1_999 + "b", "a" * 999_999),
        ("dashes", "- a " * 500, "- a " * 250_000),
        ("dashes that end otherwise", "- a " * 499 + "- b", "- a " * 250_000),
        ("quotation marks", "\" ' " * 500, "\" ' " * 250_000),
        ("spaces and marks", ("a ! ? " * 333)[:2_000], "a !?" * 250_000),
        ("hyphens at line ends", ("in-\nter" * 280)[:2_000], "in-\nter" * 140_000),
        ("a phrase a thousand times, elided", ("it is so … " * 180)[:2_000], "it is so, they said. " * 47_000),
        ("marks on one letter", "e" + "\u0301" * 1_999, "e" + "\u0301" * 999_999),
        ("a phrase nearly, a thousand times", ("it was no so " * 150)[:2_000], "it was so and so " * 58_000),
        ("numbers", ("1 000 " * 333)[:2_000], "1 000 " * 166_000),
    ]


def speed_of_the_worst() -> list[str]:
    lines = ["| quote and text of 1 MB | outcome | ms |", "| --- | --- | ---: |"]
    for name, quote, text in hostile_quotes():
        folded = fold(text)
        begun = time.process_time()
        match = locate(quote, folded)
        said = match.outcome if match.complete else "cannot be decided"
        lines.append(f"| {name} | {said} | {1000 * (time.process_time() - begun):.0f} |")
    return lines


def speed_of_transport() -> list[str]:
    chance = random.Random(3)
    old = prose(chance, ARTICLE_WORDS * 8)
    while len(old.split()) > ARTICLE_WORDS:
        old = old.rpartition("\n\n")[0]
    places = [found.span() for found in re.finditer(r"[^.\n]{20,160}", old)]
    claims = [chance.choice(places) for _claim in range(CLAIMS)]
    paragraphs = old.split("\n\n")
    for number in chance.sample(range(len(paragraphs)), len(paragraphs) // 3):
        words = paragraphs[number].split(" ")
        words[chance.randrange(len(words))] = "never"
        paragraphs[number] = " ".join(words)
    half = len(paragraphs) // 2
    paragraphs = chance.sample(paragraphs[:half], half) + paragraphs[half:]
    new = "\n\n".join(paragraphs)
    outcomes: dict[str, int] = {}

    def ours() -> None:
        for start, end in claims:
            outcome = transport(old, new, start, end).outcome
            outcomes[outcome] = outcomes.get(outcome, 0) + 1

    def difflibs() -> None:
        difflib.SequenceMatcher(None, old.split(" "), new.split(" "), autojunk=False).get_opcodes()

    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    mine = milliseconds(ours)
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    rewritten = prose(random.Random(4), ARTICLE_WORDS * 8)
    worst = milliseconds(lambda: [transport(old, rewritten, start, end) for start, end in claims])
    return [
        "| transport of 300 claims over an edit of 5,000 words | ms |",
        "| --- | ---: |",
        f"| ours: a third of the paragraphs edited ({said}) | {mine:.0f} |",
        f"| ours: every word another | {worst:.0f} |",
        f"| difflib's word opcodes alone, which place no claim | {milliseconds(difflibs):.0f} |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure quotes and anchors, how right and how fast.")
    parser.add_argument("--write", action="store_true", help="also put the tables into docs/words.md")
    options = parser.parse_args()
    sections = [rightness(), speed_of_locate(), speed_of_transport(), speed_of_the_worst()]
    head = (
        f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores, Python {platform.python_version()}. `make bench-words`."
    )
    text = "\n\n".join([head, *("\n".join(lines) for lines in sections)])
    print(text)
    if options.write:
        file = ROOT / "docs" / "words.md"
        old = file.read_text()
        begin, end = old.index(_BEGIN) + len(_BEGIN), old.index(_END)
        file.write_text(f"{old[:begin]}\n{text}\n{old[end:]}")


if __name__ == "__main__":
    main()
