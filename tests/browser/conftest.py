"""One running demo for all browser tests, and a browser that is signed in as whom the test says."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.pages import Site
from tests.running_demo import ROOT, RunningDemo

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
# Chromium's own sandbox does not start for root; what it opens here is the demo alone.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("demo"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "BROKER_URL"}}
    environment = kept | {"FACTCHECK_VAR": str(tmp_path_factory.mktemp("demo")), "FACTCHECK_TESTING": "0"}
    for words in ("migrate --verbosity 0", "collectstatic --noinput --verbosity 0"):
        subprocess.run([sys.executable, "manage.py", *words.split()], cwd=ROOT, env=environment, check=True)
    running = RunningDemo(environment)
    yield running.facts()
    running.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: Debian's package chromium has it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def site(demo: dict[str, Any], browser: Browser) -> Iterator[Callable[..., Site]]:
    """``site()`` is a stranger's browser, ``site("rosa")`` one in which Rosa is signed in."""
    contexts = []

    def open_as(person: str = "", **options: Any) -> Site:
        context = browser.new_context(**options)
        contexts.append(context)
        visit = Site(context.new_page(), demo)
        if person:
            visit.sign_in(person)
        return visit

    yield open_as
    for context in contexts:
        context.close()
