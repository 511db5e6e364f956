"""The process that drives Chromium for one page; it knows nothing of this project but this package.

The order comes as one line of JSON on standard input, which then stays open: when its other end is closed, by whatever
end its parent came to, everything that was started here is killed. What is being done is said in short lines on
standard output. What was made lies in the folder named on the command line, and ``result.json`` there is written anew
after each step, so that a step that never ends takes nothing away from those before.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ctypes
import io
import json
import os
import resource
import select
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, CDPSession, Error, Page, async_playwright

from . import chromium, network, processes
from .bounds import (
    ADDRESS_MAX_CHARS,
    DOM_MAX_CHARS,
    MAX_HIDDEN,
    MAX_HOPS,
    MAX_NOTES,
    PAGE_MAX_HEIGHT,
    PICTURE_MAX_BYTES,
    PRINT_MAX_BYTES,
    PRINT_MAX_PAGES,
    TEXT_MAX_CHARS,
    VIEW_HEIGHT,
    VIEW_WIDTH,
    WORDS_MAX_CHARS,
)

# Beside our proxy there is no network here, which a page need not take for being off line. And a dialog that is put to
# nobody only holds up the page; one that opens all the same is dismissed by Playwright.
_SURROUNDINGS = """
Object.defineProperty(Navigator.prototype, "onLine", {get: () => true});
alert = () => undefined; confirm = () => false; prompt = () => null; print = () => undefined;
"""
# By when, as parts of the time there is, the page must have begun to come, be readable, be complete, be at rest, and
# have been scrolled through. What is left is for text and pictures.
BEGUN, READABLE, COMPLETE, QUIET, SCROLLED = 0.45, 0.5, 0.58, 0.63, 0.7
QUIET_SECONDS, SCROLL_SECONDS, STEP_SECONDS, PRINT_SECONDS = 5.0, 8.0, 8.0, 12.0
_SCROLL_STEP, _SCROLL_PAUSE = 800, 0.12
_PIECE_BYTES = 1 << 20
_PR_SET_CHILD_SUBREAPER = 36
_PAGE_SCRIPT = (Path(__file__).parent / "page.js").read_text(encoding="utf-8").strip().rstrip(";")


class TooSlow(Exception):
    """A step has had its time."""


class NoPage(Exception):
    """There is nothing that could be looked at; the message says why in plain words."""


class Visit:
    """One page in one browser, from its opening to what is left of it in the folder."""

    def __init__(self, order: dict[str, Any], folder: Path) -> None:
        self._order = order
        self._folder = folder
        self._ready = time.monotonic()
        self._end = self._ready + float(order["seconds"])
        self._result: dict[str, Any] = {"outcome": "limit", "detail": "", "notes": [], "hidden": [], "chain": []}
        self._chain: list[str] = []
        self._frame = ""
        # The addresses that lead to a document of the main frame, by the document's loader.
        self._ways: dict[str, list[str]] = {}
        self._loader = ""
        self._frozen = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._page: Page
        self._session: CDPSession

    # --- what is left of it

    def save(self, **more: Any) -> None:
        self._result |= more
        made = self._folder / "result.new"
        made.write_text(json.dumps(self._result), encoding="utf-8")
        made.replace(self._folder / "result.json")

    def note(self, words: str) -> None:
        if len(self._result["notes"]) < MAX_NOTES:
            self._result["notes"].append(words[:WORDS_MAX_CHARS])

    def _keep(self, name: str, data: bytes, **facts: Any) -> None:
        (self._folder / name).write_bytes(data)
        self.save(**{name: facts})

    # --- time

    def _until(self, part: float) -> float:
        """Seconds until this part of the time is over, never quite none."""
        return max(0.05, self._ready + (self._end - self._ready) * part - time.monotonic())

    async def _within(self, seconds: float, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await asyncio.wait_for(work, min(seconds, self._until(1.0)))
        except TimeoutError:
            raise TooSlow from None

    async def _step(self, name: str, seconds: float, work: Coroutine[Any, Any, Any]) -> None:
        """Do one thing that may go wrong without harm to the others."""
        try:
            await self._within(seconds, work)
        except TooSlow:
            self.note(f"{name}: took too long")
            await self._wake()
        except (Error, OSError, ValueError, NoPage) as error:
            self.note(f"{name}: {_short(error)}")
        self.save()

    async def _wake(self) -> None:
        """Stop a script that holds the page, and all others with it."""
        if "text" not in self._result:
            # What is read now is what was there when they were stopped.
            self.save(stopped=True)
        with contextlib.suppress(TooSlow, Error):
            await self._within(1.0, self._session.send("Emulation.setScriptExecutionDisabled", {"value": True}))
        with contextlib.suppress(TooSlow, Error):
            await self._within(1.0, self._session.send("Runtime.terminateExecution"))
        with contextlib.suppress(TooSlow, Error):
            await self._within(1.0, self._session.send("Page.handleJavaScriptDialog", {"accept": False}))

    # --- the way

    async def run(self) -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=self._order["chromium"],
                args=chromium.arguments(key_hash=self._order["key_hash"]),
                ignore_default_args=list(chromium.UNWANTED_DEFAULTS),
                chromium_sandbox=self._order["sandbox"],
                proxy={
                    "server": f"http://127.0.0.1:{int(self._order['proxy_port'])}",
                    "username": self._order["proxy_user"],
                    "password": self._order["proxy_password"],
                },
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
            await self._open_window(browser)
            # How long a browser takes to start is not the page's affair.
            self._ready = time.monotonic()
            try:
                await self._visit()
            except NoPage as error:
                self.save(outcome="unreachable", detail=str(error), **self._way())
            except Error as error:
                # A browser or a page that has crashed; a page that is known to be gone is no page any more.
                if "text" not in self._result:
                    self.save(outcome="crash", detail=_short(error), **self._way())

    async def _open_window(self, browser: Browser) -> None:
        context = await browser.new_context(
            user_agent=self._order["user_agent"] or None,
            locale=self._order["language"] or None,
            viewport={"width": VIEW_WIDTH, "height": VIEW_HEIGHT},
            service_workers="block",
            accept_downloads=False,
            permissions=[],
            timezone_id="UTC",
        )
        await context.add_init_script(_SURROUNDINGS)
        self._page = page = await context.new_page()
        context.on("page", lambda other: self._do(other.close()) if other is not page else None)
        page.on("crash", lambda _page: self._result.update(crashed=True))
        self._session = session = await context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._sees_request)
        session.on("Page.frameNavigated", self._sees_document)
        session.on("Fetch.requestPaused", lambda event: self._do(self._let_through(event)))
        await session.send("Page.enable")
        await session.send("Network.enable")
        self._frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        async def quietly() -> None:
            with contextlib.suppress(Error):
                await work

        task = asyncio.get_running_loop().create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _sees_request(self, event: dict[str, Any]) -> None:
        if event.get("type") != "Document" or event.get("frameId") != self._frame:
            return
        address = str(event["request"]["url"])[:ADDRESS_MAX_CHARS]
        if not address.startswith(("http://", "https://")):
            # What a page makes by itself (blob:) comes from nowhere.
            return
        if len(self._ways) < MAX_HOPS:
            way = self._ways.setdefault(event["loaderId"], [])
            if len(way) < MAX_HOPS:
                way.append(address)

    def _sees_document(self, event: dict[str, Any]) -> None:
        frame = event["frame"]
        if frame["id"] == self._frame:
            self._loader = frame["loaderId"]
            self._chain += self._ways.pop(self._loader, [])[: MAX_HOPS - len(self._chain)]

    async def _let_through(self, event: dict[str, Any]) -> None:
        """The page stays where it is while it is taken; its frames may go on."""
        request = {"requestId": event["requestId"]}
        if event.get("frameId") == self._frame:
            await self._session.send("Fetch.failRequest", {**request, "errorReason": "Aborted"})
        else:
            await self._session.send("Fetch.continueRequest", request)

    def _way(self) -> dict[str, Any]:
        """The addresses of the documents, where there was none those that were tried."""
        chain = self._chain or [address for way in self._ways.values() for address in way][:MAX_HOPS]
        return {"chain": chain, "final_url": chain[-1] if chain else ""}

    async def _visit(self) -> None:
        _say("opening")
        await self._open()
        _say("scrolling")
        await self._step("scrolling", min(SCROLL_SECONDS, self._until(SCROLLED)), self._scroll_through())
        await self._stay()
        await self._read()
        _say("photographing")
        await self._step("view", STEP_SECONDS, self._photograph("view", whole=False))
        await self._step("page", STEP_SECONDS, self._photograph("page", whole=True))
        _say("printing")
        await self._step("print", PRINT_SECONDS, self._print())
        # Last, because what was hidden stays hidden.
        _say("photographing")
        await self._step("altered", STEP_SECONDS, self._photograph_altered())

    async def _open(self) -> None:
        try:
            await self._page.goto(self._order["url"], wait_until="commit", timeout=1000 * self._until(BEGUN))
        except Error as error:
            if "Timeout" in str(error):
                self.save(outcome="limit", detail="the page did not begin to come in time", **self._way())
                raise TooSlow from None
            raise NoPage(_short(error)) from None
        self.save(**self._way())
        for state, part, seconds in (
            ("domcontentloaded", READABLE, 1e9),
            ("load", COMPLETE, 1e9),
            ("networkidle", QUIET, QUIET_SECONDS),
        ):
            try:
                await self._page.wait_for_load_state(state, timeout=1000 * min(seconds, self._until(part)))  # type: ignore[arg-type]
            except Error as error:
                if "Timeout" not in str(error):
                    raise
                if state == "domcontentloaded":
                    self.note("opening: the page was not complete in time, and its scripts were stopped")
                    await self._wake()
                elif state == "load":
                    self.note("opening: some of the page was still to come")

    async def _scroll_through(self) -> None:
        """What is loaded only when it comes into view, comes."""
        top = 0
        while top < PAGE_MAX_HEIGHT:
            top += _SCROLL_STEP
            if await self._asked(f"scrollTo({top})"):
                break
            await asyncio.sleep(_SCROLL_PAUSE)
        await asyncio.sleep(_SCROLL_PAUSE)
        await self._asked("scrollTo(0)")
        with contextlib.suppress(Error):
            await self._page.wait_for_load_state("networkidle", timeout=1000 * min(2.0, self._until(SCROLLED)))

    async def _stay(self) -> None:
        patterns = [{"resourceType": "Document", "requestStage": "Request"}]
        await self._within(STEP_SECONDS, self._session.send("Fetch.enable", {"patterns": patterns}))
        self._frozen = True

    async def _read(self) -> None:
        about = await self._patiently("about()")
        if not str(about["address"]).startswith(("http://", "https://")):
            raise NoPage("the page led to where no page of the web is")
        if about["type"] == "application/pdf" or about["viewer"]:
            raise NoPage("this file is not shown by the browser as a page")
        self.save(title=unicodedata.normalize("NFC", about["title"]), **self._way())
        if about["address"].partition("#")[0] != self._result["final_url"].partition("#")[0]:
            self.note(f"address: the page's script showed {about['address']}")
        loader = self._loader
        markup = await self._patiently(f"dom({DOM_MAX_CHARS})")
        said = await self._patiently(f"text({TEXT_MAX_CHARS})")
        if self._loader != loader:
            raise NoPage("the page went on to another one while it was read")
        if markup is None:
            self.note("dom: too large")
        else:
            self._keep("dom", markup.encode("utf-8", "replace"))
        if said["cut"]:
            self.note("text: cut, it is too long")
            self.save(stopped=True)
        text = unicodedata.normalize("NFC", said["text"]).encode("utf-8", "replace")
        (self._folder / "text").write_bytes(text)
        self.save(outcome="ok", text={})

    async def _patiently(self, question: str) -> Any:
        """Ask the page once more when a script held it and was stopped."""
        try:
            return await self._within(STEP_SECONDS / 2, self._asked(question))
        except TooSlow:
            self.note("reading: a script held the page and was stopped")
            await self._wake()
        return await self._within(STEP_SECONDS, self._asked(question))

    async def _asked(self, question: str) -> Any:
        """The answer of our script, in a world of its own in the page, to ``question``."""
        world = await self._session.send("Page.createIsolatedWorld", {"frameId": self._frame, "worldName": "reading"})
        answer = await self._session.send(
            "Runtime.evaluate",
            {
                "expression": f"{_PAGE_SCRIPT}.{question}",
                "contextId": world["executionContextId"],
                "returnByValue": True,
                "timeout": 1000 * STEP_SECONDS,
            },
        )
        if "exceptionDetails" in answer:
            raise ValueError(str(answer["exceptionDetails"].get("exception", {}).get("description", "script"))[:150])
        return answer["result"].get("value")

    # --- pictures

    async def _photograph(self, name: str, *, whole: bool) -> None:
        loader = self._loader
        width, height, cut = VIEW_WIDTH, VIEW_HEIGHT, False
        if whole:
            size = (await self._session.send("Page.getLayoutMetrics"))["cssContentSize"]
            height, cut = max(VIEW_HEIGHT, int(size["height"])), False
            if height > PAGE_MAX_HEIGHT:
                height, cut = PAGE_MAX_HEIGHT, True
        picture = await self._picture(width, height, whole=whole)
        if whole and len(picture) > PICTURE_MAX_BYTES:
            height, cut = max(VIEW_HEIGHT, height * PICTURE_MAX_BYTES // len(picture) * 8 // 10), True
            picture = await self._picture(width, height, whole=whole)
        if len(picture) > PICTURE_MAX_BYTES:
            raise ValueError("too large")
        if self._loader != loader:
            raise NoPage("the page went on to another one")
        self._keep(name, picture, cut=cut)

    async def _picture(self, width: int, height: int, *, whole: bool) -> bytes:
        options: dict[str, Any] = {"format": "png", "optimizeForSpeed": False}
        if whole:
            options |= {
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
            }
        return base64.b64decode((await self._session.send("Page.captureScreenshot", options))["data"])

    async def _photograph_altered(self) -> None:
        hidden = await self._asked(f"hide({MAX_HIDDEN})")
        if hidden:
            await self._photograph("altered", whole=True)
            self.save(hidden=[str(words)[:WORDS_MAX_CHARS] for words in hidden])

    async def _print(self) -> None:
        options = {"printBackground": True, "transferMode": "ReturnAsStream", "pageRanges": f"1-{PRINT_MAX_PAGES}"}
        stream = (await self._session.send("Page.printToPDF", options))["stream"]
        printed = io.BytesIO()
        while True:
            piece = await self._session.send("IO.read", {"handle": stream, "size": _PIECE_BYTES})
            data = piece["data"]
            printed.write(base64.b64decode(data) if piece.get("base64Encoded") else data.encode())
            if printed.tell() > PRINT_MAX_BYTES:
                raise ValueError("too large")
            if piece["eof"]:
                break
        self._keep("print", printed.getvalue())


def _short(error: BaseException) -> str:
    """The first line of what Playwright says, without the call it was said in."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.removeprefix("Page.goto: ").partition(" at http")[0].strip()[:150]


def _say(stage: str) -> None:
    with contextlib.suppress(OSError):
        os.write(1, f"{stage}\n".encode())


def _end_everything() -> None:
    processes.end(lambda: processes.descendants(os.getpid(), processes.running()))


def _hold_the_leash(folder: Path, seconds: float, broken: threading.Event) -> None:
    """Wait for the parent's end, or for a time at which it should have ended us; then nothing is left."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        ready, _, _ = select.select([0], [], [], left)
        if ready and not os.read(0, 1):
            break
    broken.set()
    _end_everything()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def main() -> None:
    folder = Path(sys.argv[1])
    libc = ctypes.CDLL(None)
    # What a browser's processes leave behind becomes ours, so that it is found when it is to be ended.
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    order = json.loads(_line())
    if order["own_network"]:
        network.step_out(int(order["proxy_port"]))
    order["sandbox"] = chromium.sandbox_works()
    grace = float(order["seconds"]) + 15.0
    broken = threading.Event()
    leash = threading.Thread(target=_hold_the_leash, args=(folder, grace, broken), daemon=True)
    leash.start()
    visit = Visit(order, folder)

    async def bounded() -> None:
        with contextlib.suppress(TimeoutError, TooSlow):
            await asyncio.wait_for(visit.run(), visit._until(1.0))

    try:
        asyncio.run(bounded())
    finally:
        _end_everything()
        if broken.is_set():
            # Without its browser this thread is at its end, but the other has still to tidy up.
            leash.join()


def _line() -> bytes:
    """The order, byte by byte: what comes after it is the leash's."""
    said = b""
    while not said.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            raise EOFError
        said += piece
    return said
