"""Pages of archived PDFs as pictures, drawn by a child that no file can make large or slow."""

import io

import pytest
from PIL import Image

from factcheck.archive import blobs, derived, page_images
from factcheck.archive.errors import ReplayBusy
from factcheck.archive.extraction.drawing import MAX_SIDE, WIDTH
from factcheck.archive.models import Capture
from factcheck.archive.page_images import page_image
from tests.archive.test_extracting import REPORT


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DERIVED_DIR = tmp_path / "derived"
    return tmp_path / "derived"


def archived(pdf: bytes) -> Capture:
    return Capture(media_type="application/pdf", body_sha256=blobs.store(pdf).sha256)


def a_pdf(width: float, height: float, content: str = "") -> bytes:
    """One page, as short as PDFium reads it."""
    return (
        f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R>>endobj\n"
        f"4 0 obj<</Length {len(content)}>>stream\n{content}\nendstream endobj\ntrailer<</Root 1 0 R>>\n"
    ).encode()


def test_a_page_is_a_png_of_bounded_size():
    image = page_image(archived(REPORT.read_bytes()), 1)

    picture = Image.open(io.BytesIO(image.png))
    assert image.problem == ""
    assert picture.format == "PNG"
    assert picture.width <= WIDTH
    # There is something to see on it.
    assert len(picture.convert("L").getcolors()) > 2


@pytest.mark.parametrize("number", [0, -1, 99, 10**9])
def test_a_page_that_the_file_does_not_have_is_none(number):
    assert page_image(archived(REPORT.read_bytes()), number).problem == "none"


def test_what_is_no_pdf_has_no_pages():
    assert page_image(archived(b"%PDF-1.7 and nothing more"), 1).problem == "none"
    assert page_image(Capture(media_type="text/html", body_sha256=blobs.store(b"x").sha256), 1).problem == "none"


@pytest.mark.parametrize(("width", "height"), [(14_400, 14_400), (10, 14_400), (14_400, 40)])
def test_no_side_of_a_picture_grows_beyond_its_limit(width, height):
    picture = Image.open(io.BytesIO(page_image(archived(a_pdf(width, height)), 1).png))

    assert picture.width <= WIDTH
    assert picture.height <= MAX_SIDE


def a_bomb() -> bytes:
    """A page that draws ten drawings which draw ten drawings each, and so on: a hundred million in 3 kilobytes."""
    levels = range(4, 11)
    objects = [
        f"{number} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 600 800]"
        f"/Resources<</XObject<</F {number + 1} 0 R>>>>/Length 50>>stream\n{'/F Do ' * 10:<50}\nendstream endobj\n"
        for number in levels
    ]
    last = (
        f"{levels[-1] + 1} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Length 17>>stream\n0 0 600 800 re f \n"
    )
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</XObject<</F 4 0 R>>>>"
        "/Contents 20 0 R>>endobj\n"
        f"20 0 obj<</Length 6>>stream\n/F Do \nendstream endobj\n{''.join(objects)}{last}endstream endobj\n"
        "trailer<</Root 1 0 R>>\n"
    ).encode()


def test_a_page_that_would_take_hours_meets_a_limit_and_is_not_tried_again(monkeypatch):
    bomb = archived(a_bomb())
    assert page_image(bomb, 1).problem == "limit"

    monkeypatch.setattr(page_images, "run_child", None)

    assert page_image(bomb, 1).problem == "limit"


def test_a_page_is_drawn_once_and_again_when_it_was_cleared_away(folder, monkeypatch):
    capture = archived(REPORT.read_bytes())
    first = page_image(capture, 2)
    draw = page_images.run_child

    monkeypatch.setattr(page_images, "run_child", None)
    assert page_image(capture, 2) == first

    for file in folder.iterdir():
        file.unlink()
    monkeypatch.setattr(page_images, "run_child", draw)
    assert page_image(capture, 2) == first


def test_what_is_kept_stays_within_its_bound_and_the_oldest_goes(folder, monkeypatch):
    monkeypatch.setattr(derived, "MAX_BYTES", 250)

    for number in range(10):
        derived.kept_or_made(f"number {number}", lambda: (bytes(100), True))

    assert sum(file.stat().st_size for file in folder.iterdir()) <= 250


def test_what_is_not_worth_keeping_is_made_again(folder):
    derived.kept_or_made("name", lambda: (b"crash", False))

    assert derived.kept_or_made("name", lambda: (b"ok", True)) == b"ok"


def test_more_at_once_than_there_is_room_for_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(derived, "WAIT_SECONDS", 0)

    def make_inside(depth: int) -> tuple[bytes, bool]:
        return derived.kept_or_made(f"inside {depth}", lambda: make_inside(depth + 1)), True

    with pytest.raises(ReplayBusy, match="Try again"):
        make_inside(0)
