"""What a PDF says of itself and carries, and pictures on its pages known again."""

import json
import zlib
from pathlib import Path
from random import Random
from typing import Any

import pytest

from factcheck.archive.extraction import documents
from factcheck.archive.extraction.paged import Unreadable
from factcheck.archive.extraction.paged import read as read_text
from factcheck.archive.media_facts import Likeness, Media, alike, read_media
from factcheck.archive.models import PictureWithin
from tests import web
from tests.archive import pdfs
from tests.archive.test_capturing import Capturing
from tests.archive.test_media_facts import manifest, saved, scene
from tests.archive.test_uploading import uploaded

pytestmark = pytest.mark.django_db

XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" xmp:CreateDate="2024-12-24T08:00:00Z">
<pdf:Producer>Press 9</pdf:Producer>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Draft budget</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Jo</rdf:li><rdf:li>Kim</rdf:li></rdf:Seq></dc:creator>
<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:when="2025-01-02" stEvt:softwareAgent="InDesign"/>
<rdf:li rdf:parseType="Resource"><stEvt:action>converted</stEvt:action></rdf:li></rdf:Seq></xmpMM:History>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
INFO = b"<</Title(Budget)/Author<FEFF004A00F6>/Producer(Acme PDF 3)/CreationDate(D:20250303100000+02'00')>>"


def facts_of(content: bytes) -> dict[str, Any]:
    return documents.read(content)


def read(content: bytes, tmp_path: Path) -> Media:
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    with path.open("rb") as file:
        media = read_media(file, "application/pdf")
    assert media is not None
    return media


# --- words -----------------------------------------------------------------------------------


def test_the_words_of_a_pdf_about_itself_are_read() -> None:
    facts = facts_of(pdfs.simple(INFO, trailer=b"/Info 6 0 R"))

    assert facts["words"] == [
        ["title", "Budget"],
        ["author", "Jö"],
        ["producer", "Acme PDF 3"],
        ["created", "2025-03-03T10:00:00+02:00"],
    ]
    assert (facts["format"], facts["pages"], facts["page_size"]) == ("PDF 1.7", 1, [210, 297])


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("D:20250303", "2025-03-03"),
        ("D:2025", "2025"),
        ("D:20250303100059Z", "2025-03-03T10:00:59Z"),
        ("20250303100059-05'30'", "2025-03-03T10:00:59-05:30"),
        ("3 March 2025", "3 March 2025"),
    ],
)
def test_a_date_is_written_as_others_are_and_what_is_none_stays(written: str, moment: str) -> None:
    assert documents.moment_of(written) == moment


@pytest.mark.parametrize("form", [pdfs.stream, pdfs.packed])
def test_the_second_place_of_words_is_read_packed_or_not(form: Any) -> None:
    packet = form(XMP, b"/Type/Metadata/Subtype/XML")

    assert facts_of(pdfs.simple(packet, catalogue=b"/Metadata 6 0 R"))["xmp"] == [
        ["created", "2024-12-24T08:00:00Z"],
        ["producer", "Press 9"],
        ["title", "Draft budget"],
        ["author", "Jo, Kim"],
        ["step", "saved · 2025-01-02 · InDesign"],
        ["step", "converted"],
    ]


def test_the_packet_of_a_picture_in_it_is_not_taken_for_the_pdfs_own() -> None:
    camera = XMP.replace(b"pdf/1.3", b"tiff/1.0").replace(b"Draft budget", b"Holiday")
    content = pdfs.simple(
        pdfs.stream(XMP, b"/Type/Metadata/Subtype/XML"),
        pdfs.stream(camera, b"/Type/Metadata/Subtype/XML"),
        catalogue=b"/Metadata 6 0 R",
    )

    assert ["title", "Draft budget"] in facts_of(content)["xmp"]


def test_a_packet_with_entities_of_its_own_gives_nothing_away() -> None:
    secret = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + XMP.replace(b"Draft budget", b"&b;")
    content = pdfs.simple(pdfs.stream(secret, b"/Type/Metadata/Subtype/XML"), catalogue=b"/Metadata 6 0 R")

    assert "root" not in json.dumps(facts_of(content))


# --- what was done to it, and what it carries ------------------------------------------------


def test_later_states_of_a_file_are_counted() -> None:
    first = pdfs.simple()
    second = pdfs.updated(first, 4, pdfs.stream(b"BT /F1 12 Tf 72 700 Td (Other words) Tj ET"))
    third = pdfs.updated(second, 4, pdfs.stream(b"BT /F1 12 Tf 72 700 Td (Words again) Tj ET"))

    assert [facts_of(content)["updates"] for content in (first, second, third)] == [0, 1, 2]


def test_a_file_that_is_laid_out_for_the_web_was_not_changed_for_that() -> None:
    plain = pdfs.simple()
    linear = pdfs.updated(plain.replace(b"%PDF-1.7\n", b"%PDF-1.7\n%/Linearized\n", 1), 5, pdfs.stream(b""))

    assert facts_of(linear)["updates"] == 0


def test_files_and_programs_in_it_are_named() -> None:
    content = pdfs.simple(
        b"<</Type/Filespec/F(a.csv)/UF(table.csv)/EF<</F 7 0 R>>>>",
        pdfs.stream(b"1,2", b"/Type/EmbeddedFile"),
        b"<</S/JavaScript/JS(app.alert\\(1\\))>>",
        b"<</S/Launch/F(calc.exe)>>",
        catalogue=b"/Names<</EmbeddedFiles<</Names[(table.csv) 6 0 R]>>/JavaScript<</Names[(a) 8 0 R]>>>>"
        b"/OpenAction 9 0 R",
    )

    facts = facts_of(content)

    assert (facts["files"], facts["actions"]) == (["table.csv"], ["script", "launch"])
    assert facts_of(pdfs.simple())["actions"] == []


def signed_until(ends: bytes) -> bytes:
    return pdfs.simple(
        b"<</FT/Sig/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/T(S)/V 7 0 R/P 3 0 R>>",
        b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/M(D:20250304000000Z)/Reason(I approve)"
        b"/ByteRange[0 100 200 %s]/Contents<00>>>" % ends,
        catalogue=b"/AcroForm<</Fields[6 0 R]/SigFlags 3>>",
    )


def test_a_signature_is_told_with_how_far_it_reaches() -> None:
    whole = signed_until(b"%05d" % (len(signed_until(b"00000")) - 200))

    assert facts_of(whole)["signatures"] == [
        {"to_the_end": True, "when": "2025-03-04T00:00:00Z", "reason": "I approve"}
    ]
    assert not facts_of(pdfs.updated(whole, 5, pdfs.stream(b"")))["signatures"][0]["to_the_end"]


def test_a_file_that_cannot_be_opened_still_says_what_plain_bytes_say(tmp_path: Path) -> None:
    media = read(b"%PDF-1.4\n1 0 obj<</S/JavaScript>>endobj\n", tmp_path)

    assert (media.problem, media.facts["actions"], media.facts["updates"]) == ("damaged", ["script"], None)


def test_words_of_a_file_whose_other_page_cannot_be_read_are_not_all_its_words() -> None:
    missing = pdfs.simple().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[3 0 R 9 0 R]/Count 2")

    with pytest.raises(Unreadable, match="damaged"):
        read_text(missing)


# --- pictures on its pages -------------------------------------------------------------------


def paper() -> bytes:
    """A PDF whose pages show two pictures of a test's scene, and a logo."""
    logo = saved(scene(7, (100, 60)), "JPEG")
    return pdfs.pictured(
        pdfs.jpeg(logo, 100, 60),
        pdfs.jpeg(saved(scene(1), "JPEG", quality=60), 600, 400),
        pdfs.pixels(scene(2).tobytes(), 600, 400),
    )


def test_the_pictures_on_its_pages_are_read_and_ornaments_are_not(tmp_path: Path) -> None:
    assert [(one.page, one.width, one.height) for one in read(paper(), tmp_path).pictures] == [
        (2, 600, 400),
        (3, 600, 400),
    ]


def test_a_photograph_is_known_again_on_a_page_and_the_page_by_the_photograph() -> None:
    document = uploaded(paper())
    photograph = uploaded(saved(scene(2), "JPEG", quality=50), url="https://other.example/photo")
    uploaded(saved(scene(3)), url="https://third.example/photo")

    def found(likenesses: list[Likeness]) -> list[tuple[int, int, int]]:
        return [(one.capture.pk, one.page, one.other_page) for one in likenesses]

    assert found(alike(photograph)) == [(document.pk, 0, 3)]
    assert found(alike(document)) == [(photograph.pk, 3, 0)]


def test_a_picture_is_known_again_in_another_paper() -> None:
    first = uploaded(paper())
    smaller = saved(scene(1).resize((300, 200)), "JPEG")
    second = uploaded(pdfs.pictured(pdfs.jpeg(smaller, 300, 200)), url="https://other.example/paper")

    assert [(one.capture.pk, one.page, one.other_page) for one in alike(second)] == [(first.pk, 1, 2)]


def test_a_picture_that_stands_on_every_page_is_kept_once() -> None:
    same = pdfs.jpeg(saved(scene(1), "JPEG"), 600, 400)

    assert PictureWithin.objects.filter(capture=uploaded(pdfs.pictured(*[same] * 8))).count() == 1


def test_no_more_pictures_are_unpacked_than_are_kept() -> None:
    many = [pdfs.jpeg(saved(scene(seed, (130, 130)), "JPEG"), 130, 130) for seed in range(30)]

    assert PictureWithin.objects.filter(capture=uploaded(pdfs.pictured(*many))).count() <= 20


def test_a_fetched_pdf_has_its_facts(site: web.Site, capture: Capturing) -> None:
    site.pages["/paper"] = web.page(pdfs.simple(INFO, trailer=b"/Info 6 0 R"), media_type="application/pdf")

    sealed = capture(site.url("/paper"))

    facts = json.loads(sealed.media_facts.facts_row.body)
    assert (facts["kind"], facts["pages"], facts["problem"]) == ("pdf", 1, "")
    assert ["title", "Budget"] in facts["words"]


# --- the statement of origin -----------------------------------------------------------------


def test_a_statement_of_origin_in_a_pdf_is_read_and_not_bound_to_another_file(tmp_path: Path) -> None:
    pytest.importorskip("c2pa")
    content = pdfs.simple(
        b"<</Type/Filespec/F(m.c2pa)/UF(m.c2pa)/AFRelationship/C2PA_Manifest/EF<</F 7 0 R>>>>",
        pdfs.stream(manifest(saved(scene(1), "JPEG")), b"/Type/EmbeddedFile/Subtype/application#2Fc2pa"),
        catalogue=b"/AF[6 0 R]/Names<</EmbeddedFiles<</Names[(m.c2pa) 6 0 R]>>>>",
    )

    facts = read(content, tmp_path).facts["c2pa"]

    assert (facts["state"], facts["intact"], facts["bound"]) == ("found", True, False)


def test_a_pdf_without_a_statement_makes_none(tmp_path: Path) -> None:
    assert read(pdfs.simple(), tmp_path).facts["c2pa"]["state"] in ("none", "not_installed")


# --- hostile ---------------------------------------------------------------------------------


def test_a_file_to_which_only_its_owner_has_the_word_is_said_to_be_locked(tmp_path: Path) -> None:
    # Neither word is known: what stands for them is no hash of anything.
    locked = pdfs.simple(
        b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (b"11" * 32, b"22" * 32),
        trailer=b"/Encrypt 6 0 R/ID[<00><00>]",
    )

    assert read(locked, tmp_path).problem == "encrypted"


def test_no_damage_to_a_pdf_breaks_the_reader(tmp_path: Path) -> None:
    whole = pdfs.updated(
        pdfs.simple(INFO, pdfs.packed(XMP, b"/Type/Metadata/Subtype/XML"), catalogue=b"/Metadata 7 0 R"), 4, b"<<>>"
    )
    chance = Random(1)
    for _time in range(6):
        content = bytearray(whole[: chance.randrange(200, len(whole))] if chance.random() < 0.3 else whole)
        for _byte in range(20):
            content[chance.randrange(9, len(content))] = chance.randrange(256)
        assert read(bytes(content), tmp_path).problem in ("", "damaged", "encrypted")


def test_a_packet_that_unpacks_without_end_is_cut() -> None:
    endless = pdfs.stream(zlib.compress(b" " * 50_000_000 + XMP, 9), b"/Type/Metadata/Filter/FlateDecode")

    assert facts_of(pdfs.simple(endless))["xmp"] == []


def test_words_without_end_are_cut() -> None:
    facts = facts_of(pdfs.simple(b"<</Title(%s)>>" % (b"x" * 100_000), trailer=b"/Info 6 0 R"))

    assert facts["words"] == [["title", "x" * 200]]
