"""A publication to draw: frozen content as publishing writes it, with every kind of claim and evidence."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

RATINGS: list[dict[str, Any]] = [
    {
        "slug": "accurate",
        "label": "Accurate",
        "meaning": "The evidence confirms it as it stands.",
        "shape": "check",
        "tone": "good",
        "order": 1,
        "truth_value": 5,
    },
    {
        "slug": "mostly_accurate",
        "label": "Mostly accurate",
        "meaning": "Right in substance; a detail is loose.",
        "shape": "half",
        "tone": "good",
        "order": 2,
        "truth_value": 4,
    },
    {
        "slug": "needs_context",
        "label": "Needs context",
        "meaning": "Right, and yet it misleads without what stands beside it.",
        "shape": "quarter",
        "tone": "mixed",
        "order": 3,
        "truth_value": 3,
    },
    {
        "slug": "unproven",
        "label": "Unproven",
        "meaning": "Nothing that can be shown confirms or refutes it.",
        "shape": "question",
        "tone": "neutral",
        "order": 4,
        "truth_value": None,
    },
    {
        "slug": "inaccurate",
        "label": "Inaccurate",
        "meaning": "The evidence contradicts it.",
        "shape": "cross",
        "tone": "bad",
        "order": 5,
        "truth_value": 1,
    },
    {
        "slug": "opinion",
        "label": "Opinion",
        "meaning": "A judgement, recognisable as one.",
        "shape": "quote",
        "tone": "note",
        "order": 6,
        "truth_value": None,
    },
]

TEXT: list[tuple[str, str]] = [
    ("headline", "The river town that pumps its own water uphill"),
    ("deck", "A mayor's promise, a 40-year-old pump and a bill that nobody wants to pay"),
    (
        "paragraph",
        "The pumping station at Oberfurt has run since 1984 and lifts 2.3 million litres of water every day. On a "
        "Tuesday in March it stopped for eleven hours, and the town of 6,400 people learned how little it knew of it.",
    ),
    (
        "paragraph",
        "“We have never raised the price of water,” Mayor Hanna Liebig told the council on 12 March. Minutes of the "
        "council show two increases, in 2016 and in 2021.",
    ),
    ("heading", "What the repair would cost"),
    (
        "paragraph",
        "An engineer's report puts the repair at 1.8 million euros. The regional water board calls the estimate "
        "“careful, if anything too low”. It is the largest sum the town has ever been asked to find.",
    ),
    ("item", "The two main pumps are to be replaced by 2027."),
    ("item", "The old ones will be shown in the museum."),
    ("row", "2016   2.10 euros a cubic metre"),
    ("row", "2021   2.45 euros a cubic metre"),
    (
        "paragraph",
        "The board supplies 31 towns along the river. No other of them lifts its water as high, and no other is as "
        "stubborn about doing so by itself.",
    ),
]


def placed(text: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    blocks, start = [], 0
    for number, (kind, words) in enumerate(text, start=1):
        blocks.append({"id": f"b{number}", "kind": kind, "text": words, "start": start, "end": start + len(words)})
        start += len(words) + 2
    return blocks


def passage(blocks: list[dict[str, Any]], words: str) -> dict[str, Any]:
    text = "\n\n".join(block["text"] for block in blocks)
    start = text.index(words)
    return {"start": start, "end": start + len(words), "text": words}


def capture(capture_id: str = "cpt2cpt2", **changes: Any) -> dict[str, Any]:
    return {
        "id": capture_id,
        "outcome": "captured",
        "sentence": "The page is archived as it was sent.",
        "url": "http://waterboard.example/oberfurt",
        "final_url": "https://waterboard.example/towns/oberfurt",
        "http_status": 200,
        "media_type": "text/html",
        "sealed_at": "2026-03-20T08:15:04Z",
        "sha256": "3f" * 32,
        "warc_sha256": "a7" * 32,
        "wire_bytes": 48231,
        "records": 5,
        "ip": "192.0.2.10",
        "tls": "TLSv1.3",
        "truncated": False,
        "visibility": "passage",
        **changes,
    }


def page(evidence_id: str = "ev2ev2ev", **changes: Any) -> dict[str, Any]:
    return {
        "id": evidence_id,
        "stance": "for",
        "kind": "page",
        "primary": True,
        "confirms_said": False,
        "confirms_so": True,
        "visibility": "passage",
        "title": "Oberfurt: facts about the supply",
        "note": "",
        "url": "http://waterboard.example/oberfurt",
        "publisher": "Regional Water Board",
        "published": "2025-11-02",
        "interview": None,
        "work": None,
        "quote": "lifts 2.3 million litres a day",
        "secured": True,
        "passage": {
            "before": "The station, in service since 1984, ",
            "exact": "lifts 2.3 million litres a day",
            "after": " from the river to the reservoir above the town.",
            "outcome": "exact",
            "layer_sha256": "bb" * 32,
        },
        "capture": capture(),
        **changes,
    }


INTERVIEW = {
    "id": "int2int2",
    "stance": "context",
    "kind": "interview",
    "primary": True,
    "confirms_said": True,
    "confirms_so": False,
    "visibility": "passage",
    "title": "",
    "note": "He looked the figure up while we waited.",
    "url": "",
    "publisher": "",
    "published": "",
    "interview": {
        "who": "Jonas Ebert, head of works",
        "when": "2026-03-19",
        "how": "by telephone",
        "heard_by": "Chen Wei",
    },
    "work": None,
    "quote": "I would not bet my house on that number, but I would bet yours.",
    "secured": True,
    "passage": None,
    "capture": None,
}
WORK = {
    "id": "wrk2wrk2",
    "stance": "against",
    "kind": "work",
    "primary": False,
    "confirms_said": False,
    "confirms_so": True,
    "visibility": "public",
    "title": "",
    "note": "",
    "url": "",
    "publisher": "",
    "published": "",
    "interview": None,
    "work": {
        "title": "Minutes of the Council of Oberfurt",
        "author": "Town of Oberfurt",
        "edition": "volume 2021",
        "page": "88",
    },
    "quote": "The price is raised to 2.45 euros from 1 July.",
    "secured": True,
    "passage": None,
    "capture": None,
}


def claim(number: int, passages: list[dict[str, Any]], rating: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"claim{number:03}",
        "number": number,
        "kind": "number",
        "speaker": "",
        "passages": passages,
        "attribution": None,
        "rating": next((item for item in RATINGS if item["slug"] == rating), None),
        "not_rated_reason": "",
        "reason": "The board's own page and the head of works agree.",
        "decided_at": "2026-03-20T10:00:00Z",
        "decided_by": {"name": "Chen Wei"},
        "signed_off_at": "2026-03-20T11:30:00Z",
        "signed_off_by": {"name": "Erik Lindqvist"},
        "evidence": [],
        **changes,
    }


def content(**changes: Any) -> dict[str, Any]:
    blocks = placed(TEXT)

    def at(words: str) -> dict[str, Any]:
        return passage(blocks, words)

    made = {
        "v": 1,
        "newsroom": "The Oberfurt Courier",
        "article": {
            "id": "art2art2",
            "slug": "water-uphill",
            "title": "The river town that pumps its own water uphill",
            "byline": "Rosa Delgado",
            "date": "2026-03-21",
            "language": "en",
            "url": "https://courier.example/water-uphill",
        },
        "version": 2,
        "published_at": "2026-03-21T05:00:00Z",
        "published_by": {"name": "Erik Lindqvist"},
        "revision": {"number": 3, "sha256": "5c" * 32},
        "change_note": {"kind": "correction", "text": "The station runs since 1984, not since 1948."},
        "blocks": blocks,
        "claims": [
            claim(1, [at("40-year-old pump"), at("has run since 1984")], "accurate", kind="date", evidence=[page()]),
            claim(
                2,
                [at("lifts 2.3 million litres of water every day")],
                "mostly_accurate",
                evidence=[page("ev3ev3ev"), INTERVIEW],
            ),
            claim(
                3,
                [at("“We have never raised the price of water,”")],
                "inaccurate",
                kind="quote",
                speaker="Hanna Liebig",
                attribution={"answer": "said"},
                reason="She said it in public session. The council's own minutes show two increases.",
                evidence=[page("ev4ev4ev", stance="for", confirms_said=True, confirms_so=False), WORK],
            ),
            claim(4, [at("Hanna Liebig told the council on 12 March")], "accurate", kind="event"),
            claim(
                5,
                [at("1.8 million euros")],
                "needs_context",
                reason="Without the pipes; with them it is twice as much.",
            ),
            claim(
                6,
                [at("An engineer's report puts the repair at 1.8 million euros. The regional water board")],
                "accurate",
                kind="name",
                reason="Both bodies are named as they name themselves.",
            ),
            claim(
                7,
                [at("careful, if anything too low")],
                None,
                kind="quote",
                speaker="Regional Water Board",
                attribution={"answer": "said"},
                not_rated_reason="A judgement of the board, which only time can test.",
                reason="The letter is in our hands.",
            ),
            claim(
                8,
                [at("The old ones will be shown in the museum.")],
                "unproven",
                reason="The museum knows nothing of it.",
            ),
            claim(9, [at("no other is as stubborn")], "opinion", kind="other", reason="Ours, and plain to see."),
        ],
        "overrides": [
            {
                "claim": "claim008",
                "sentence": "It is our own claim and rated “Unproven”: change the text or the verdict.",
                "reason": "The town says it tomorrow; the sentence harms nobody.",
                "by": {"name": "Erik Lindqvist"},
            }
        ],
        "coverage": {"claims": 9, "words_total": 187, "words_in_claims": 79},
        "ratings": RATINGS,
    }
    return deepcopy({**made, **changes})
