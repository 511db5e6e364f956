"""An uploaded package whose index, pages or signature do not fit what is in it: named, and never swallowed."""

import base64
import gzip
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from warcio.archiveiterator import ArchiveIterator

from factcheck.archive import blobs
from factcheck.archive.models import Capture, PackageChecks
from factcheck.archive.package_checks import check_package, findings, findings_about, is_unsound
from factcheck.archive.signing import sign_packages
from factcheck.archive.verifying import check_captures
from factcheck.archive.wacz import open_package
from factcheck.ledger import keys
from factcheck.ledger.insert_only import lifted
from factcheck.ledger.services import erase_text, keep_text
from tests import web
from tests.archive.test_uploading import OTHER, PAGE, URL, recording, uploaded

pytestmark = pytest.mark.django_db

WARC = recording((URL, 200, "text/html", PAGE), (OTHER, 404, "text/html", b"<p>Not there</p>"))
CREATED = "2026-03-04T10:00:00Z"

Line = dict[str, Any]
Signer = Callable[[str], dict[str, str]]


def lines_of(warc: bytes, filename: str = "data.warc.gz") -> list[tuple[str, str, Line]]:
    """The index as other people's tools write it."""
    found = []
    records = ArchiveIterator(io.BytesIO(warc))
    for record in records:
        url = record.rec_headers.get_header("WARC-Target-URI")
        host, _slash, path = url.removeprefix("https://").partition("/")
        offset, length = records.get_record_offset(), records.get_record_length()
        found.append(
            (
                f"{','.join(reversed(host.split('.')))})/{path}",
                "".join(filter(str.isdigit, record.rec_headers.get_header("WARC-Date")))[:14],
                {
                    "url": url,
                    "mime": "text/html",
                    "status": record.http_headers.get_statuscode(),
                    "digest": record.rec_headers.get_header("WARC-Payload-Digest"),
                    "length": str(length),
                    "offset": str(offset),
                    "filename": filename,
                    "recordDigest": f"sha256:{hashlib.sha256(warc[offset : offset + length]).hexdigest()}",
                },
            )
        )
    return found


def written(lines: list[tuple[str, str, Line]]) -> bytes:
    return "".join(sorted(f"{key} {moment} {json.dumps(fields)}\n" for key, moment, fields in lines)).encode()


def moment_of(warc: bytes) -> str:
    return str(next(iter(ArchiveIterator(io.BytesIO(warc)))).rec_headers.get_header("WARC-Date"))


def pages_of(*pages: tuple[str, str]) -> bytes:
    head = {"format": "json-pages-1.0", "id": "pages", "title": "All"}
    return b"".join(
        json.dumps(line).encode() + b"\n" for line in (head, *({"url": url, "ts": moment} for url, moment in pages))
    )


@dataclass
class Parts:
    """A package that fits together, until something of it is changed."""

    warc: bytes = WARC
    index: dict[str, bytes] = field(default_factory=lambda: {"indexes/index.cdx": written(lines_of(WARC))})
    pages: bytes = field(default_factory=lambda: pages_of((URL, moment_of(WARC))))
    signer: Signer | None = None
    # What is put into the digest in place of what belongs there.
    digest: dict[str, Any] = field(default_factory=dict)

    @property
    def packed(self) -> bytes:
        files = {"archive/data.warc.gz": self.warc, **self.index}
        if self.pages:
            files["pages/pages.jsonl"] = self.pages
        listed = [
            {"path": name, "hash": f"sha256:{hashlib.sha256(body).hexdigest()}", "bytes": len(body)}
            for name, body in files.items()
        ]
        datapackage = json.dumps({"mainPageUrl": URL, "created": CREATED, "resources": listed}).encode()
        said: dict[str, Any] = {
            "path": "datapackage.json",
            "hash": f"sha256:{hashlib.sha256(datapackage).hexdigest()}",
        }
        if self.signer:
            said["signedData"] = {"hash": said["hash"], "created": CREATED, **self.signer(said["hash"])}
        for name, value in self.digest.items():
            target = said["signedData"] if name.startswith("signed.") else said
            target[name.removeprefix("signed.")] = value
        files |= {"datapackage.json": datapackage, "datapackage-digest.json": json.dumps(said).encode()}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as zipped:
            for name, body in files.items():
                zipped.writestr(name, body)
        return out.getvalue()


def checked(parts: Parts | bytes) -> dict[str, Any]:
    with tempfile.TemporaryFile() as file:
        file.write(parts if isinstance(parts, bytes) else parts.packed)
        file.flush()
        return check_package(file)


def wrong(parts: Parts, part: str) -> dict[str, int]:
    codes: dict[str, int] = checked(parts)[part]["wrong"]
    return codes


# --- the index -------------------------------------------------------------------------------


def test_a_package_that_fits_together_is_said_to() -> None:
    sealed = uploaded(Parts().packed)

    assert (sealed.outcome, sealed.reason) == ("captured", "upload")
    said = {finding.text: finding.tone for finding in findings_about(sealed)}
    assert said["Its index is right: each of its 2 lines says what its record says."] == "good"
    assert said["Every page that it lists is in the recording."] == "good"
    assert said["It is not signed: nobody can tell whether it was changed since it was made."] == "neutral"


def tampered(**changes: Any) -> dict[str, bytes]:
    """The first line of the index says something else of its record."""
    (key, moment, fields), *others = lines_of(WARC)
    key, moment = changes.pop("key", key), changes.pop("moment", moment)
    return {"indexes/index.cdx": written([(key, moment, fields | changes), *others])}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"offset": "7"}, "offset"),
        ({"offset": "x"}, "offset"),
        ({"offset": str(10**30)}, "offset"),
        ({"length": "12"}, "length"),
        ({"url": "https://city.example/another"}, "url"),
        ({"key": "example,bank)/"}, "key"),
        ({"moment": "20010101000000"}, "time"),
        ({"digest": "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5"}, "digest"),
        ({"status": "301"}, "status"),
        ({"filename": "other.warc.gz"}, "file"),
        ({"recordDigest": f"sha256:{'0' * 64}"}, "record"),
    ],
)
def test_a_line_of_the_index_that_says_something_else_than_its_record_is_named(
    changes: dict[str, Any], code: str
) -> None:
    sealed = uploaded(Parts(index=tampered(**changes)).packed)

    facts = sealed.package_checks.facts
    assert facts is not None
    assert facts["index"]["wrong"] == {code: 1}
    assert (sealed.outcome, sealed.reason) == ("captured_partial", "upload_unsound")
    assert "contradicts itself" in sealed.sentence
    assert [finding.tone for finding in findings_about(sealed)].count("bad") == 1


def test_the_page_is_taken_all_the_same_from_where_it_really_is() -> None:
    sealed = uploaded(Parts(index=tampered(url=OTHER)).packed)

    assert blobs.read(sealed.body_sha256) == PAGE
    assert sealed.carries_evidence


def test_a_line_that_is_none_is_named_and_the_others_are_looked_at() -> None:
    index = written(lines_of(WARC))
    facts = checked(Parts(index={"indexes/index.cdx": b"%s\xff no line\n" % index}))

    assert facts["index"]["wrong"] == {"unreadable": 1}
    assert facts["index"]["missing"] == {}


def test_an_answer_that_the_index_leaves_out_is_missing_and_not_wrong() -> None:
    facts = checked(Parts(index={"indexes/index.cdx": written(lines_of(WARC)[:1])}))

    assert (facts["index"]["wrong"], facts["index"]["missing"]) == ({}, {"record": 1})
    assert not is_unsound(facts)
    assert "Its index leaves out 1 answer that is in the recording." in [one.text for one in findings(facts)]


def test_a_package_without_an_index_says_so() -> None:
    facts = checked(Parts(index={}))

    assert facts["index"]["missing"]["index"] == 1
    assert not is_unsound(facts)


@pytest.mark.parametrize(
    "spelt",
    [
        {"digest": "{digest}"},
        {"url": "HTTPS://city.example/budget#top".replace("HTTPS", "https")},
        {"status": 200, "offset": 0},
        {"moment": "{moment}123"},
        {"key": "com,example)/".replace("com,example", "example,city")},
        {"method": "POST", "url": URL + "?__wb_method=POST&x=1"},
    ],
)
def test_the_ways_in_which_other_tools_write_a_line_are_not_wrong(spelt: dict[str, Any]) -> None:
    _key, moment, fields = lines_of(WARC)[0]
    values = {"digest": fields["digest"].partition(":")[2], "moment": moment}
    changes = {name: value.format(**values) if isinstance(value, str) else value for name, value in spelt.items()}

    assert wrong(Parts(index=tampered(**changes)), "index") == {}


def packed_index(*, digest: str = "", offset: int = 0) -> dict[str, bytes]:
    """An index in packed parts, and the one above them."""
    above, packed = ['!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}'], b""
    for line in written(lines_of(WARC)).splitlines(keepends=True):
        part = gzip.compress(line)
        said = {
            "offset": len(packed) + offset,
            "length": len(part),
            "digest": digest or f"sha256:{hashlib.sha256(part).hexdigest()}",
        }
        above.append(f"{line.partition(b' {')[0].decode()} {json.dumps(said)}")
        packed += part
    return {"indexes/index.cdx.gz": packed, "indexes/index.idx": "\n".join(above).encode()}


def test_a_packed_index_is_read_as_an_open_one() -> None:
    facts = checked(Parts(index=packed_index()))

    assert facts["index"] == {"lines": 2, "wrong": {}, "missing": {}}


@pytest.mark.parametrize("lie", [{"digest": "sha256:00"}, {"offset": 3}])
def test_an_index_of_a_packed_index_that_does_not_fit_it_is_named(lie: dict[str, Any]) -> None:
    assert wrong(Parts(index=packed_index(**lie)), "index") == {"part": 2}


# --- the pages -------------------------------------------------------------------------------


def test_a_page_that_the_recording_does_not_hold_is_missing_and_not_wrong() -> None:
    facts = checked(Parts(pages=pages_of((URL, moment_of(WARC)), ("https://nowhere.example/", CREATED))))

    assert (facts["pages"]["wrong"], facts["pages"]["missing"]) == ({}, {"page": 1})
    assert not is_unsound(facts)


def test_a_page_that_is_dated_to_another_day_than_its_record_is_wrong() -> None:
    facts = checked(Parts(pages=pages_of((URL, "2001-01-01T00:00:00Z"))))

    assert facts["pages"]["wrong"] == {"time": 1}
    assert is_unsound(facts)


def test_a_line_of_the_list_of_pages_that_is_none_is_wrong() -> None:
    assert wrong(Parts(pages=pages_of((URL, CREATED))[:-3]), "pages")["unreadable"] == 1


# --- the signature ---------------------------------------------------------------------------

KEY = ec.generate_private_key(ec.SECP384R1())


def anonymously(hash_: str, key: ec.EllipticCurvePrivateKey = KEY) -> dict[str, str]:
    pair = decode_dss_signature(key.sign(hash_.encode(), ec.ECDSA(hashes.SHA256())))
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        "software": "A tool",
        "version": "0.1.0",
        "signature": base64.b64encode(b"".join(number.to_bytes(48, "big") for number in pair)).decode(),
        "publicKey": base64.b64encode(public).decode(),
    }


DOMAIN_KEY = ec.generate_private_key(ec.SECP256R1())
DAY = timedelta(days=1)


def certificate(names: list[str]) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(DOMAIN_KEY.public_key())
        .serial_number(7)
        .not_valid_before(moment)
        .not_valid_after(moment + 90 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        .sign(DOMAIN_KEY, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def for_a_domain(hash_: str) -> dict[str, str]:
    signature = DOMAIN_KEY.sign(hash_.encode(), ec.ECDSA(hashes.SHA256()))
    return {
        "software": "A tool",
        "version": "0.1.0",
        "signature": base64.b64encode(signature).decode(),
        "domain": "news.example",
        "domainCert": certificate(["news.example"]),
        "timeSignature": "",
        "timestampCert": "",
    }


def test_a_good_anonymous_signature_is_said_to_be_one_with_the_key_it_is_by() -> None:
    sealed = uploaded(Parts(signer=anonymously).packed)

    said = next(finding for finding in findings_about(sealed) if "signed" in finding.text)
    fingerprint = hashlib.sha256(base64.b64decode(anonymously("")["publicKey"])).hexdigest()[:40]
    assert (said.tone, fingerprint in said.text) == ("good", True)
    assert "Whose key it is the signature does not say" in said.text
    assert sealed.outcome == "captured"


@pytest.mark.parametrize(
    ("lie", "result", "words"),
    [
        ({"signed.hash": f"sha256:{'0' * 64}"}, "other", "of another package"),
        ({"signed.created": "2020-01-01T00:00:00Z"}, "time", "another time"),
        ({"signed.signature": anonymously("sha256:other")["signature"]}, "bad", "broken"),
        ({"signed.publicKey": "AAAA"}, "unreadable", "cannot be read"),
        ({"signed.publicKey": 7}, "unreadable", "cannot be read"),
        ({"signed.signature": "%"}, "unreadable", "cannot be read"),
        ({"hash": f"sha256:{'0' * 64}"}, "list", "changed afterwards"),
        ({"signedData": "yes"}, "unreadable", "cannot be read"),
        ({"signedData": {}}, "other", "of another package"),
    ],
)
def test_a_signature_that_is_not_of_the_package_is_named(lie: dict[str, Any], result: str, words: str) -> None:
    sealed = uploaded(Parts(signer=anonymously, digest=lie).packed)

    facts = sealed.package_checks.facts
    assert facts is not None
    assert facts["signature"]["result"] == result
    assert sealed.reason == "upload_unsound"
    bad = [finding.text for finding in findings_about(sealed) if finding.tone == "bad"]
    assert len(bad) == 1
    assert words in bad[0]


def test_a_digest_of_another_list_is_named_also_where_nothing_is_signed() -> None:
    facts = checked(Parts(digest={"hash": f"sha256:{'0' * 64}"}))

    assert facts["signature"] == {"form": "none", "result": "list"}
    assert is_unsound(facts)


def test_a_signature_for_a_domain_is_followed_as_far_as_it_can_be_here() -> None:
    facts = checked(Parts(signer=for_a_domain))

    assert facts["signature"] == {
        "form": "domain",
        "result": "good",
        "created": CREATED,
        "domain": "news.example",
        "trusted": False,
    }
    said = [finding.text for finding in findings(facts)]
    assert "no authority known here vouches for" in said[0]
    assert "the time-stamp beside it was not checked" in said[1]


def test_a_domain_that_the_certificate_does_not_name_is_not_believed() -> None:
    facts = checked(Parts(signer=for_a_domain, digest={"signed.domain": "bank.example"}))

    assert facts["signature"]["result"] == "name"
    assert is_unsound(facts)


def test_a_domains_signature_by_another_key_is_broken() -> None:
    facts = checked(Parts(signer=for_a_domain, digest={"signed.signature": for_a_domain("x")["signature"]}))

    assert facts["signature"]["result"] == "bad"


@pytest.fixture
def holder(settings, tmp_path) -> Iterator[None]:
    settings.KEYS_DIR = tmp_path / "keys"
    keys.hold()
    yield
    keys.let_go()


@pytest.mark.usefixtures("holder")
def test_a_package_of_ours_is_known_again_and_found_right_in_all_parts(
    site: web.Site, capture: Callable[[str], Capture]
) -> None:
    site.pages |= {"/": web.redirect("/costs"), "/costs": web.page("<title>Costs</title><p>The dam cost 40.</p>")}
    first = capture(site.url("/"))
    sign_packages()
    whole = b"".join(open_package(Capture.objects.get(pk=first.pk)))

    sealed = uploaded(whole, url=first.final_url)

    assert sealed.outcome == "captured"
    assert {finding.tone for finding in findings_about(sealed)} == {"good"}
    assert "signed with a key of this newsroom" in findings_about(sealed)[0].text


# --- hostile, kept, erased -------------------------------------------------------------------


def zeros(size: int) -> bytes:
    return gzip.compress(bytes(size))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"index": {"indexes/index.cdx.gz": zeros(500_000_000)}}, id="an index that unpacks without end"),
        pytest.param({"index": {"indexes/index.cdx.gz": gzip.compress(b"")[:-1]}}, id="an index that breaks off"),
        pytest.param({"index": {"indexes/index.cdx.gz": gzip.compress(b"") * 400_000}}, id="parts without end"),
        pytest.param({"index": {"indexes/index.cdx": b"[" * 900_000}}, id="an index of brackets"),
        pytest.param({"pages": b'{"url": ' + b"[" * 900_000}, id="a list of brackets"),
        pytest.param({"pages": b"{}\n" * 400_000}, id="pages without end"),
    ],
)
def test_a_package_made_to_harm_costs_no_more_than_its_checks(parts: dict[str, Any]) -> None:
    sealed = uploaded(Parts(**parts).packed)

    assert blobs.read(sealed.body_sha256) == PAGE
    # It was said before the limit was met; and of what could not be looked at, that.
    said = findings_about(sealed)
    assert "It is not signed" in said[0].text
    assert [part for part in ("index", "page") if part in " ".join(one.text for one in said)] == ["index", "page"]


def test_of_a_plain_recording_nothing_is_said_of_index_or_signature() -> None:
    sealed = uploaded(WARC)

    assert findings_about(sealed) == []
    assert not PackageChecks.objects.exists()


def test_what_was_found_can_be_erased_with_its_names() -> None:
    sealed = uploaded(Parts(signer=for_a_domain).packed)

    erase_text(sealed.package_checks.facts_row, erasure="erasure-1")

    assert findings_about(Capture.objects.get(pk=sealed.pk)) == []


def test_an_upload_with_checks_is_what_the_log_says() -> None:
    uploaded(Parts(signer=anonymously).packed)

    ((_capture, faults),) = check_captures(Capture.objects.all())
    assert faults == []


def test_findings_that_were_changed_since_are_named_by_verify_archive() -> None:
    sealed = uploaded(Parts(index=tampered(url=OTHER)).packed)
    facts = sealed.package_checks.facts
    assert facts is not None
    facts["index"]["wrong"] = {}
    with lifted():
        PackageChecks.objects.update(facts_row=keep_text(json.dumps(facts)))

    ((_capture, faults),) = check_captures(Capture.objects.all())

    assert [fault.part for fault in faults] == ["package checks"]
