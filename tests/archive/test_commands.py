"""manage.py archive and manage.py verify_archive."""

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from factcheck.archive import blobs
from factcheck.archive.errors import WarcFault
from factcheck.archive.models import Capture
from factcheck.archive.wacz import open_package
from factcheck.archive.wacz_checking import check_wacz
from factcheck.archive.warc_reading import read_warc
from tests import web

pytestmark = pytest.mark.django_db

ARTICLE = "<title>Costs</title><p>The dam cost 40 million euros.</p>"


def archive(*urls: str) -> tuple[list[dict[str, Any]], str]:
    """The lines, and the error that the command ended with."""
    out, error = StringIO(), ""
    try:
        call_command("archive", *urls, "--json", stdout=out)
    except CommandError as failure:
        error = str(failure)
    return [json.loads(line) for line in out.getvalue().splitlines()], error


def test_archive_says_what_it_has_in_the_promised_keys(site: web.Site) -> None:
    site.pages |= {"/": web.redirect("/costs"), "/costs": web.page(ARTICLE)}

    (line,), error = archive(site.url("/"))

    assert error == ""
    promised = (
        "url capture state reason final_url http_status media_type warc wacz sha256 records wire_bytes text_chars"
        " title seconds"
    )
    assert set(promised.split()) <= set(line)
    assert (line["state"], line["reason"], line["final_url"]) == ("captured", None, site.url("/costs"))
    assert (line["http_status"], line["media_type"], line["title"]) == (200, "text/html", "Costs")
    assert line["text_chars"] == len("The dam cost 40 million euros.")
    assert Path(line["warc"]).name == line["sha256"]
    package = b"".join(open_package(Capture.objects.get()))
    assert line["wacz"] == hashlib.sha256(package).hexdigest()
    assert check_wacz(io.BytesIO(package)) == []
    assert line["wire_bytes"] == len(site.pages["/"]) + len(site.pages["/costs"])  # type: ignore[arg-type]
    assert line["capture"] == Capture.objects.get().public_id


def test_archive_fails_unless_every_page_was_captured(site: web.Site) -> None:
    site.pages["/"] = web.page(ARTICLE)

    lines, error = archive(site.url("/"), site.url("/nowhere"), "http://10.0.0.1/", "ftp://example.org/")

    assert len({tuple(line) for line in lines}) == 1, "every line has the same keys in the same order"
    assert [(line["state"], line["reason"]) for line in lines] == [
        ("captured", None),
        ("gone", "404"),
        ("refused", "ssrf"),
        ("refused", "scheme"),
    ]
    assert error == "3 of 4 pages were not captured."


def test_archive_does_not_wait_for_a_site_that_is_down(site: web.Site) -> None:
    site.pages["/"] = web.page("<p>Busy</p>", status="503 Busy", headers={"Retry-After": "3600"})

    (line,), _error = archive(site.url("/"))

    assert (line["state"], line["reason"]) == ("unreachable", "server")


def test_archive_makes_a_new_copy_each_time(site: web.Site) -> None:
    site.pages["/"] = web.page(ARTICLE)

    first, _error = archive(site.url("/"))
    second, _error = archive(site.url("/"))

    assert first[0]["capture"] != second[0]["capture"]


@pytest.fixture
def sealed(site: web.Site, capture: Callable[[str], Capture]) -> Capture:
    site.pages["/"] = web.page(ARTICLE)
    return capture(site.url("/"))


def verify() -> str:
    out = StringIO()
    try:
        call_command("verify_archive", stdout=out)
    except CommandError as failure:
        return out.getvalue() + str(failure)
    return out.getvalue()


def test_an_untouched_archive_is_as_it_was_sealed(sealed: Capture) -> None:
    assert verify() == "1 captures are as they were sealed.\n1 packages are not signed yet.\n"
    call_command("verify_archive", "--sample", "1", stdout=StringIO())


@pytest.mark.parametrize("part", ["warc", "body", "text layer visible"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_damaged_and_missing_bytes_are_named(sealed: Capture, part: str, damage: str) -> None:
    sha256 = {
        "warc": sealed.warc_sha256,
        "body": sealed.body_sha256,
        "text layer visible": sealed.layers.get(kind="visible").sha256,
    }[part]
    path = blobs.path_of(sha256)
    if damage == "missing":
        path.unlink()
    else:
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    found = verify()

    assert f"capture/{sealed.public_id}, {part}:" in found
    assert "1 of 1 captures are not as they were sealed." in found


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"40 million", b"41 million", "block"),
        (b"WARC-Payload-Digest: sha256:", b"WARC-Payload-Digest: sha256:0", "payload"),
        (b"WARC/1.1\r\n", b"WARC/1.0\r\n", "begin"),
        (b"WARC-Date", b"WARC-Dote", "warc-date"),
        (b"Content-Length: ", b"Content-Length: 1", "length"),
        (b"\r\n\r\n", b"\r\n\r\r", "head|empty lines"),
    ],
)
def test_a_record_that_is_not_as_it_says_is_found_also_under_a_right_hash(
    sealed: Capture, old: bytes, new: bytes, fault: str
) -> None:
    members = _records(blobs.read(sealed.warc_sha256))
    # The response; each record must stay a member of its own.
    members[1] = members[1].replace(old, new)
    forged = blobs.store(b"".join(gzip.compress(member) for member in members))

    with pytest.raises(WarcFault, match=fault):
        list(read_warc(forged.sha256))


def test_a_warc_that_is_cut_off_is_found(sealed: Capture) -> None:
    cut = blobs.store(blobs.read(sealed.warc_sha256)[:-20])

    with pytest.raises(WarcFault):
        list(read_warc(cut.sha256))


def _records(packed: bytes) -> list[bytes]:
    members = []
    while packed:
        unpacker = zlib.decompressobj(31)
        members.append(unpacker.decompress(packed))
        packed = unpacker.unused_data
    return members
