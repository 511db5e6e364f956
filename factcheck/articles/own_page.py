"""Whether our own published page says what a revision says, and where it does not.

A page is more than its article: around it stand menus, teasers, bylines, and a content management system has its own
quotation marks and spaces. None of that is a difference. What is one, is a paragraph of ours that the page has in other
words or not at all, and a paragraph that stands in the page's article and not in ours.
"""

import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from factcheck.articles.canonical import Block, BlockKind, PlacedBlock, clean_lines, number_blocks
from factcheck.articles.errors import UnreadableText
from factcheck.articles.importing import furniture, read_plain_text
from factcheck.lib.folding import fold

# A page with more lines than that is not looked through; the rest is read as if it were not there.
MOST_PIECES = 5_000
# So many edited paragraphs are compared with so many of the page; a page that differs in more is another text.
MOST_EDITED = 200
MOST_CANDIDATES = 400
MOST_NEW = 100
# A line that the import would offer to remove, such as a byline or a date, is no longer than that.
LONGEST_LINE_AROUND = 120
# How many of its lines a page may make of one paragraph.
MOST_JOINED = 30
# How alike, out of 100, a paragraph must be to its edited self: between its neighbours, elsewhere, and if it is short.
ALIKE_IN_PLACE = 55
ALIKE_ELSEWHERE = 75
SHORT = 25
# Of the article's letters, the share that must be on the page for the page to be the article's.
SHARE_OF_ARTICLE = 0.5

_MARKER = re.compile(r"\A(?:[-*•‣>]|\d{1,2}[.)])\s+(?=\S)")
_DASHES = re.compile(r"\s*-+\s*")
_BEFORE_PUNCTUATION = re.compile(r"\s+(?=[,.;:!?])")
_CELLS = re.compile(r"\s*\|\s*|\t")
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_ENDS_A_SENTENCE = re.compile(r"[.!?…。！？؟][\"'”’»)\]]*$")


@dataclass(frozen=True)
class Difference:
    """A paragraph in which the page is not the revision. ``before`` is "" for what is new, ``after`` for what is gone.

    ``at`` is the number of the block from 0, or of the block that what is new comes before.
    """

    at: int
    before: str
    after: str

    @property
    def key(self) -> str:
        """The same for the same words on both sides, wherever they stand."""
        return hashlib.sha256(f"{_key(self.before)}\0{_key(self.after)}".encode()).hexdigest()

    @property
    def kind(self) -> str:
        return "new" if not self.before else "changed" if self.after else "gone"


@dataclass(frozen=True)
class PageComparison:
    differences: tuple[Difference, ...]
    # Of the article's letters, the share that was found on the page, edited or not.
    share: float

    @property
    def is_the_article(self) -> bool:
        return self.share >= SHARE_OF_ARTICLE


class PageText:
    """The words of a page, made ready for being compared with several revisions.

    ``visible`` are all its words, a line for each piece. ``main`` are those that a reader of pages takes for the
    article: without them, a new paragraph is known only between two of ours.
    """

    def __init__(self, visible: str, main: str = "") -> None:
        self.pieces = _pieces(visible)
        key_of = {piece: _key(piece) for piece in {*self.pieces, *_pieces(main)}}
        self.keys = [key_of[piece] for piece in self.pieces]
        self.main_keys = {key_of[piece] for piece in _pieces(main)}
        self.places: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(self.keys):
            self.places[key].append(at)


def compare_page(blocks: Sequence[PlacedBlock], page: PageText) -> PageComparison:
    """Look for the blocks in the words of a page."""
    return _Compared(blocks, page).comparison()


def says_the_same(blocks: Sequence[PlacedBlock], page: PageText) -> bool:
    """Whether ``compare_page`` would find no difference; without looking for what is edited, which takes longest."""
    return _Compared(blocks, page).is_the_same()


def with_differences(blocks: Sequence[PlacedBlock], differences: Iterable[Difference]) -> list[Block]:
    """The blocks as they are with these differences taken over from the page."""
    new: dict[int, list[str]] = defaultdict(list)
    instead: dict[int, str] = {}
    for difference in differences:
        if difference.kind == "new":
            new[difference.at].append(difference.after)
        else:
            instead[difference.at] = difference.after
    pieces: list[tuple[BlockKind, str]] = []
    for number, block in enumerate(blocks):
        pieces += [(BlockKind.PARAGRAPH, text) for text in new[number]]
        text = instead.get(number, block.text)
        if text:
            pieces.append((block.kind, text))
    pieces += [(BlockKind.PARAGRAPH, text) for text in new[len(blocks)]]
    return number_blocks(pieces)


def _key(text: str) -> str:
    """The words as they are compared."""
    text = _CELLS.sub(" ", _MARKER.sub("", text.strip(), count=1))
    # What is raised on a page is not in its text layer: there, 10² reads 102.
    folded = " ".join(fold(text.translate(_PLAIN_DIGITS), keep_case=True).text.split())
    return _DASHES.sub("-", _BEFORE_PUNCTUATION.sub("", folded))


def _pieces(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in clean_lines(text).split("\n"))
    return [line for line in lines if line][:MOST_PIECES]


class _Compared:
    def __init__(self, blocks: Sequence[PlacedBlock], page: PageText) -> None:
        self.blocks = blocks
        self.keys = [_key(block.text) for block in blocks]
        self.page = page
        # Of each block, the first piece that it was found in, and what it is there if it is not the same.
        self.place: dict[int, int] = {}
        self.edited: dict[int, str] = {}
        self.used: set[int] = set()
        self._find_whole()
        self._find_split()
        self._find_joined()

    def is_the_same(self) -> bool:
        return len(self.place) == len(self.blocks) and not self._new()

    def comparison(self) -> PageComparison:
        self._find_edited()
        found = sum(len(key) for number, key in enumerate(self.keys) if number in self.place)
        share = found / max(sum(map(len, self.keys)), 1)
        differences = [
            Difference(number, block.text, self.edited.get(number, ""))
            for number, block in enumerate(self.blocks)
            if number in self.edited or number not in self.place
        ]
        differences += self._new()
        # What is new comes before the block of its number, as it does on the page.
        differences.sort(key=lambda difference: (difference.at, difference.kind != "new"))
        return PageComparison(tuple(differences), share)

    def _take(self, number: int, places: Sequence[int]) -> None:
        self.place[number] = places[0]
        self.used.update(places)

    def _find_whole(self) -> None:
        last = -1
        for number, key in enumerate(self.keys):
            free = [at for at in self.page.places.get(key, ()) if at not in self.used]
            if free:
                # The one behind the block before: a headline stands in the menu too.
                best = next((at for at in free if at > last), free[0])
                self._take(number, [best])
                last = best

    def _free_blocks(self) -> list[int]:
        return [number for number in range(len(self.blocks)) if number not in self.place]

    def _free_pieces(self) -> list[int]:
        return [at for at in range(len(self.page.pieces)) if at not in self.used]

    def _find_split(self) -> None:
        """Blocks that the page has in several pieces, with a word from the website between them or not."""
        for number in self._free_blocks()[:MOST_EDITED]:
            for start in self._free_pieces():
                if self.page.keys[start] and self.keys[number].startswith(self.page.keys[start]):
                    run = self._run_that_says(self.keys[number], start)
                    if run:
                        self._take(number, run)
                        break

    def _run_that_says(self, key: str, start: int) -> list[int]:
        said, run = "", list[int]()
        for at in range(start, min(start + MOST_JOINED, len(self.page.pieces))):
            if at in self.used:
                return []
            if run and furniture(self.page.pieces[at]):
                continue
            said = _key(f"{said} {self.page.pieces[at]}")
            run.append(at)
            if said == key:
                return run
            if not key.startswith(said):
                return []
        return []

    def _find_joined(self) -> None:
        """Blocks that the page has in one piece."""
        free = set(self._free_blocks()[:MOST_EDITED])
        for at in self._free_pieces():
            key = self.page.keys[at]
            for first in sorted(number for number in free if self.keys[number] and key.startswith(self.keys[number])):
                if at in self.used:
                    break
                said, run = "", list[int]()
                for number in range(first, min(first + MOST_JOINED, len(self.blocks))):
                    said = f"{said} {_MARKER.sub('', self.blocks[number].text)}"
                    run.append(number)
                    if number not in free or not key.startswith(_key(said)):
                        break
                    if _key(said) == key:
                        for each in run:
                            self._take(each, [at])
                        free -= set(run)
                        break

    def _anchors(self) -> list[tuple[int, int]]:
        """(block, piece) of the longest run of found blocks that the page has in our order."""
        found = sorted(self.place.items())
        tails: list[int] = []
        ends: list[int] = []
        before: list[int] = []
        for index, (_number, at) in enumerate(found):
            length = bisect_left(tails, at)
            tails[length : length + 1] = [at]
            ends[length : length + 1] = [index]
            before.append(ends[length - 1] if length else -1)
        chain, index = [], ends[-1] if ends else -1
        while index >= 0:
            chain.append(found[index])
            index = before[index]
        return chain[::-1]

    def _find_edited(self) -> None:
        free, places = self._free_blocks()[:MOST_EDITED], self._free_pieces()
        anchors = self._anchors()
        pairs = []
        for number in free:
            low = max((at for block, at in anchors if block < number), default=-1)
            high = min((at for block, at in anchors if block > number), default=len(self.page.pieces))
            near = [at for at in places if low < at < high][:MOST_CANDIDATES]
            close = set(near)
            far = [at for at in places if not low < at < high][: MOST_CANDIDATES - len(near)]
            for at in [*near, *far]:
                is_near = low < at < high and len(self.keys[number]) >= SHORT
                least = ALIKE_IN_PLACE if is_near else ALIKE_ELSEWHERE
                runs = [[at], [at, at + 1]] if at + 1 in close else [[at]]
                for run in runs:
                    key = " ".join(self.page.keys[place] for place in run)
                    if likeness := fuzz.ratio(self.keys[number], key, score_cutoff=least):
                        pairs.append((-likeness, number, run))
        for _likeness, number, run in sorted(pairs):
            if number not in self.place and not self.used & set(run):
                self._take(number, run)
                words = " ".join(self.page.pieces[place] for place in run)
                marker = _MARKER.match(self.blocks[number].text)
                has_marker = _MARKER.match(words)
                self.edited[number] = f"{marker.group()}{words}" if marker and not has_marker else words

    def _new(self) -> list[Difference]:
        anchors = self._anchors()
        if not anchors:
            return []
        first, last = anchors[0][1], max(at for _block, at in anchors)
        ours = " ".join(self.keys)
        in_main = sum(self.page.keys[at] in self.page.main_keys for at in self.place.values())
        trusted = in_main >= len(self.place) / 2
        found = []
        for at in self._free_pieces():
            inside = first < at < last
            if not (self.page.keys[at] in self.page.main_keys if trusted else inside):
                continue
            if self.page.keys[at] in ours or not self._is_of_an_article(
                self.page.pieces[at], inside=inside and trusted
            ):
                continue
            number = max((block + 1 for block, place in anchors if place < at), default=0)
            found.append(Difference(number, "", self.page.pieces[at]))
            if len(found) == MOST_NEW:
                break
        return found

    @staticmethod
    def _is_of_an_article(piece: str, *, inside: bool) -> bool:
        words = len(piece.split())
        if not ((_ENDS_A_SENTENCE.search(piece) and words > 2) or (inside and words > 3)):
            return False
        if len(piece) > LONGEST_LINE_AROUND:
            return True
        try:
            return not read_plain_text(piece.encode()).offered
        except UnreadableText:
            return False


def offered(
    published: Sequence[Difference], latest: Sequence[Difference], set_aside: Collection[str] = ()
) -> tuple[Difference, ...]:
    """Of the differences of the latest revision those that are the page's doing, and that nobody has set aside.

    What the latest revision has changed since the published one is a difference of the two too, but nothing that
    happened to the page.
    """
    words = {_key(difference.after) for difference in published if difference.after}
    gone = {_key(difference.before) for difference in published if not difference.after}
    return tuple(
        difference
        for difference in latest
        if (_key(difference.after) in words if difference.after else _key(difference.before) in gone)
        and difference.key not in set_aside
    )
