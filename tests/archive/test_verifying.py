"""manage.py verify_archive: whatever is done to a capture, its files, its signature or its entry is named."""

import base64
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from factcheck.archive import blobs, signing
from factcheck.archive.errors import WarcFault
from factcheck.archive.models import Capture, TextLayer, WaczSignature
from factcheck.archive.signing import sign_packages
from factcheck.archive.verifying import check_captures
from factcheck.archive.wacz import lay_out
from factcheck.archive.wacz_checking import check_wacz
from factcheck.archive.warc_reading import read_records
from factcheck.ledger import keys
from factcheck.ledger.insert_only import lifted
from factcheck.ledger.models import Entry, Leaf, Text
from factcheck.ledger.services import erase_text
from tests import web

pytestmark = pytest.mark.django_db

ARTICLE = "<title>Costs</title><p>The dam cost 40 million euros.</p>"


@pytest.fixture(autouse=True)
def keys_held(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.KEYS_DIR = tmp_path / "keys"
    keys.hold()
    yield
    keys.let_go()


@pytest.fixture
def sealed(site: web.Site, capture: Callable[[str], Capture]) -> Capture:
    site.pages |= {"/": web.redirect("/costs"), "/costs": web.page(ARTICLE)}
    sealed = capture(site.url("/"))
    assert sign_packages() == 1
    return sealed


def verify(*how: str) -> tuple[str, str]:
    """What the command printed, and the error it ended with."""
    out, error = StringIO(), ""
    try:
        call_command("verify_archive", *how, stdout=out)
    except CommandError as failure:
        error = str(failure)
    return out.getvalue(), error


def row(**changed: object) -> Callable[[Capture], None]:
    return lambda capture: _update(Capture.objects.filter(pk=capture.pk), changed)


def layer(**changed: object) -> Callable[[Capture], None]:
    return lambda capture: _update(capture.layers.filter(kind="visible"), changed)


def signature(**changed: object) -> Callable[[Capture], None]:
    return lambda capture: _update(WaczSignature.objects.filter(capture=capture), changed)


def _update(rows, changed):
    with lifted():
        assert rows.update(**changed) == 1


def words(capture: Capture) -> None:
    """The title in the row of words, by somebody who leaves the salted hash as it is."""
    with lifted():
        text = capture.words_row
        Text.objects.filter(pk=text.pk).update(body=text.body.replace("Costs", "Gains"))


def flipped(of: Callable[[Capture], str]) -> Callable[[Capture], None]:
    def done(capture: Capture) -> None:
        path = blobs.path_of(of(capture))
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    return done


def other_body(capture: Capture) -> None:
    """Another file under its right hash, as somebody would do who can write both the store and the row."""
    other = blobs.store(b"<p>The dam cost 41 million euros.</p>")
    row(body_sha256=other.sha256, body_bytes=other.size)(capture)


def other_text(capture: Capture) -> None:
    text = "The dam cost 41 million euros."
    layer(sha256=blobs.store(text.encode()).sha256, chars=len(text))(capture)


def other_warc(capture: Capture) -> None:
    """A sound WARC in which another page answers, with row and package hash put right."""
    content = blobs.read(capture.warc_sha256)
    forged = blobs.store(content + _renamed(_records(content)[0]))
    with blobs.open_blob(forged.sha256) as warc:
        about = {"page_id": capture.public_id, "page_url": capture.final_url, "title": capture.title}
        hash_ = lay_out(warc, created=capture.sealed_at, **about).hash
    row(
        warc_sha256=forged.sha256, warc_bytes=forged.size, records=capture.records + 1, wacz_hash=hash_
    )(capture)  # fmt: skip


def _renamed(packed: bytes) -> bytes:
    return gzip.compress(re.sub(rb"WARC-Record-ID: [^\r]+", b"WARC-Record-ID: <urn:x>", gzip.decompress(packed)))


def _records(packed: bytes) -> list[bytes]:
    found = []
    while packed:
        unpacker = zlib.decompressobj(31)
        unpacker.decompress(packed)
        found.append(packed[: len(packed) - len(unpacker.unused_data)])
        packed = unpacker.unused_data
    return found


def foreign_key(capture: Capture) -> None:
    """A good signature by a key that was never the newsroom's."""
    key = ec.generate_private_key(ec.SECP384R1())
    made = key.sign(capture.wacz_hash.encode(), ec.ECDSA(hashes.SHA256()))
    pair = b"".join(number.to_bytes(48, "big") for number in decode_dss_signature(made))
    signature(signature=base64.b64encode(pair).decode(), public_key=signing._public(key))(capture)


def no_signature(capture: Capture) -> None:
    with lifted():
        WaczSignature.objects.all().delete()


def no_layer(capture: Capture) -> None:
    with lifted():
        capture.layers.filter(kind="visible").delete()


def more_layers(capture: Capture) -> None:
    TextLayer.objects.create(
        capture=capture,
        kind="main",
        extractor="by hand",
        extractor_version="1",
        outcome="ok",
        chars=5,
        sha256=blobs.store(b"hello").sha256,
    )


def no_entry(capture: Capture) -> None:
    with lifted():
        Leaf.objects.all().delete()
        Entry.objects.filter(action="capture.sealed").delete()


DONE = {
    "a byte of the WARC": (flipped(lambda c: c.warc_sha256), "warc: The archived bytes"),
    "a byte of the body": (flipped(lambda c: c.body_sha256), "body: The archived bytes"),
    "a byte of the text": (
        flipped(lambda c: c.layers.get(kind="visible").sha256),
        "text layer visible: The archived bytes",
    ),
    "no body": (lambda c: blobs.path_of(c.body_sha256).unlink(), "body: The archived bytes"),
    "another body under its own hash": (other_body, "body_sha256, and the log"),
    "another WARC under its own hash": (other_warc, "warc_sha256, and the log"),
    "another text under its own hash": (other_text, "text layer visible: The row says another text"),
    "the outcome": (row(outcome="captured_partial"), "row: The row says captured_partial for outcome"),
    "the reason": (row(reason="truncated"), "for reason, and the log"),
    "the day": (row(sealed_at="2020-01-01T00:00:00Z"), "for sealed_at, and the log"),
    "the day it began": (row(started_at="2020-01-01T00:00:00Z"), "for started_at, and the log"),
    "the address it answered from": (row(ip="192.0.2.1"), "row: The row says 192.0.2.1 for ip"),
    "the status": (row(http_status=404), "row: The row says 404 for http_status"),
    "the certificate": (row(tls={"verified": True}), "for tls_sha256, and the log None"),
    "the count of records": (row(records=1), "warc: The WARC has"),
    "the count of bytes": (row(body_bytes=1), "body: There are"),
    "the hash of the package": (row(wacz_hash="sha256:" + "0" * 64), "package: Laid out now it has another hash"),
    "that the page asks not to be shown": (row(noarchive=True), "for noarchive, and the log False"),
    "the words": (words, "words: The addresses and words"),
    "the length of the text": (layer(chars=3), "text layer visible: It has"),
    "the pages of the text": (layer(pages=[[0, 9], [5, 12]]), "text layer visible: Its pages"),
    "the result of the text": (layer(outcome="empty"), "text layer visible: The row says another text"),
    "the reader of the text": (layer(extractor_version="0"), "text layer visible: The log knows of no such text"),
    "no text": (no_layer, "text layer visible: The log says that there was such a text"),
    "a text more": (more_layers, "text layer main: The log knows of no such text"),
    "no entry": (no_entry, "row: The log has no entry"),
    "a signature of nothing": (
        signature(signature=base64.b64encode(bytes(96)).decode()),
        "signature: It does not verify",
    ),
    "a signature of another package": (signature(hash="sha256:" + "0" * 64), "signature: It is of another package"),
    "a signature of another day": (signature(created="2020-01-01T00:00:00Z"), "signature: It is of another package"),
    "a signature by a foreign key": (foreign_key, "signature: The log knows of no key"),
    "a signature by other software": (signature(software="x"), "signature: It is not the one that the log has"),
    "no signature": (no_signature, "signature: The log says that the package was signed"),
}


def test_an_untouched_archive_with_its_signature_is_as_it_was_sealed(sealed: Capture) -> None:
    assert verify() == ("1 captures are as they were sealed.\n", "")
    assert json.loads(verify("--json")[0]) == {"ok": True, "captures": 1, "faulty": 0, "unsigned": 0, "key": ""}


@pytest.mark.parametrize("what", DONE)
def test_what_is_done_to_a_capture_is_named(sealed: Capture, what: str) -> None:
    change, said = DONE[what]
    assert verify()[1] == ""

    change(sealed)

    out, error = verify()
    assert f"capture/{sealed.public_id}, " in out
    assert said in out
    assert error == "1 of 1 captures are not as they were sealed."


def test_a_capture_whose_row_is_gone_is_named(sealed: Capture) -> None:
    with lifted():
        WaczSignature.objects.all().delete()
        sealed.layers.all().delete()
        Capture.objects.all().delete()

    out, error = verify()

    assert out == f"capture/{sealed.public_id}, row: The log says that it was sealed, and there is no such capture.\n"
    assert error


def test_each_fault_is_a_line_of_json_and_the_sum_is_the_last(sealed: Capture) -> None:
    row(outcome="captured_partial")(sealed)

    first, *_more, last = [json.loads(line) for line in verify("--json")[0].splitlines()]

    assert (first["capture"], first["part"]) == (sealed.public_id, "row")
    assert (last["ok"], last["captures"], last["faulty"]) == (False, 1, 1)


def test_a_package_that_waits_for_its_signature_is_counted_and_is_no_fault(
    site: web.Site, capture: Callable[[str], Capture]
) -> None:
    site.pages["/"] = web.page(ARTICLE)
    capture(site.url("/"))

    assert verify() == ("1 captures are as they were sealed.\n1 packages are not signed yet.\n", "")


def test_a_key_that_others_can_read_is_named(sealed: Capture, settings: Settings) -> None:
    (settings.KEYS_DIR / "wacz.pem").chmod(0o644)

    assert "has the permissions 0644" in verify()[1]
    assert "has the permissions 0644" in json.loads(verify("--json")[0])["key"]


def test_the_command_opens_no_key(sealed: Capture, settings: Settings) -> None:
    (settings.KEYS_DIR / "wacz.pem").write_bytes(b"not looked into")
    keys.let_go()

    assert verify()[1] == ""


def test_a_signature_by_an_earlier_key_of_the_newsroom_stays_good(sealed: Capture, settings: Settings) -> None:
    (settings.KEYS_DIR / "wacz.pem").unlink()
    signing._make_known(signing._public(signing._key()))

    assert Entry.objects.filter(action="key.made").count() == 2
    assert verify()[1] == ""


def test_erased_words_are_not_missed_and_all_else_is_still_compared(sealed: Capture) -> None:
    erase_text(sealed.words_row, erasure="e1")

    assert list(check_captures(Capture.objects.all()))[0][1] == []
    row(http_status=404)(sealed)
    assert [fault.part for fault in list(check_captures(Capture.objects.all()))[0][1]] == ["row"]


def test_only_so_many_captures_are_drawn_for_a_sample(site: web.Site, capture: Callable[[str], Capture]) -> None:
    site.pages["/"] = web.page(ARTICLE)
    for number in range(4):
        capture(site.url(f"/?{number}"))

    assert verify("--sample", "50")[0].startswith("2 captures are")
    with pytest.raises(CommandError, match="above 0"):
        call_command("verify_archive", "--sample", "0")


# --- revisits ---------------------------------------------------------------------------------------------------------

PAGE, STYLE = "http://news.example/a.css", "http://news.example/b.css"


def record(kind: str, number: int, url: str, block: bytes, **fields: str) -> bytes:
    named = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:{number}>",
        "WARC-Target-URI": url,
        "WARC-Date": f"2026-03-04T05:{6 + number // 60:02}:{number % 60:02}Z",
        "WARC-Block-Digest": f"sha256:{hashlib.sha256(block).hexdigest()}",
        "Content-Type": "application/http;msgtype=response",
        "Content-Length": str(len(block)),
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return gzip.compress(f"WARC/1.1\r\n{head}\r\n".encode() + block + b"\r\n\r\n", mtime=0)


def two_answers(**changed: str) -> bytes:
    """An answer, and a second one with the same payload as a revisit of the first."""
    head, body = b"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\n\r\n", b"body { color: red }"
    payload = f"sha256:{hashlib.sha256(body).hexdigest()}"
    refers = {
        "WARC_Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        "WARC_Payload_Digest": payload,
        "WARC_Refers_To": "<urn:uuid:1>",
        "WARC_Refers_To_Target_URI": PAGE,
        "WARC_Refers_To_Date": "2026-03-04T05:06:01Z",
        "WARC_Truncated": "length",
    }
    return record("response", 1, PAGE, head + body, WARC_Payload_Digest=payload) + record(
        "revisit", 2, STYLE, head, **refers | changed
    )


def test_a_revisit_leads_to_the_answer_whose_payload_it_repeats() -> None:
    assert [one.kind for one in read_records(io.BytesIO(two_answers()))] == ["response", "revisit"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"WARC_Payload_Digest": "sha256:" + "0" * 64}, "Record 2: No answer"),
        ({"WARC_Refers_To": "<urn:uuid:9>"}, "Record 2: No answer"),
        ({"WARC_Refers_To": "<urn:uuid:2>"}, "Record 2: No answer"),
        ({"WARC_Refers_To_Target_URI": STYLE}, "Record 2: No answer"),
        ({"WARC_Refers_To_Date": "2020-01-01T00:00:00Z"}, "Record 2: No answer"),
        ({"WARC_Profile": "http://netpreserve.org/warc/1.1/revisit/server-not-modified"}, "Record 2: It does not say"),
        ({"WARC_Record_ID": "<urn:uuid:1>"}, "Record 2: An earlier record has the same id"),
    ],
)
def test_a_revisit_that_leads_nowhere_in_its_file_is_named(changed: dict[str, str], said: str) -> None:
    with pytest.raises(WarcFault, match=said):
        list(read_records(io.BytesIO(two_answers(**changed))))


def test_a_package_with_a_revisit_is_whole_and_one_that_leads_out_of_it_is_not() -> None:
    def flaws(warc: bytes) -> list[str]:
        file = io.BytesIO(warc)
        about = {"page_id": "7q2km4tz", "page_url": PAGE, "title": "", "created": datetime(2026, 3, 4, tzinfo=UTC)}
        return [flaw.code for flaw in check_wacz(io.BytesIO(b"".join(lay_out(file, **about).pieces(file))))]

    assert flaws(two_answers()) == []
    assert flaws(two_answers(WARC_Refers_To="<urn:uuid:9>")) == ["record"]


def test_an_index_of_many_answers_and_revisits_is_right_for_each() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\n\r\n"
    urls = [f"http://news.example/{number % 7}/{number}.css?b={number}&a=ü" for number in range(600)]
    warc = two_answers()
    for number, url in enumerate(urls, 3):
        body = f"p {{ order: {number // 2} }}".encode()
        payload = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if number % 2 == 0:
            warc += record("response", number, url, head + body, WARC_Payload_Digest=payload)
            continue
        warc += record(
            "revisit",
            number,
            url,
            head,
            WARC_Profile="http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
            WARC_Payload_Digest=f"sha256:{hashlib.sha256(b'body { color: red }').hexdigest()}",
            WARC_Refers_To="<urn:uuid:1>",
            WARC_Refers_To_Target_URI=PAGE,
            WARC_Refers_To_Date="2026-03-04T05:06:01Z",
        )
    file = io.BytesIO(warc)
    about = {"page_id": "7q2km4tz", "page_url": PAGE, "title": "", "created": datetime(2026, 3, 4, tzinfo=UTC)}
    package = lay_out(file, **about)

    assert check_wacz(io.BytesIO(b"".join(package.pieces(file)))) == []
    index = dict(package.small)["indexes/index.cdx"]
    assert index.count(b"\n") == 602
    assert index.count(b'"warc/revisit"') == 301
