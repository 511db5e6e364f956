"""Of an article that is edited word by word, with each word's way known, no claim lands on another's words."""

import random
import re
from pathlib import Path

import pytest

from factcheck.articles.anchoring import transport

ARTICLE = (Path(__file__).parents[2] / "factcheck/operations/sample/article.txt").read_text(encoding="utf-8")
PUT_IN = ["never", "not", "5", "million", "about", "Rubio", "the", "prisoners,", "2026"]

# A word keeps its number wherever it goes; blocks of sentences of numbered words.
Sentence = list[tuple[int, str]]
Blocks = list[list[Sentence]]


def numbered(text: str) -> Blocks:
    number = 0
    blocks: Blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        blocks.append([])
        for sentence in re.split(r"(?<=[.!?”])\s+", block):
            words = sentence.split()
            blocks[-1].append(list(enumerate(words, number)))
            number += len(words)
    return blocks


def written(blocks: Blocks) -> tuple[str, dict[int, tuple[int, int]]]:
    text, places = "", {}
    for block in blocks:
        text += "\n\n" if text else ""
        for number, word in (word for sentence in block for word in sentence):
            text += " " if text and text[-1] != "\n" else ""
            places[number] = (len(text), len(text) + len(word))
            text += word
    return text, places


def edited(blocks: Blocks, claim: list[int], chance: random.Random) -> Blocks:
    new = 1_000_000
    for _edit in range(chance.randint(1, 8)):
        touching = [(block, at) for block in blocks for at, one in enumerate(block) if any(n in claim for n, _w in one)]
        block = chance.choice(blocks)
        at = chance.randrange(len(block))
        if touching and chance.random() < 0.4:
            block, at = chance.choice(touching)
        sentence = block[at]
        where = chance.randrange(len(sentence))
        new += 1
        match chance.choice(["replace", "insert", "remove", "drop", "swap", "move", "number", "merge", "reorder"]):
            case "replace":
                sentence[where] = (new, chance.choice(PUT_IN))
            case "insert":
                sentence.insert(where, (new, chance.choice(PUT_IN)))
            case "remove" if len(sentence) > 2:
                sentence.pop(where)
            case "drop":
                block.pop(at)
            case "swap":
                other = chance.randrange(len(block))
                block[at], block[other] = block[other], block[at]
            case "move":
                block.pop(at)
                chance.choice(blocks).append(sentence)
            case "number":
                digits = [place for place, (_number, word) in enumerate(sentence) if re.search(r"\d", word)]
                if digits:
                    place = chance.choice(digits)
                    other_word = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), sentence[place][1])
                    sentence[place] = (new, other_word)
            case "merge" if at + 1 < len(block):
                block[at] = sentence + block.pop(at + 1)
            case "reorder":
                chance.shuffle(blocks)
        blocks = [one for one in blocks if one]
    return blocks


@pytest.mark.parametrize("seed", range(300))
def test_what_is_called_the_same_is_the_claims_own_words_and_what_is_called_changed_holds_some_of_them(seed):
    chance = random.Random(seed)
    blocks = numbered(ARTICLE)
    old, before = written(blocks)
    sentence = chance.choice([sentence for block in blocks for sentence in block])
    first = chance.randrange(len(sentence))
    claim = [number for number, _word in sentence[first : first + chance.randint(1, 14)]]
    start, end = before[claim[0]][0], before[claim[-1]][1]
    new, after = written(edited(blocks, claim, chance))

    anchor = transport(old, new, start, end)

    left = [after[number] for number in claim if number in after]
    if anchor.outcome == "same":
        assert new[anchor.start : anchor.end] == old[start:end]
        # Of "the the country", either is the one.
        assert anchor.start == after[claim[0]][0] or anchor.end == after[claim[-1]][1]
    elif anchor.outcome == "changed":
        assert anchor.start is not None
        assert anchor.end is not None
        assert any(place[0] < anchor.end and place[1] > anchor.start for place in left)
