"""A person's own copy, from the file to the seal: never taken for something that we fetched."""

import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pytest_django.fixtures import Settings
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from factcheck.accounts.permissions import NotPermitted
from factcheck.archive import blobs
from factcheck.archive.errors import UploadRefused
from factcheck.archive.models import Capture, CaptureRequest, Engine
from factcheck.archive.receiving import Received, receive
from factcheck.archive.selectors import text_of
from factcheck.archive.services import order_upload, request_capture
from factcheck.archive.verifying import check_captures, read_warc
from factcheck.ledger.models import Entry
from tests import factories
from tests.archive.conftest import attempt

pytestmark = pytest.mark.django_db

URL = "https://city.example/budget"
PAGE = b"<title>Budget</title><p>Repairs will cost 40 million euros.</p>"


def handed_in(content: bytes, name: str = "copy") -> Received:
    return receive([content[start : start + 65_536] for start in range(0, len(content), 65_536)], name=name)


def uploaded(content: bytes, *, url: str = URL, name: str = "copy") -> Capture:
    request = order_upload(url, handed_in(content, name), how="Saved on 3 March.", by=factories.reporter())
    attempt(request)
    return Capture.objects.get(request=request)


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(out, kind)
    return out.getvalue()


def pdf(text: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = b"%PDF-1.4\n"
    for number, part in enumerate(parts, 1):
        body += b"%d 0 obj%s endobj\n" % (number, part)
    return body + b"trailer<</Root 1 0 R>>\n"


def recording(
    *answers: tuple[str, int, str, bytes],
    packed: bool = True,
    headers: tuple[tuple[str, str], ...] = (),
    fields: dict[str, str] | None = None,
) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed)
    for url, status, media_type, body in answers:
        record = writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            http_headers=StatusAndHeaders(
                f"{status} Said", [("Content-Type", media_type), *headers], protocol="HTTP/1.1"
            ),
            warc_headers_dict=fields or {},
        )
        writer.write_record(record)
    return out.getvalue()


def package(warc: bytes, *, main_page: str = URL, more: dict[str, bytes] | None = None, lie: bool = False) -> bytes:
    files = {"archive/data.warc.gz": warc, **(more or {})}
    listed = [
        {"path": name, "hash": f"sha256:{hashlib.sha256(b'other' if lie else body).hexdigest()}", "bytes": len(body)}
        for name, body in files.items()
    ]
    files["datapackage.json"] = json.dumps({"mainPageUrl": main_page, "resources": listed}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in files.items():
            zipped.writestr(name, body)
    return out.getvalue()


# --- what is taken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PAGE, "text/html"),
        (b"Repairs will cost 40 million euros.", "text/plain"),
        (pdf("Repairs"), "application/pdf"),
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("WEBP"), "image/webp"),
        (picture("GIF"), "image/gif"),
        (picture("TIFF"), "image/tiff"),
    ],
)
def test_a_file_is_sealed_as_what_its_bytes_say(content: bytes, media_type: str) -> None:
    sealed = uploaded(content, name="evidence.exe")

    assert (sealed.outcome, sealed.media_type, sealed.engine) == ("captured", media_type, Engine.UPLOAD)
    assert blobs.read(sealed.body_sha256) == content
    assert (sealed.http_status, sealed.ip, sealed.tls) == (None, None, None)
    assert "not fetched by us" in sealed.sentence


def test_a_page_that_calls_itself_a_picture_is_a_page() -> None:
    assert uploaded(PAGE, name="photo.png").media_type == "text/html"


def test_the_words_of_an_upload_can_be_read() -> None:
    assert "Repairs will cost 40 million euros." in text_of(uploaded(PAGE), "visible")
    assert "Repairs" in text_of(uploaded(pdf("Repairs")), "pdf")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00" + bytes(100), "is a program"),
        (b"\x7fELF" + bytes(100), "is a program"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"<?xml version='1.0'?><svg><script/></svg>", "SVG"),
        (bytes(range(256)), "kind of file is not taken"),
        (gzip.compress(PAGE, mtime=0), "kind of file is not taken"),
    ],
)
def test_other_files_are_refused_with_a_sentence_and_nothing_is_kept(
    content: bytes, sentence: str, store: Path
) -> None:
    with pytest.raises(UploadRefused, match=sentence):
        handed_in(content)

    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_a_zip_that_is_no_web_archive_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("word/document.xml", "<w/>")

    with pytest.raises(UploadRefused, match="no web archive"):
        handed_in(out.getvalue())


def test_a_file_that_is_too_large_is_refused_before_it_is_all_here(settings: Settings, store: Path) -> None:
    settings.CAPTURE_UPLOAD_MAX_BYTES = 1000
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(300)
            yield b"x" * 300

    with pytest.raises(UploadRefused, match="larger than"):
        receive(endless(), name="endless.txt")

    assert sum(taken) <= 1200
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_a_file_of_just_the_largest_size_is_taken(settings: Settings) -> None:
    settings.CAPTURE_UPLOAD_MAX_BYTES = 1000

    assert handed_in(b"x" * 1000).blob.size == 1000


# --- what is kept ----------------------------------------------------------------------------


def test_the_archive_file_holds_the_upload_as_a_resource_and_no_answer() -> None:
    sealed = uploaded(PAGE)
    sha256 = hashlib.sha256(PAGE).hexdigest()

    assert [(record.kind, record.url) for record in read_warc(sealed.warc_sha256)] == [
        ("warcinfo", ""),
        ("resource", f"urn:factcheck:upload:{sha256}"),
        ("resource", f"urn:factcheck:upload:{sha256}:facts"),
    ]
    unpacked = gzip.decompress(blobs.read(sealed.warc_sha256))
    assert PAGE in unpacked
    assert factories.reporter().actor_id.encode() in unpacked
    assert b"Saved on 3 March." in unpacked
    assert b"robots: not asked" in unpacked
    [(_capture, faults)] = check_captures(Capture.objects.all())
    assert faults == []


def test_who_how_and_what_are_in_the_log() -> None:
    uploaded(PAGE)

    ordered = Entry.objects.get(action="capture.requested")
    assert ordered.actor == factories.reporter().actor_id
    assert "Saved on 3 March." in ordered.opening.body
    assert hashlib.sha256(PAGE).hexdigest() in ordered.opening.body


def test_an_upload_says_how_it_was_made() -> None:
    with pytest.raises(UploadRefused, match="how and when"):
        order_upload(URL, handed_in(PAGE), how=" \u200b ", by=factories.reporter())

    assert not CaptureRequest.objects.exists()


def test_who_may_not_attach_evidence_may_not_upload() -> None:
    person = factories.reporter()
    person.is_active = False

    with pytest.raises(NotPermitted):
        order_upload(URL, handed_in(PAGE), how="Saved.", by=person)


def test_an_upload_answers_no_order_for_a_capture() -> None:
    sealed = uploaded(PAGE)

    ordered = request_capture(URL, by=factories.reporter())

    assert ordered.pk != sealed.request_id
    assert ordered.engine == Engine.HTTP


def test_a_second_upload_is_a_second_copy() -> None:
    assert uploaded(PAGE).pk != uploaded(PAGE).pk


# --- recordings ------------------------------------------------------------------------------

OTHER = "https://city.example/other"


@pytest.mark.parametrize("packed", [True, False])
def test_of_a_recording_the_page_asked_for_is_taken(packed: bool) -> None:
    warc = recording((OTHER, 200, "text/html", b"<p>Other</p>"), (URL, 200, "text/html", PAGE), packed=packed)

    sealed = uploaded(warc)

    assert (sealed.outcome, sealed.media_type, sealed.final_url) == ("captured", "text/html", URL)
    assert blobs.read(sealed.body_sha256) == PAGE
    assert sealed.request.upload_sha256 == hashlib.sha256(warc).hexdigest()


def test_recorded_redirects_lead_to_the_page() -> None:
    out = recording((OTHER, 200, "text/html", PAGE))
    moved = recording((URL, 302, "text/plain", b"-"), headers=(("Location", "/other"),))

    sealed = uploaded(moved + out)

    assert (sealed.outcome, sealed.final_url) == ("captured", OTHER)


def test_another_page_out_of_a_recording_says_that_it_is_another() -> None:
    warc = recording((OTHER + ".png", 200, "image/png", picture("PNG")), (OTHER, 200, "text/html", PAGE))

    sealed = uploaded(warc)

    assert (sealed.outcome, sealed.reason, sealed.final_url) == ("captured_partial", "upload_other", OTHER)
    assert "no page of this address" in sealed.sentence
    assert OTHER in sealed.detail


def test_of_a_package_the_page_asked_for_is_taken_and_else_its_main_page() -> None:
    warc = recording((OTHER, 200, "text/html", b"<p>Other</p>"), (URL, 200, "text/html", PAGE))

    asked = uploaded(package(warc, main_page=OTHER))
    main = uploaded(package(warc), url="https://elsewhere.example/")

    assert (asked.outcome, blobs.read(asked.body_sha256)) == ("captured", PAGE)
    assert (main.outcome, blobs.read(main.body_sha256)) == ("captured_partial", PAGE)


def test_packed_pages_in_a_recording_are_unpacked() -> None:
    warc = recording((URL, 200, "text/html", gzip.compress(PAGE)), headers=(("Content-Encoding", "gzip"),))

    assert blobs.read(uploaded(warc).body_sha256) == PAGE


def test_a_recording_that_was_cut_short_says_so() -> None:
    sealed = uploaded(recording((URL, 200, "text/html", PAGE), fields={"WARC-Truncated": "length"}))

    assert (sealed.outcome, sealed.reason, sealed.truncated) == ("captured_partial", "upload_cut", "length")


GOOD = recording((URL, 200, "text/html", PAGE))


def bomb() -> bytes:
    """Sixty million blanks, packed as a page's body and again as a record."""
    return recording((URL, 200, "text/html", gzip.compress(b" " * 60_000_000)), headers=(("Content-Encoding", "gzip"),))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(package(GOOD, lie=True), "hash that is listed", id="changed"),
        pytest.param(package(GOOD, more={"../../etc/passwd": b"x"}), "leads out of it", id="name"),
        pytest.param(package(GOOD, more={"pages/zeros.jsonl": bytes(5_000_000)}), "too many times", id="ratio"),
        pytest.param(package(GOOD)[:-30] + b"datapackage.json", "no whole ZIP", id="cut"),
        pytest.param(package(b"no warc at all"), "as a WARC", id="no-warc"),
        pytest.param(GOOD[:-40], "as a WARC", id="cut-warc"),
        pytest.param(recording((URL, 404, "text/html", b"gone")), "holds no page", id="no-page"),
        pytest.param(bomb(), "larger than what can be read", id="bomb"),
    ],
)
def test_a_recording_without_a_page_to_take_fails_with_a_sentence_and_is_kept(content: bytes, sentence: str) -> None:
    sealed = uploaded(content)

    assert (sealed.outcome, sealed.reason, sealed.body_sha256) == ("failed", "upload", "")
    assert re.search(sentence, sealed.detail), sealed.detail
    assert hashlib.sha256(content).hexdigest() in "".join(record.url for record in read_warc(sealed.warc_sha256))
