"""What a film or a sound recording says of itself, and that no film can harm the one who reads it."""

import io
import shutil
import struct
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image
from pytest_django.fixtures import Settings

from factcheck.archive.extraction import films
from factcheck.archive.media_facts import Media, alike, read_media
from factcheck.archive.models import PictureWithin
from factcheck.archive.selectors import layers_of
from tests import web
from tests.archive.boxes import box, data, element, film, full, head, keyed, track, webm
from tests.archive.test_capturing import Capturing
from tests.archive.test_media_facts import saved, scene, signed
from tests.archive.test_uploading import uploaded

pytestmark = pytest.mark.django_db

# Recorded with ffmpeg 5.1.9: its test picture and a tone, with the words given on the command line.
TRAM_MOV, TRAM_WEBM = ((Path(__file__).parent / "data" / f"tram.{kind}").read_bytes() for kind in ("mov", "webm"))


def read(content: bytes, tmp_path: Path, media_type: str = "video/mp4") -> Media:
    path = tmp_path / "film"
    path.write_bytes(content)
    with path.open("rb") as file:
        media = read_media(file, media_type)
    assert media is not None
    return media


def parsed(content: bytes, media_type: str = "video/mp4") -> dict[str, Any]:
    """As the child reads it, in this process."""
    return films.read(io.BytesIO(content), media_type).facts()


# --- recorded files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "media_type", "container", "codecs"),
    [
        (TRAM_MOV, "video/quicktime", "QuickTime", ["avc1", "mp4a"]),
        (TRAM_WEBM, "video/webm", "WebM", ["V_VP8", "A_VORBIS"]),
    ],
)
def test_a_recorded_film_is_read_as_it_was_recorded(
    content: bytes, media_type: str, container: str, codecs: list[str], tmp_path: Path
) -> None:
    media = read(content, tmp_path, media_type)

    assert (media.kind, media.problem, media.width, media.height) == ("film", "", 64, 48)
    assert media.facts["format"] == container
    assert [track["codec"] for track in media.facts["tracks"]] == codecs
    assert round(media.facts["seconds"]) == 1
    assert media.facts["created"] == "2025-03-03T10:00:00Z"
    assert media.facts["gps"] == [60.17, 24.94]
    for said in (["title", "Tram"], ["make", "Acme"], ["model", "A1"]):
        assert said in media.facts["words"]


# --- by hand: each place where such words are kept -------------------------------------------


def test_what_a_phone_writes_is_read() -> None:
    said = parsed(
        film(
            head(),
            track(),
            keyed(
                com__apple__quicktime__make=b"Apple",
                com__apple__quicktime__model=b"iPhone 15",
                com__apple__quicktime__location__ISO6709=b"-33.8568+151.2153+004.9/",
                com__apple__quicktime__creationdate=b"2025-03-03T12:00:00+0200",
            ),
            brand=b"qt  ",
        ),
        "video/quicktime",
    )

    assert said["words"] == [["make", "Apple"], ["model", "iPhone 15"], ["recorded", "2025-03-03T12:00:00+0200"]]
    assert said["gps"] == [-33.8568, 151.2153]
    assert (said["format"], said["seconds"], said["created"]) == ("QuickTime", 90.5, "2025-03-03T10:00:00Z")


def test_words_of_every_older_form_are_read() -> None:
    quicktime = box(b"\xa9mod", struct.pack(">HH", 4, 0), b"M100")
    place = box(b"\xa9xyz", struct.pack(">HH", 16, 0), b"+60.1700+24.9400")
    of_3gpp = full(b"auth", b"\0\0", b"Jo\0")
    itunes = full(b"meta", full(b"hdlr", bytes(20)), box(b"ilst", box(b"\xa9too", data(b"HandBrake 1.6"))))

    said = parsed(film(head(), track(), box(b"udta", quicktime, place, of_3gpp, itunes)))

    assert said["words"] == [["model", "M100"], ["author", "Jo"], ["software", "HandBrake 1.6"]]
    assert said["gps"] == [60.17, 24.94]


def test_a_film_taken_upright_has_the_size_that_is_seen() -> None:
    said = parsed(film(head(), track(turned=True, encoder=b"Lavc libx264")))

    assert (said["width"], said["height"]) == (1080, 1920)
    assert said["tracks"][0]["encoder"] == "Lavc libx264"
    assert said["tracks"][0]["name"] == "Core Media"


def test_a_clock_that_was_never_set_gives_no_time() -> None:
    assert parsed(film(head(created=0)))["created"] == ""


def test_a_film_in_pieces_is_said_to_be_one() -> None:
    assert parsed(film(head(units=0), box(b"mvex")))["fragmented"]
    live = webm(element(0x1549A966), element(0x1F43B675, element(0xA3, bytes(50)), size=-1), size=-1)
    assert parsed(live, "video/webm")["fragmented"]


def test_what_comes_after_a_cluster_without_a_size_is_read() -> None:
    tags = element(0x1254C367, element(0x7373, element(0x67C8, element(0x45A3, b"TITLE"), element(0x4487, b"Tram"))))
    live = webm(element(0x1F43B675, element(0xE7, b"\0"), element(0xA3, bytes(50)), size=-1), tags, size=-1)

    assert parsed(live, "video/webm")["words"] == [["title", "Tram"]]


def test_words_of_a_program_for_cutting_are_read_from_its_packet(tmp_path: Path) -> None:
    packet = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Premiere Pro 2024"/>
    </rdf:RDF></x:xmpmeta>"""
    content = film(head(), track(), after=box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), packet))

    assert read(content, tmp_path).facts["xmp"] == [["software", "Premiere Pro 2024"]]


# --- the same elsewhere ----------------------------------------------------------------------


def test_the_cover_of_a_film_is_known_again_as_a_picture() -> None:
    cover = full(b"meta", full(b"hdlr", bytes(20)), box(b"ilst", box(b"covr", data(saved(scene(1), "JPEG"), 13))))
    covered = uploaded(film(head(), track(), box(b"udta", cover)))
    picture = uploaded(saved(scene(1)), url="https://other.example/photo")

    assert [one.capture.pk for one in alike(covered)] == [picture.pk]
    assert [one.capture.pk for one in alike(picture)] == [covered.pk]


def test_the_same_film_under_another_address_is_known_again() -> None:
    first = uploaded(TRAM_MOV)
    again = uploaded(TRAM_MOV, url="https://other.example/film")
    uploaded(TRAM_WEBM, url="https://third.example/film")

    assert [(one.capture.pk, one.same_file) for one in alike(first)] == [(again.pk, True)]


@pytest.fixture
def unpacked(settings: Settings) -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed")
    settings.CAPTURE_FFMPEG = program
    return program


@pytest.mark.parametrize("content", [TRAM_MOV, TRAM_WEBM])
def test_a_picture_taken_from_a_film_is_known_again(content: bytes, unpacked: str, tmp_path: Path) -> None:
    path, still = tmp_path / "film", tmp_path / "still.png"
    path.write_bytes(content)
    subprocess.run([unpacked, "-loglevel", "quiet", "-i", path, "-frames:v", "1", still], check=True)

    picture, recorded = uploaded(still.read_bytes()), uploaded(content, url="https://other.example/film")

    assert [(one.capture.pk, one.other_page) for one in alike(picture)] == [(recorded.pk, 1)]


def test_a_film_whose_pictures_are_nonsense_is_kept_without_any(unpacked: str) -> None:
    broken = bytearray(TRAM_MOV)
    start = broken.index(b"mdat") + 4
    broken[start : start + 3_000] = Random(1).randbytes(3_000)

    assert uploaded(bytes(broken)).outcome == "captured"


@pytest.mark.parametrize(
    "script", ["yes", "exit 1", "kill -ABRT $$", "printf short", "head -c 2000 /dev/zero", "cat /dev/stdin"]
)
def test_whatever_the_unpacking_program_does_the_film_is_kept(script: str, settings: Settings, tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    settings.CAPTURE_FFMPEG = str(program)

    sealed = uploaded(TRAM_MOV)

    assert (sealed.outcome, sealed.media_facts.width) == ("captured", 64)
    assert PictureWithin.objects.filter(capture=sealed).count() <= 20


def test_films_are_not_unpacked_unless_the_newsroom_chose_to(settings: Settings) -> None:
    assert settings.CAPTURE_FFMPEG == ""
    assert not PictureWithin.objects.filter(capture=uploaded(TRAM_MOV)).exists()


# --- captures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "declared", "media_type"),
    [
        (TRAM_MOV, "video/quicktime", "video/quicktime"),
        (TRAM_WEBM, "application/octet-stream", "video/webm"),
        (film(head(), track()), "text/html", "video/mp4"),
    ],
)
def test_a_film_that_is_itself_the_document_is_captured_with_its_facts(
    content: bytes, declared: str, media_type: str, site: web.Site, capture: Capturing
) -> None:
    site.pages["/film"] = web.page(content, media_type=declared)

    sealed = capture(site.url("/film"))

    assert (sealed.outcome, sealed.media_type, sealed.body_bytes) == ("captured", media_type, len(content))
    assert [(layer.kind, layer.outcome) for layer in layers_of(sealed)] == [("visible", "unsupported")]
    assert sealed.media_facts.width


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (TRAM_MOV, "video/quicktime"),
        (TRAM_WEBM, "video/webm"),
        (film(head(), track()), "video/mp4"),
        (film(head(), brand=b"M4A "), "audio/mp4"),
        (
            webm(size=0)
            .replace(b"webm", b"matroska", 1)
            .replace(b"\x82\x01\0\0\0\0\0\0\4", b"\x82\x01\0\0\0\0\0\0\x08"),
            "video/x-matroska",
        ),
    ],
)
def test_a_film_can_be_handed_in(content: bytes, media_type: str) -> None:
    assert uploaded(content).media_type == media_type


def test_a_film_that_breaks_off_is_kept_and_said_to() -> None:
    sealed = uploaded(TRAM_WEBM[:-500])

    assert (sealed.outcome, sealed.reason) == ("captured_partial", "upload_damaged")


# --- the statement of origin -----------------------------------------------------------------


def test_signature_film_and_signer_are_three_facts(tmp_path: Path) -> None:
    content, _root = signed(TRAM_MOV, media_type="video/quicktime")
    frame, words = bytearray(content), bytearray(content)
    frame[content.index(b"mdat") + 200] ^= 1
    words[content.index(b"Test camera app")] = ord("B")

    def worth(film: bytes) -> tuple[bool, bool]:
        facts = read(film, tmp_path, "video/quicktime").facts["c2pa"]
        return facts["intact"], facts["bound"]

    assert worth(content) == (True, True)
    assert worth(bytes(frame)) == (True, False)
    assert worth(bytes(words)) == (False, True)


def test_of_a_kind_whose_statements_nobody_reads_none_is_denied(tmp_path: Path) -> None:
    assert read(TRAM_WEBM, tmp_path, "video/webm").facts["c2pa"]["state"] in ("not_read", "not_installed")


# --- hostile ---------------------------------------------------------------------------------

_LONG = struct.pack(">I4sQ", 1, b"moov", 1 << 62)


def _nested(kind: bytes, depth: int) -> bytes:
    sizes = range(8 * depth, 0, -8)
    return b"".join(struct.pack(">I4s", size, kind) for size in sizes)


def _masters(number: int, depth: int) -> bytes:
    """Each in the other, all of true size."""
    return b"".join(element(number, size=12 * (depth - place - 1)) for place in range(depth))


HOSTILE: dict[str, tuple[bytes, str, set[str]]] = {
    "a claim of two gigabytes": (film(head()) + struct.pack(">I4s", 1 << 31, b"moov"), "video/mp4", {"damaged"}),
    "a claim of 2 to the 62": (box(b"ftyp", b"isom") + _LONG, "video/mp4", {"damaged"}),
    "a size below that of its head": (film(head()) + struct.pack(">I4s", 7, b"free"), "video/mp4", {"damaged"}),
    "a large size of nothing": (film(head()) + struct.pack(">I4sQ", 1, b"free", 0), "video/mp4", {"damaged"}),
    "a million boxes": (film(head()) + box(b"free") * 1_000_000, "video/mp4", {"limit"}),
    "a million tracks": (film(head(), box(b"trak") * 1_000_000), "video/mp4", {"limit"}),
    "boxes in boxes": (film(_nested(b"moov", 100_000)), "video/mp4", {"", "damaged"}),
    "tracks in tracks": (film(_nested(b"trak", 100_000)), "video/mp4", {"", "damaged"}),
    "a box that ends after its parent": (
        box(b"ftyp", b"isom") + box(b"moov", struct.pack(">I4s", 5000, b"mvhd")) + bytes(9000),
        "video/mp4",
        {"damaged"},
    ),
    "four billion keys": (
        film(head(), box(b"meta", full(b"hdlr", bytes(20)), full(b"keys", b"\xff" * 4, b"\xff" * 400))),
        "video/mp4",
        {""},
    ),
    "a value of many megabytes": (film(head(), keyed(title=b"x" * 20_000_000)), "video/mp4", {""}),
    "a scale of nothing": (film(head(scale=0)), "video/mp4", {""}),
    "nothing but a mark": (box(b"ftyp"), "video/mp4", {"damaged"}),
    "elements of unknown size in each other": (
        webm(element(0x1549A966, size=-1) * 100_000, size=-1),
        "video/webm",
        {"damaged"},
    ),
    "clusters of unknown size": (webm(element(0x1F43B675, size=-1) * 1_000_000, size=-1), "video/webm", {"limit"}),
    "elements in elements": (webm(_masters(0x67C8, 50_000)), "video/webm", {"", "damaged"}),
    "a segment of 2 to the 55": (webm(element(0x1549A966), size=1 << 55), "video/webm", {"damaged"}),
    "a name of no length": (webm(bytes(100)), "video/webm", {"damaged"}),
    "a duration that is no number": (
        webm(element(0x1549A966, element(0x4489, b"\x7f\xf8" + bytes(6)))),
        "video/webm",
        {""},
    ),
    "a time out of all calendars": (
        webm(element(0x1549A966, element(0x4461, b"\x7f" + b"\xff" * 7))),
        "video/webm",
        {""},
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_film_made_to_do_harm_ends_as_what_it_is(name: str, tmp_path: Path) -> None:
    content, media_type, problems = HOSTILE[name]

    media = read(content, tmp_path, media_type)

    assert media.problem in problems
    assert max((len(value) for _name, value in media.facts.get("words", [])), default=0) <= 200


def test_covers_without_end_are_not_unpacked() -> None:
    covers = b"".join(box(b"covr", data(saved(scene(1, (60, 40)), "PNG"), 14)) for _cover in range(200))
    bomb = io.BytesIO()
    Image.new("1", (40_000, 40_000)).save(bomb, "PNG")

    many = uploaded(film(head(), keyed(), box(b"meta", full(b"hdlr", bytes(20)), box(b"ilst", covers))))
    large = box(b"ilst", box(b"covr", data(bomb.getvalue(), 14)))
    huge = uploaded(film(head(), box(b"meta", full(b"hdlr", bytes(20)), large)))

    assert PictureWithin.objects.filter(capture=many).count() <= 3
    assert not PictureWithin.objects.filter(capture=huge).exists()
    assert (many.outcome, huge.outcome) == ("captured", "captured")


@pytest.mark.parametrize(("content", "media_type"), [(TRAM_MOV, "video/quicktime"), (TRAM_WEBM, "video/webm")])
def test_no_damage_to_a_film_breaks_the_parser(content: bytes, media_type: str) -> None:
    chance = Random(1)
    for _time in range(400):
        broken = bytearray(content[: chance.randrange(len(content))] if chance.random() < 0.3 else content)
        for _byte in range(chance.randrange(1, 40)):
            if broken:
                broken[chance.randrange(len(broken))] = chance.choice((0, 1, 8, 255, chance.randrange(256)))
        assert parsed(bytes(broken), media_type)["problem"] in ("", "damaged", "limit")
