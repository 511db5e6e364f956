"""The addresses of public pages, as design.md promises them to others.

Worked out here and not by reverse(): a page is made the same way by a view, by a command and by
whoever exports the site, and must not depend on the URLconf of the process that makes it.
"""

from urllib.parse import quote

INDEX = "/"
CORRECTIONS = "/corrections/"
METHODOLOGY = "/methodology/"
RATINGS = "/ratings/"
ABOUT = "/about/"


def article(slug: str) -> str:
    return f"/articles/{quote(slug, safe='')}/"


def article_version(slug: str, version: int) -> str:
    return f"{article(slug)}v{version}/"


def claim(claim_id: str) -> str:
    return f"/claims/{quote(claim_id, safe='')}/"


def capture(capture_id: str) -> str:
    return f"/captures/{quote(capture_id, safe='')}/"


def capture_text(capture_id: str) -> str:
    return f"{capture(capture_id)}text.txt"


def capture_warc(capture_id: str) -> str:
    return f"{capture(capture_id)}capture.warc.gz"


def capture_wacz(capture_id: str) -> str:
    return f"{capture(capture_id)}capture.wacz"
