"""Other people's tools on what our browser archived: a page whose words a script brings."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from pytest_django.fixtures import Settings

from factcheck.archive.models import Capture, Engine
from factcheck.archive.services import request_capture
from factcheck.archive.signing import sign_packages
from factcheck.ledger import keys
from tests import web
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.interop.test_judges import run, serving, wacz_of, warc_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

SENTENCE = "The dam cost 40 million – the town paid nothing."
PAGES: dict[str, web.Page] = {
    "/": web.page("<!doctype html><title>Costs</title><div id=root></div><script src=/app.js></script>"),
    "/app.js": web.page(
        'fetch("/words.json").then(a => a.json()).then(said => { root.textContent = said.words;'
        'fetch("/words.json", {method: "POST", body: "1"}) })',
        media_type="text/javascript",
    ),
    "/words.json": web.page(f'{{"words": "{SENTENCE}"}}', media_type="application/json"),
}


@pytest.fixture
def taken(settings: Settings, tmp_path: Path) -> Iterator[Capture]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: Debian's package chromium has it")
    settings.BLOBS_DIR, settings.KEYS_DIR = tmp_path / "blobs", tmp_path / "keys"
    keys.hold()
    with site(PAGES) as served:
        request = request_capture(served.url("/"), by=None, engine=Engine.BROWSER)
        do_due_work()
    assert sign_packages() == 1
    yield Capture.objects.get(request=request, outcome="captured")
    keys.let_go()


def test_warcio_and_py_wacz_take_it_for_sound(taken: Capture, judges: Path, tmp_path: Path) -> None:
    digests = run(judges, "warcio", "check", "-v", warc_of(taken, tmp_path), cwd=tmp_path)
    package = run(judges, "wacz", "validate", "-f", wacz_of(taken, tmp_path), cwd=tmp_path)

    assert digests.returncode == 0, digests.stdout + digests.stderr
    assert package.returncode == 0, package.stdout + package.stderr


def test_replayweb_page_runs_its_script_again_from_what_is_archived(
    taken: Capture, judges: Path, tmp_path: Path
) -> None:
    player = tmp_path / "player"
    (player / "replay").mkdir(parents=True)
    wacz_of(taken, player)
    for name, place in (("ui.js", "ui.js"), ("sw.js", "replay/sw.js")):
        (player / place).write_bytes((judges / "replaywebpage" / name).read_bytes())
    (player / "index.html").write_text(
        "<!doctype html><script src=ui.js></script>"
        f'<replay-web-page embed=default source="/capture.wacz" url="{taken.final_url}" style="height:90vh">'
    )

    with serving(player) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = browser.new_page()
        page.goto(f"{address}/index.html")
        shown = page.locator("replay-web-page iframe").content_frame.locator("iframe").first.content_frame
        # The site is down by now: the words can only come from the package.
        shown.get_by_text(SENTENCE).wait_for(timeout=40_000)
        browser.close()
