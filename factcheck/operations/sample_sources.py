"""The sample newsroom's outside world: a few pages on the loopback interface, for the demo only."""

import html
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from factcheck.operations.sample.newsroom import OUR_PAGE, SOURCES, TITLE, article_bytes

REDIRECTS = {"/press/2025/visit": "/statement"}
MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".pdf": "application/pdf", ".css": "text/css; charset=utf-8"}


def pages() -> dict[str, tuple[str, bytes]]:
    """Every address that answers, with its media type and bytes."""
    found = {}
    for path in sorted(SOURCES.iterdir()):
        # The report is a source as a PDF; the page that it was printed from is not.
        if path.suffix in MEDIA_TYPES and path.name != "report.html":
            address = f"/{path.stem if path.suffix == '.html' else path.name}"
            found[address] = (MEDIA_TYPES[path.suffix], path.read_bytes())
    listed = "".join(f'<li><a href="{address}">{address}</a></li>' for address in [*found, *REDIRECTS])
    index = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sample sources</title><ul>{listed}</ul></html>'
    )
    found["/"] = (MEDIA_TYPES[".html"], index.encode())
    return found


def our_page(text: str) -> bytes:
    """The sample article as its own website shows it, with what a website puts around it."""
    first, *rest = [piece.strip() for piece in text.split("\n\n") if piece.strip()]
    body = "".join(f"<p>{html.escape(piece)}</p>" for piece in rest)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(TITLE)} · The Sample Gazette'
        '</title></head><body><nav><a href="/">The Sample Gazette</a> <a href="/">News</a></nav>'
        f"<article><h1>{html.escape(first)}</h1>{body}</article><footer><p>The Sample Gazette</p></footer>"
        "</body></html>"
    ).encode()


class Handler(BaseHTTPRequestHandler):
    server_version = "SampleSources"
    sys_version = ""
    timeout = 30
    pages = pages()
    # A file whose text our own page shows, so that the demo can edit it; without it, what was published last.
    our_text: Path | None = None

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        if path in REDIRECTS:
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", REDIRECTS[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status = HTTPStatus.OK if path in self.pages or path == OUR_PAGE else HTTPStatus.NOT_FOUND
        media_type, content = (
            self._our_page()
            if path == OUR_PAGE
            else self.pages.get(path, (MEDIA_TYPES[".html"], b"<!doctype html><title>Not found</title>"))
        )
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def _our_page(self) -> tuple[str, bytes]:
        if self.our_text is not None and self.our_text.exists():
            text = self.our_text.read_text(errors="replace")
        else:
            text = article_bytes(2).decode()
        return MEDIA_TYPES[".html"], our_page(text)

    def log_message(self, format: str, *args: object) -> None:
        # The list is asked for again and again until the demo has started: no news.
        if self.path != "/":
            sys.stderr.write(f"{format % args}\n")


def make_server(port: int) -> ThreadingHTTPServer:
    """Port 0 takes any free one. Only this machine can reach it."""
    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    Handler.our_text = Path(sys.argv[2])
    if not Handler.our_text.exists():
        Handler.our_text.write_bytes(article_bytes(2))
    with make_server(int(sys.argv[1])) as server:
        server.serve_forever()
