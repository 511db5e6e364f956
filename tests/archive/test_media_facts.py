"""What a picture says of itself, its statement of origin in three facts, and the same picture known again."""

import io
import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.db import transaction
from PIL import Image, ImageDraw, ImageFilter
from pytest_django.fixtures import Settings

from factcheck.archive.media_facts import NEAR_BITS, Media, alike, distance, parts_of, read_media
from factcheck.archive.models import Capture, MediaFacts
from factcheck.ledger.services import keep_text
from tests import web
from tests.archive.test_capturing import Capturing
from tests.archive.test_uploading import URL, uploaded

pytestmark = pytest.mark.django_db


def scene(seed: int, size: tuple[int, int] = (600, 400)) -> Image.Image:
    """A picture of things in places: the same for the same seed."""
    chance = Random(seed)
    image = Image.new("RGB", size, (120, 140, 160))
    draw = ImageDraw.Draw(image)
    for _thing in range(25):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        w, h = chance.randrange(30, 200), chance.randrange(30, 200)
        draw.ellipse((x - w, y - h, x + w, y + h), fill=tuple(chance.randrange(256) for _band in range(3)))
    return image.filter(ImageFilter.GaussianBlur(2))


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def read(content: bytes, tmp_path: Path, media_type: str = "image/jpeg") -> Media:
    path = tmp_path / "picture"
    path.write_bytes(content)
    with path.open("rb") as file:
        picture = read_media(file, media_type)
    assert picture is not None
    return picture


# --- the same picture ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_is_known_again_after_saving_scaling_and_turning(seed: int, tmp_path: Path) -> None:
    original = scene(seed)
    first = read(saved(original), tmp_path).phash
    turned = original.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    others = [
        saved(original, "JPEG", quality=40),
        saved(original, "WEBP", quality=50),
        saved(original.resize((250, 170)), "JPEG"),
        saved(turned, "JPEG", exif=exif),
    ]

    assert [distance(first, read(other, tmp_path).phash) <= NEAR_BITS for other in others] == [True] * 4


def test_other_pictures_look_otherwise(tmp_path: Path) -> None:
    found = [read(saved(scene(seed)), tmp_path).phash for seed in range(8)]

    assert all(distance(one, other) > NEAR_BITS for one in found for other in found if one != other)
    assert len(set(found)) == 8


def test_one_flat_area_looks_like_nothing(tmp_path: Path) -> None:
    picture = read(saved(Image.new("RGB", (300, 200), "navy")), tmp_path)

    assert (picture.phash, picture.problem) == ("", "")


def test_captures_of_the_same_picture_are_found_and_of_others_not() -> None:
    first = uploaded(saved(scene(1)))
    same = uploaded(saved(scene(1), "JPEG", quality=50), url="https://other.example/photo")
    uploaded(saved(scene(2)))

    assert [one.capture.pk for one in alike(first)] == [same.pk]


@pytest.mark.parametrize(("bits", "found"), [(0, True), (1, True), (6, True), (7, False), (64, False)])
def test_a_hash_is_found_by_its_parts_wherever_its_bits_differ(bits: int, found: bool) -> None:
    chance = Random(bits)
    own = uploaded(saved(scene(1)))
    other = uploaded(b"no picture")
    for _way in range(1 if bits in (0, 64) else 40):
        flipped = int(own.media_facts.phash, 16)
        for place in chance.sample(range(64), bits):
            flipped ^= 1 << place
        phash = f"{flipped:016x}"
        parts = {f"part_{number}": part for number, part in enumerate(parts_of(phash))}
        # Taken back each time: a capture has one row of facts.
        with transaction.atomic():
            MediaFacts.objects.create(capture=other, phash=phash, facts_row=keep_text("{}"), **parts)
            assert bool(alike(own)) == found
            transaction.set_rollback(True)


def test_a_fetched_picture_has_its_facts_too(site: web.Site, capture: Capturing) -> None:
    content = saved(scene(1), "JPEG")
    site.pages["/"] = web.page(content, media_type="image/jpeg")

    sealed = capture(site.url("/"))

    assert sealed.outcome == "captured"
    assert (sealed.media_facts.width, sealed.media_facts.height) == (600, 400)
    assert sealed.media_facts.phash


def test_what_is_no_picture_has_no_facts_of_one() -> None:
    assert not MediaFacts.objects.filter(capture=uploaded(b"Just words.")).exists()


# --- what the file says ----------------------------------------------------------------------


def test_exif_is_read_as_words_and_the_place_as_degrees(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Camera <script>\x07\u202e7"
    exif.get_ifd(0x8769)[0x9003] = "2025:03:03 10:00:00"
    exif.get_ifd(0x8825).update({1: "S", 2: (60.0, 30.0, 0.0), 3: "E", 4: (24.0, 0.0, 36.0)})

    facts = read(saved(scene(1), "JPEG", exif=exif), tmp_path).facts

    assert ["Model", "Camera <script>?7"] in facts["exif"]
    assert ["DateTimeOriginal", "2025:03:03 10:00:00"] in facts["exif"]
    assert facts["gps"] == [-60.5, 24.01]


def test_long_and_many_exif_fields_are_cut(tmp_path: Path) -> None:
    exif = Image.Exif()
    for tag in range(0x9C00, 0x9C00 + 300):
        exif[tag] = "x" * 150
    exif[0x010E] = "y" * 5_000

    facts = read(saved(scene(1, (60, 40)), "PNG", exif=exif), tmp_path, "image/png").facts

    assert 0 < len(facts["exif"]) <= 100
    assert max(len(value) for _name, value in facts["exif"]) <= 200


def test_what_programs_did_to_a_picture_is_read_where_they_wrote_it_down(tmp_path: Path) -> None:
    packet = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Photoshop 25"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Credit="Agency"/></rdf:RDF></x:xmpmeta>"""

    for kind in ("JPEG", "WEBP"):
        facts = read(saved(scene(1, (60, 40)), kind, xmp=packet), tmp_path, f"image/{kind.lower()}").facts
        assert facts["xmp"] == [["software", "Photoshop 25"], ["credit", "Agency"]]
    assert read(saved(scene(1, (60, 40)), "JPEG", xmp=packet[:-30]), tmp_path).facts["xmp"] == []


# --- hostile ---------------------------------------------------------------------------------


def bomb(side: int) -> bytes:
    """A PNG that says that it has so many pixels on each side, and has them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    packed = b"".join(packer.compress(row) for _line in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_a_picture_of_too_many_pixels_is_kept_and_not_unpacked() -> None:
    sealed = uploaded(bomb(20_000))

    assert sealed.outcome == "captured"
    assert (sealed.media_facts.width, sealed.media_facts.height, sealed.media_facts.phash) == (20_000, 20_000, "")
    assert json.loads(sealed.media_facts.facts_row.body)["problem"] == "too_large"


def test_a_picture_that_breaks_off_is_kept_and_said_to() -> None:
    content = saved(scene(1), "JPEG")

    sealed = uploaded(content[: len(content) // 2])

    assert (sealed.outcome, sealed.reason) == ("captured_partial", "upload_damaged")
    assert sealed.media_facts.phash == ""


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_no_damage_to_a_picture_breaks_the_reader(kind: str, tmp_path: Path) -> None:
    whole = saved(scene(1, (60, 40)), kind)
    chance = Random(1)
    for _time in range(3):
        content = bytearray(whole)
        for _byte in range(30):
            content[chance.randrange(12, len(content))] = chance.randrange(256)
        assert read(bytes(content), tmp_path, f"image/{kind.lower()}").problem in ("", "damaged", "too_large")


# --- the statement of origin -----------------------------------------------------------------


def test_a_picture_without_a_statement_makes_none(tmp_path: Path) -> None:
    assert read(saved(scene(1), "JPEG"), tmp_path).facts["c2pa"]["state"] in ("none", "not_installed")


def chain() -> tuple[ec.EllipticCurvePrivateKey, bytes, bytes]:
    """A signer's key, its certificates, and the root alone."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)

    def name(words: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, words), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests")]
        )

    def usage(**said: bool) -> x509.KeyUsage:
        names = [
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ]
        return x509.KeyUsage(**{one: said.get(one, False) for one in names})

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey, use: x509.KeyUsage, *, ca: bool) -> Any:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("Test root"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(use, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )

    root = certificate("Test root", root_key, usage(key_cert_sign=True, crl_sign=True), ca=True)
    leaf = certificate("Test camera", key, usage(digital_signature=True), ca=False)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    leaf = leaf.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False)
    root_pem, leaf_pem = (
        one.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) for one in (root, leaf)
    )
    return key, leaf_pem + root_pem, root_pem


def signed(content: bytes, *, elsewhere: str = "", media_type: str = "image/jpeg") -> tuple[bytes, bytes]:
    """The file with a statement of origin, and the root of its signer."""
    out, _manifest, root = _signing(content, elsewhere=elsewhere, media_type=media_type)
    return out, root


def manifest(content: bytes) -> bytes:
    """A statement of origin alone, made for this picture."""
    return _signing(content, elsewhere="", media_type="image/jpeg")[1]


def _signing(content: bytes, *, elsewhere: str, media_type: str) -> tuple[bytes, bytes, bytes]:
    c2pa = pytest.importorskip("c2pa")
    key, certificates, root = chain()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=certificates, private_key=secret, ta_url=None)
    created = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
    }
    said = {
        "claim_generator_info": [{"name": "Test camera app", "version": "1"}],
        "format": media_type,
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [created]}}],
    }
    out = io.BytesIO()
    with c2pa.Builder.from_json(json.dumps(said)) as builder:
        if elsewhere:
            builder.set_no_embed()
            builder.set_remote_url(elsewhere)
        made = builder.sign(c2pa.Signer.from_info(info), media_type, io.BytesIO(content), out)
    return out.getvalue(), bytes(made), root


def worth(content: bytes, tmp_path: Path) -> tuple[bool, bool, bool]:
    facts = read(content, tmp_path).facts["c2pa"]
    assert facts["state"] == "found", facts
    return facts["intact"], facts["bound"], facts["trusted"]


def test_signature_picture_and_signer_are_three_facts(settings: Settings, tmp_path: Path) -> None:
    content, root = signed(saved(scene(1), "JPEG"))
    pixel, words = bytearray(content), bytearray(content)
    pixel[-500] ^= 1
    words[content.index(b"Test camera app")] = ord("B")

    assert worth(content, tmp_path) == (True, True, False)
    assert worth(bytes(pixel), tmp_path) == (True, False, False)
    assert worth(bytes(words), tmp_path) == (False, True, False)

    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(root)
    settings.C2PA_TRUST_LIST = str(trusted)
    assert worth(content, tmp_path) == (True, True, True)
    assert worth(bytes(pixel), tmp_path) == (True, False, True)
    assert worth(bytes(words), tmp_path) == (False, True, False)


def test_a_signer_of_another_root_is_on_no_list(settings: Settings, tmp_path: Path) -> None:
    content, _root = signed(saved(scene(1), "JPEG"))
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(chain()[2])
    settings.C2PA_TRUST_LIST = str(trusted)

    assert worth(content, tmp_path) == (True, True, False)


def test_a_statement_that_lies_on_the_web_is_not_fetched(site: web.Site, tmp_path: Path) -> None:
    content, _root = signed(saved(scene(1), "JPEG"), elsewhere=site.url("/manifest.c2pa"))

    assert read(content, tmp_path).facts["c2pa"] == {"state": "elsewhere"}
    assert site.requests == []


def test_the_statement_names_its_maker_as_words(tmp_path: Path) -> None:
    content, _root = signed(saved(scene(1), "JPEG"))

    facts = read(content, tmp_path).facts["c2pa"]

    assert (facts["signer"], facts["made_with"]) == ("Test camera", "Test camera app 1")


def test_the_facts_of_an_upload_are_sealed_with_it() -> None:
    sealed = Capture.objects.get(pk=uploaded(saved(scene(1), "JPEG"), url=URL).pk)

    assert json.loads(sealed.media_facts.facts_row.body)["format"] == "JPEG"
