"""What the child makes of a file, hostile ones too: ok, empty, limit, crash and unsupported stay apart."""

import io
import os
import select
import signal
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest
from django.conf import settings as project

from factcheck.archive import nursery
from factcheck.archive.extracting import Extracted, Layer, extract, run_child

REPORT = Path(project.BASE_DIR) / "factcheck" / "operations" / "sample" / "sources" / "report.pdf"


def read(data: str | bytes, media_type: str = "text/html", *, http_charset: str = "") -> Extracted:
    with tempfile.TemporaryFile() as file:
        file.write(data.encode() if isinstance(data, str) else data)
        file.seek(0)
        return extract(file, media_type, http_charset=http_charset)


def layer(extracted: Extracted, kind: str = "visible") -> Layer:
    (found,) = (layer for layer in extracted.layers if layer.kind == kind)
    return found


def seen(markup: str | bytes) -> str:
    return layer(read(markup)).text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("20<b>30</b>", "2030"),
        ("<p>one <i>two</i>, three</p>", "one two, three"),
        ("<p>one</p>\n\n<p>two</p>", "one\n\ntwo"),
        ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<table><tr><td>a</td> <td>b</td></tr><tr><td>c</table>", "a\tb\nc"),
        ("a\n  b\tc", "a b c"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("5&nbsp;million &amp; more", "5\u00a0million & more"),
        ('<figure><img src="x" alt="The dam"><figcaption>In May</figcaption></figure>', "The dam\n\nIn May"),
        ("<p>before<!-- not this -->after</p>", "beforeafter"),
        ("<details><summary>More</summary>Folded</details>", "More\n\nFolded"),
    ],
)
def test_text_reads_as_the_eye_reads_it(markup: str, text: str) -> None:
    assert seen(markup) == text


@pytest.mark.parametrize(
    "markup",
    [
        "<p hidden>secret</p>",
        '<p style="color:red; display : none">secret</p>',
        '<p style="visibility:hidden">secret</p>',
        '<span aria-hidden="true">secret</span>',
        "<template>secret</template>",
        "<noscript>secret</noscript>",
        "<div hidden><p>deeper <b>secret</b></p></div>",
        "<dialog>secret</dialog>",
    ],
)
def test_hidden_text_is_not_in_what_the_eye_reads_but_in_a_layer_of_its_own(markup: str) -> None:
    extracted = read(f"<body><p>open</p>{markup}<p>shut</p>")

    assert layer(extracted).text == "open\n\nshut"
    assert "secret" in layer(extracted, "hidden").text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<!doctype html><title>T</title><nav>Home</nav><article><p>Words.</p></article>", "Home\n\nWords."),
        ("<meta charset=utf-8><title>T</title><main><h1>H</h1><p>Words.</p></main>", "H\n\nWords."),
        ("<title>T</title><header>Top</header><p>Words.</p><footer>End</footer>", "Top\n\nWords.\n\nEnd"),
        ("<title>T</title><section>One</section> two <p>three</p>", "One\n\ntwo\n\nthree"),
        ("<head><title>T</title><script>no()</script></head><body>Words.", "Words."),
    ],
)
def test_a_page_that_leaves_out_the_tags_of_head_and_body_is_read_as_browsers_do(markup: str, text: str) -> None:
    extracted = read(markup)

    assert layer(extracted).text == text
    assert (extracted.title, layer(extracted, "hidden").text) == ("T", "T")


@pytest.mark.parametrize("markup", ["<script>secret()</script>", "<style>.secret{}</style>", "<title>secret</title>"])
def test_code_and_title_are_no_text_of_the_page(markup: str) -> None:
    extracted = read(f"{markup}<p>open</p>")

    assert layer(extracted).text == "open"
    assert "secret()" not in layer(extracted, "hidden").text
    assert ".secret" not in layer(extracted, "hidden").text


def test_descriptions_and_json_ld_stand_in_the_metadata_alone() -> None:
    extracted = read(
        '<title>T</title><meta name="description" content="D">'
        '<script type="application/ld+json">{"@graph":[{"articleBody":"B"}]}</script><p>open</p>'
    )

    assert layer(extracted, "metadata").text == "T\nD\nB"
    assert layer(extracted).text == "open"


META = '<meta charset="{}"><p>Zażółć – München</p>'


@pytest.mark.parametrize(
    ("data", "http", "charset", "source"),
    [
        (META.format("iso-8859-2").encode("iso-8859-2", "replace"), "", "iso-8859-2", "meta"),
        (META.format("windows-1250").encode("cp1250"), "utf-8", "utf-8", "http"),
        (b"\xef\xbb\xbf" + META.format("latin1").encode(), "iso-8859-1", "utf-8", "bom"),
        (b"\xff\xfe" + META.format("x").encode("utf-16-le"), "", "utf-16le", "bom"),
        (META.format("utf-16").encode(), "", "utf-8", "meta"),
        ("<p>München</p>".encode(), "", "utf-8", "guess"),
        ("<p>München</p>".encode("cp1252"), "", "windows-1252", "guess"),
        ("<p>München</p>".encode("latin-1"), "iso-8859-1", "windows-1252", "http"),
        (b"<!-- " + b"x" * 5000 + b' --><meta charset="gbk"><p>' + "北京".encode("gbk"), "", "gbk", "meta"),
        (b'<!-- <meta charset="gbk"> --><p>' + "München".encode(), "", "utf-8", "guess"),
        (
            b'<meta http-equiv="Content-Type" content="text/html; charset=shift_jis"><p>' + "東京".encode("shift_jis"),
            "",
            "shift_jis",
            "meta",
        ),
    ],
)
def test_the_charset_is_found_in_the_order_of_the_standard(data: bytes, http: str, charset: str, source: str) -> None:
    extracted = read(data, http_charset=http)

    assert (extracted.charset, extracted.charset_source) == (charset, source)


def test_text_comes_out_right_in_the_charset_that_was_found() -> None:
    assert seen('<meta charset="windows-1250"><p>Zażółć</p>'.encode("cp1250")) == "Zażółć"
    assert seen("<p>“München”</p>".encode("cp1252")) == "“München”"


def test_bytes_that_the_charset_cannot_read_are_counted() -> None:
    extracted = read(b"<p>M\xfcnchen</p>", http_charset="utf-8")

    assert extracted.replacements == 1
    assert layer(extracted).text == "M\ufffdnchen"


def test_plain_text_is_taken_as_it_is() -> None:
    extracted = read("<b>not</b>\r\nmarkup", "text/plain")

    assert layer(extracted).text == "<b>not</b>\nmarkup"


def test_each_page_of_a_pdf_has_its_span_in_the_text() -> None:
    extracted = read(REPORT.read_bytes(), "application/pdf")

    found = layer(extracted, "pdf")
    assert found.outcome == "ok"
    assert found.pages is not None
    assert found.pages[0][0] == 0
    assert found.pages[-1][1] == len(found.text)
    assert all(end + 2 == start for (_start, end), (start, _end) in pairwise(found.pages))


def test_a_pdf_without_text_is_empty_and_one_of_pictures_says_so() -> None:
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(200, 200)
    blank = io.BytesIO()
    document.save(blank)
    picture = pypdfium2.PdfImage.new(document)
    picture.set_bitmap(pypdfium2.PdfBitmap.new_native(10, 10, pypdfium2.raw.FPDFBitmap_BGR))
    picture.set_matrix(pypdfium2.PdfMatrix().scale(100, 100))
    page.insert_obj(picture)
    page.gen_content()
    scanned = io.BytesIO()
    document.save(scanned)
    document.close()

    assert layer(read(blank.getvalue(), "application/pdf"), "pdf").outcome == "empty"
    assert layer(read(scanned.getvalue(), "application/pdf"), "pdf").outcome == "image_only"


@pytest.mark.parametrize("data", ["", "<html><body></body></html>", "<p> \n </p>", "<script>x()</script>", "</p>"])
def test_a_page_without_words_is_empty_and_nothing_worse(data: str) -> None:
    assert layer(read(data)).outcome == "empty"


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        ("<p " + " ".join(f"a{number}='1'" for number in range(200_000)) + ">words</p>", "attributes"),
        ("<p " + " ".join(f'a{number}=">"' for number in range(6_000)) + ">words</p>", "attributes"),
        ("<div>" * 100_000 + "words", "depth"),
        ("<p>before" + "<ruby><rt>" * 1_500 + "words", "parser"),
        ("<p>" + "x" * (31 * 1024 * 1024), "size"),
    ],
    ids=["200,000 attributes", "attributes with brackets", "100,000 deep", "deep by tags that may stay open", "31 MB"],
)
def test_a_page_made_to_wear_us_out_meets_a_limit(data: str, limit: str) -> None:
    found = layer(read(data))

    assert (found.outcome, found.detail) == ("limit", limit)


def test_a_page_of_great_but_bearable_depth_is_read_to_its_end() -> None:
    assert seen("<div>" * 1_900 + "words") == "words"


def test_long_lists_without_end_tags_and_scripts_full_of_tags_are_no_depth() -> None:
    assert seen("<ul>" + "<li>x" * 5_000).count("x") == 5_000
    assert seen("<script>s = '" + "<div>" * 5_000 + "'</script><p>words") == "words"


def test_a_file_of_a_kind_that_is_not_read_is_unsupported() -> None:
    assert layer(read(b"\x89PNG\r\n\x1a\n", "image/png")).outcome == "unsupported"


LIMITED = f"import sys; sys.path.append({str(Path(extract.__code__.co_filename).parent)!r})\n" + (
    "from extraction import limits; limits.put_up()\n"
)


@pytest.mark.parametrize(
    ("code", "problem", "detail"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crash", "SIGSEGV"),
        ("raise SystemExit(3)", "crash", "exit 3"),
        ("import signal; signal.pause()", "limit", "wall"),
        ("import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass", "limit", "cpu"),
        ("import os\nwhile True: os.write(1, b'x' * 65536)", "limit", "output"),
        ("import os; os.close(1); import signal; signal.pause()", "limit", "wall"),
    ],
)
def test_how_a_child_ended_is_told_apart(code: str, problem: str, detail: str) -> None:
    with tempfile.TemporaryFile() as file:
        answer = run_child(
            [sys.executable, "-I", "-c", code],
            file.fileno(),
            wall_seconds=2 if detail == "wall" else 60,
            output_max_bytes=10_000_000,
        )

    assert (answer.problem, answer.detail) == (problem, detail)


def test_the_child_can_take_no_more_memory_than_its_share() -> None:
    with tempfile.TemporaryFile() as file:
        answer = run_child([sys.executable, "-I", "-c", LIMITED + "x = bytearray(2 << 30)"], file.fileno())

    assert answer.problem == "crash"


def test_the_child_can_write_no_file(tmp_path: Path) -> None:
    code = LIMITED + f"with open({str(tmp_path / 'written')!r}, 'w') as file: file.write('words')"
    with tempfile.TemporaryFile() as file:
        answer = run_child([sys.executable, "-I", "-c", code], file.fileno())

    assert answer.problem == "crash"
    assert (tmp_path / "written").read_bytes() == b""


def test_the_child_has_no_network_where_the_kernel_lets_it_leave() -> None:
    code = LIMITED.replace("limits.put_up()", "print(limits.leave_the_network())") + (
        "import socket\n"
        "try: socket.create_connection(('127.0.0.1', 9), 1)\n"
        "except OSError as error: print(error.errno)\n"
    )
    with tempfile.TemporaryFile() as file:
        left, errno = run_child([sys.executable, "-I", "-c", code], file.fileno()).output.split()

    # ENETUNREACH without any interface; elsewhere nobody listens there.
    assert errno in ((b"101", b"99") if left == b"True" else (b"111",))


def test_the_child_sees_none_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "ours")
    with tempfile.TemporaryFile() as file:
        answer = run_child([sys.executable, "-I", "-c", "import os; print(dict(os.environ))"], file.fileno())

    assert b"ours" not in answer.output


PARAGRAPHS = "<p>The dam cost 40 million, the ministry said in May, and the town paid none of it.</p>" * 8
ARTICLE = f"""<html><body><nav><a href="/">Home</a> <a href="/more">More</a></nav>
<article><h1>The dam</h1>{PARAGRAPHS}</article>
<footer>All rights reserved. <a href="/imprint">Imprint</a></footer></body></html>"""


def test_the_reading_view_has_the_article_without_what_stands_around_it() -> None:
    extracted = read(ARTICLE)

    assert "The dam cost 40 million" in layer(extracted, "main").text
    assert "Imprint" not in layer(extracted, "main").text
    assert "Imprint" in layer(extracted).text
    assert layer(extracted, "main").extractor == "trafilatura"


def test_what_is_in_a_comment_is_in_no_view() -> None:
    extracted = read(ARTICLE.replace("<h1>", "<!-- unsaid --><p>before <!-- unsaid --> after</p><h1>"))

    assert not any("unsaid" in found.text for found in extracted.layers)


def test_a_reading_view_that_meets_its_limit_takes_nothing_else_away() -> None:
    extracted = read("<article>" + "<p>A paragraph like <b>any</b> other, with a comma.</p>" * 40_000)

    assert layer(extracted).outcome == "ok"
    assert layer(extracted).text.count("paragraph") == 40_000
    assert layer(extracted, "main").outcome == "limit"
    # Which of its two clocks is over first is the machine's affair.
    assert layer(extracted, "main").detail in ("cpu", "wall")


def test_a_file_whose_time_is_over_is_given_up_and_the_next_one_is_read() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"<p>x" * 400_000)
        file.seek(0)
        answer = nursery.read_with_a_child(file.fileno(), "text/html", "", wall_seconds=0.2, output_max_bytes=1 << 20)

    assert (answer.problem, answer.detail) == ("limit", "wall")
    assert seen("<p>next") == "next"


def test_an_answer_that_is_too_long_is_given_up() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"<p>x" * 100_000)
        file.seek(0)
        answer = nursery.read_with_a_child(file.fileno(), "text/html", "", wall_seconds=20, output_max_bytes=1 << 16)

    assert (answer.problem, answer.detail) == ("limit", "output")


def test_when_the_process_that_forks_has_died_another_takes_its_place() -> None:
    assert seen("<p>one") == "one"
    first = nursery.pid()
    assert first is not None
    ended = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    select.select([ended], [], [], 10)
    os.close(ended)

    assert seen("<p>two") == "two"
    assert nursery.pid() != first


_OWNER = """
import os, sys, tempfile
os.environ["DJANGO_SETTINGS_MODULE"] = "factcheck.settings"
import django; django.setup()
from factcheck.archive import nursery
from factcheck.archive.extracting import extract
with tempfile.TemporaryFile() as file:
    file.write(b"<p>one"); file.seek(0)
    extract(file, "text/html")
print(nursery.pid(), flush=True)
sys.stdin.read()
"""


def test_the_process_that_forks_ends_with_the_worker_however_that_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=project.BASE_DIR
    ) as owner:
        assert owner.stdout is not None
        ended = os.pidfd_open(int(owner.stdout.readline()))
        owner.kill()

    assert select.select([ended], [], [], 10)[0]
    os.close(ended)
