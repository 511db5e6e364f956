"""Sites and files made to harm us, captured by a worker process of its own: each ends as what it was."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests import web
from tests.archive.hostile_worker import CHILD_MAX_BYTES, SECONDS, WORKER_MAX_BYTES, captured
from tests.web import Visit


def drip(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while visit.send(b"<p>word</p>") and visit.pause(0.1):
        pass


def slow_head(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n")
    while visit.send(b"X-More: yes\r\n") and visit.pause(0.1):
        pass


def endless(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while visit.send(b"<p>word</p>\n" * 5_000):
        pass


def silent(visit: Visit) -> None:
    visit.wait_for_hangup()


def reset(visit: Visit) -> None:
    visit.reset()


def short_of_its_length(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<p>word</p>")


BOMB = gzip.compress(b"<p>0</p>" + bytes(60_000_000), 9)
MANY_PARTS = "".join(f'<img src="/part/{number}.png">' for number in range(5_000))
PDF_OF_NONSENSE = b"%PDF-1.7\n" + b"1 0 obj<</Type/Pages/Kids[1 0 R 1 0 R]/Count 999999999>>endobj\n" * 2_000

# By address: the page, and what the capture may end as. The last one shows that the worker takes the next job.
SET: dict[str, tuple[web.Page, tuple[str, ...]]] = {
    "/drip": (drip, ("captured_partial",)),
    "/slow-head": (slow_head, ("unreachable",)),
    "/endless": (endless, ("captured_partial",)),
    "/silent": (silent, ("unreachable",)),
    "/reset": (reset, ("unreachable",)),
    "/short": (short_of_its_length, ("captured_partial",)),
    "/bomb": (web.page(BOMB, headers={"Content-Encoding": "gzip"}), ("captured_partial",)),
    "/attributes": (web.page("<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">word</p>"), ("captured",)),
    "/node": (web.page("<p>" + "word " * 2_000_000), ("captured",)),
    "/deep": (web.page("<div>" * 100_000 + "word"), ("captured",)),
    "/pdf": (web.page(PDF_OF_NONSENSE, media_type="application/pdf"), ("captured",)),
    "/parts": (web.page(f"<p>{'word ' * 50}</p>{MANY_PARTS}"), ("captured_partial", "captured")),
    "/last": (web.page("<p>" + "An ordinary page, to be read after all that. " * 9), ("captured",)),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pages = {path: page for path, (page, _outcomes) in SET.items()}
    return captured(pages, tmp_path_factory.mktemp("var"), seconds=170)


@pytest.mark.parametrize("path", SET)
def test_each_ends_as_what_it_was_and_inside_its_limit(path: str, done: dict[str, Any]) -> None:
    outcome, reason, seconds, layers, _media = done["captures"][path]

    assert outcome in SET[path][1], (reason, layers)
    # Fetching, the child's wall time, and what a busy machine adds.
    assert seconds < SECONDS + 25


def test_the_worker_and_its_children_stay_in_their_memory(done: dict[str, Any]) -> None:
    assert done["worker"] < WORKER_MAX_BYTES
    assert done["child"] < CHILD_MAX_BYTES


@pytest.mark.parametrize(("path", "detail"), [("/attributes", "attributes"), ("/deep", "depth")])
def test_a_page_made_to_wear_the_parser_out_says_which_limit_it_met(
    path: str, detail: str, done: dict[str, Any]
) -> None:
    assert done["captures"][path][3]["visible"] == ["limit", detail]


def test_text_that_is_large_but_bearable_is_read(done: dict[str, Any]) -> None:
    assert done["captures"]["/node"][3]["visible"][0] == "ok"
    assert done["captures"]["/last"][3]["visible"][0] == "ok"


def test_four_large_texts_at_once_take_little_more_than_one(tmp_path: Path) -> None:
    pages = {f"/{number}": web.page(b"<p>" + ("😀" * 4_500_000).encode()) for number in range(4)}

    worker = captured(pages, tmp_path, seconds=300, at_once=4)

    assert [said[0] for said in worker["captures"].values()] == ["captured"] * 4
    assert worker["worker"] < WORKER_MAX_BYTES
