"""Other people's tools, each in its own process, on captures that came about as all do."""

import gzip
import http.server
import io
import os
import re
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from pytest_django.fixtures import Settings

from factcheck.archive import blobs
from factcheck.archive.models import Capture, WaczSignature
from factcheck.archive.package_checks import check_package
from factcheck.archive.services import request_capture
from factcheck.archive.signing import sign_packages
from factcheck.archive.wacz import open_package
from factcheck.ledger import keys
from tests import web
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

SENTENCE = "The dam cost 40 million – the town paid nothing."
PAGE = (
    "<!doctype html><html><head><title>Costs</title><link rel=stylesheet href=/style.css></head>"
    f"<body><p>{SENTENCE}</p><img src=/dam.png alt='The dam'></body></html>"
)
STYLE = web.page("p { color: rgb(1, 2, 3) }", media_type="text/css")
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "5e2fcb550000000049454e44ae426082"
)


def chunked(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    half = len(body) // 2
    pieces = (body[:half], body[half:], b"")
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


FORMS = {
    "plain": web.page(PAGE),
    "gzip": web.page(gzip.compress(PAGE.encode()), headers={"Content-Encoding": "gzip"}),
    "chunked": chunked(PAGE.encode()),
}


@pytest.fixture
def captured(settings: Settings, tmp_path: Path) -> Iterator[Callable[[bytes], Capture]]:
    """A capture of a page that is sent like this, reached by a redirect, and its package signed."""
    settings.BLOBS_DIR, settings.KEYS_DIR = tmp_path / "blobs", tmp_path / "keys"
    keys.hold()

    def capture(page: bytes) -> Capture:
        pages: dict[str, web.Page] = {
            "/": web.redirect("/costs"),
            "/costs": page,
            "/style.css": STYLE,
            "/dam.png": web.page(DOT, media_type="image/png"),
        }
        with site(pages) as served:
            request = request_capture(served.url("/"), by=None)
            do_due_work()
        assert sign_packages() == 1
        return Capture.objects.get(request=request)

    yield capture
    keys.let_go()


def warc_of(capture: Capture, folder: Path) -> Path:
    file = folder / "capture.warc.gz"
    with blobs.open_blob(capture.warc_sha256) as warc:
        file.write_bytes(warc.read())
    return file


def wacz_of(capture: Capture, folder: Path) -> Path:
    file = folder / "capture.wacz"
    file.write_bytes(b"".join(open_package(capture)))
    return file


def run(judges: Path, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """One of the Python tools, with an environment of its own."""
    program, *arguments = map(str, command)
    return subprocess.run(
        [judges / "python" / "bin" / program, *arguments],
        cwd=cwd,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(cwd)},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("form", ["plain", "gzip"])
def test_warcio_finds_every_digest_of_a_warc_right(
    form: str, captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path
) -> None:
    checked = run(judges, "warcio", "check", "-v", warc_of(captured(FORMS[form]), tmp_path), cwd=tmp_path)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "digest pass" in checked.stdout
    assert "digest failed" not in checked.stdout


def test_warcio_objects_to_nothing_but_the_payload_of_what_came_in_chunks(
    captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path
) -> None:
    # It takes the payload's digest over the chunks' own framing (warcio issue 75), the standard over what they carry.
    checked = run(judges, "warcio", "check", "-v", warc_of(captured(FORMS["chunked"]), tmp_path), cwd=tmp_path)

    complaints = [line.strip() for line in checked.stdout.splitlines() if "failed" in line]
    assert len(complaints) == 1
    assert re.match(r"payload digest failed", complaints[0])


@pytest.mark.parametrize("form", FORMS)
def test_py_wacz_takes_a_package_for_valid(
    form: str, captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path
) -> None:
    checked = run(judges, "wacz", "validate", "-f", wacz_of(captured(FORMS[form]), tmp_path), cwd=tmp_path)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_py_wacz_takes_a_changed_package_for_invalid(
    captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path
) -> None:
    file = wacz_of(captured(FORMS["plain"]), tmp_path)
    whole = bytearray(file.read_bytes())
    whole[200] ^= 1
    file.write_bytes(whole)

    assert run(judges, "wacz", "validate", "-f", file, cwd=tmp_path).returncode != 0


_ASK_PYWB = """
import sys
from gevent import monkey; monkey.patch_all()
from pywb.apps.frontendapp import FrontEndApp
from werkzeug.test import Client
answer = Client(FrontEndApp()).get(sys.argv[1], headers={"Accept-Encoding": "identity"})
print(answer.status_code)
print(answer.get_data(as_text=True))
"""


@pytest.mark.parametrize("form", FORMS)
def test_pywb_replays_a_package(form: str, captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path) -> None:
    capture = captured(FORMS[form])
    file = wacz_of(capture, tmp_path)
    for command in (("init", "copies"), ("add", "--unpack-wacz", "copies", file)):
        done = run(judges, "wb-manager", *command, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr

    asked = f"/copies/{capture.started_at:%Y%m%d%H%M%S}mp_/{capture.url}"
    answered = run(judges, "python", "-c", _ASK_PYWB, asked, cwd=tmp_path)
    asked_final = f"/copies/{capture.started_at:%Y%m%d%H%M%S}mp_/{capture.final_url}"
    final = run(judges, "python", "-c", _ASK_PYWB, asked_final, cwd=tmp_path)

    assert "302" in answered.stdout.splitlines(), answered.stdout + answered.stderr
    assert "200" in final.stdout.splitlines(), final.stdout + final.stderr
    assert SENTENCE in final.stdout


class _Files(http.server.SimpleHTTPRequestHandler):
    """Files of one folder, in ranges where they are asked for, as a player of packages asks."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        start, end = (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data) - 1)
        piece = data[start : end + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(piece)))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{start + len(piece) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(piece)

    def do_HEAD(self) -> None:
        path = Path(self.translate_path(self.path))
        self.send_response(200 if path.is_file() else 404)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(path.stat().st_size if path.is_file() else 0))
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def played(judges: Path, folder: Path, package: bytes, url: str) -> Iterator[Page]:
    """A package in ReplayWeb.page, once the page in it shows."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: Debian's package chromium has it")
    player = folder / "player"
    (player / "replay").mkdir(parents=True)
    (player / "capture.wacz").write_bytes(package)
    for name, place in (("ui.js", "ui.js"), ("sw.js", "replay/sw.js")):
        (player / place).write_bytes((judges / "replaywebpage" / name).read_bytes())
    (player / "index.html").write_text(
        "<!doctype html><script src=ui.js></script>"
        f'<replay-web-page embed=replay-with-info source="/capture.wacz" url="{url}" style="height:90vh">'
    )
    with serving(player) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = browser.new_page()
        page.goto(f"{address}/index.html")
        shown = page.locator("replay-web-page iframe").content_frame
        shown.locator("iframe").first.content_frame.get_by_text(SENTENCE).wait_for(timeout=40_000)
        yield page
        browser.close()


# What it wrote down when it verified. What its page counts is something else: a signature as valid whatever came of it,
# or where there is none, and index and pages as invalid in every package, also in py-wacz's, while it hashes nothing.
_WRITTEN_DOWN = """async () => {
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((done, failed) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => done(opening.result);
      opening.onerror = failed;
    });
    if (!database.objectStoreNames.contains("verification")) continue;
    return await new Promise((done, failed) => {
      const reading = database.transaction("verification").objectStore("verification").getAll();
      reading.onsuccess = () => done(reading.result);
      reading.onerror = failed;
    });
  }
}"""


def test_replayweb_page_shows_a_package_with_its_key_and_finds_its_signature_right(
    captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path
) -> None:
    capture = captured(FORMS["gzip"])
    signature = WaczSignature.objects.get()
    package = wacz_of(capture, tmp_path).read_bytes()

    with played(judges, tmp_path, package, capture.final_url) as page:
        shown = page.locator("replay-web-page iframe").content_frame
        shown.get_by_text("This embed is part of a web archive").click()
        receipt = shown.locator(".embed-info-drop").inner_text()
        written = page.evaluate(_WRITTEN_DOWN)

    assert signature.public_key in receipt
    assert signature.hash in receipt
    assert {row["id"]: row["matched"] for row in written}["signature"] is True


def test_replayweb_page_finds_a_signature_of_another_package_wrong(
    captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path
) -> None:
    capture = captured(FORMS["gzip"])
    package = wacz_of(capture, tmp_path).read_bytes()
    signature = WaczSignature.objects.get().signature.encode()
    turned = signature[64:] + signature[:64]

    with played(judges, tmp_path, changed_in_its_digest(package, signature, turned), capture.final_url) as page:
        written = page.evaluate(_WRITTEN_DOWN)

    assert {row["id"]: row["matched"] for row in written}["signature"] is False


def changed_in_its_digest(package: bytes, old: bytes, new: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as whole, zipfile.ZipFile(out, "w") as made:
        for name in whole.namelist():
            content = whole.read(name)
            assert name != "datapackage-digest.json" or content.count(old) == 1
            made.writestr(name, content.replace(old, new))
    return out.getvalue()


# --- the other way round: other people's packages, handed in here ---------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_package_that_py_wacz_makes_is_found_right_here(
    form: str, captured: Callable[[bytes], Capture], judges: Path, tmp_path: Path
) -> None:
    capture = captured(FORMS[form])
    warc = warc_of(capture, tmp_path)
    made = run(judges, "wacz", "create", "--detect-pages", "-o", tmp_path / "theirs.wacz", warc, cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr

    with (tmp_path / "theirs.wacz").open("rb") as file:
        facts = check_package(file)

    assert facts["index"]["lines"] >= 4
    assert (facts["index"]["wrong"], facts["pages"]["wrong"]) == ({}, {})
    assert facts["index"]["missing"] == {}
    assert facts["signature"] == {"form": "none", "result": ""}
