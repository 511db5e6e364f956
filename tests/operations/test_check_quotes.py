import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import web
from tests.newsroom_web import site

PAGE = "<p>Repairs will cost “40 million” euros in <b>2025</b>.</p><p hidden>Nobody reads this line at all.</p>"


def check(folder: Path, *wanted: dict[str, str]) -> tuple[list[dict[str, object]], str]:
    (folder / "quotes.jsonl").write_text("\n".join(json.dumps(line) for line in wanted))
    out = StringIO()
    try:
        call_command("check_quotes", str(folder / "quotes.jsonl"), "--json", stdout=out)
    except CommandError as error:
        return [json.loads(line) for line in out.getvalue().splitlines()], str(error)
    return [json.loads(line) for line in out.getvalue().splitlines()], ""


@pytest.fixture
def page(tmp_path: Path) -> str:
    (tmp_path / "budget.html").write_text(PAGE)
    return str(tmp_path / "budget.html")


def test_words_of_a_file_are_found_with_their_place(tmp_path: Path, page: str):
    lines, error = check(tmp_path, {"file": page, "quote": "Repairs will cost"})

    assert (lines[0]["outcome"], lines[0]["spans"], lines[0]["layer"], error) == ("exact", [[0, 17]], "visible", "")


def test_each_sort_of_miss_has_its_name_and_the_command_fails(tmp_path: Path, page: str):
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    lines, error = check(
        tmp_path,
        {"file": page, "quote": "Repairs will cost “43 million” euros in 2025."},
        {"file": page, "quote": "The moon is made of cheese and always was."},
        {"file": page, "quote": "Nobody reads this line at all."},
        {"file": str(tmp_path / "picture"), "quote": "Repairs will cost"},
    )

    assert [line["outcome"] for line in lines] == ["fuzzy", "absent", "hidden_only", "no_text"]
    assert lines[0]["warnings"] == ["number"]
    assert error == "4 of 4 quotes were not found."


@pytest.mark.django_db(transaction=True)
def test_a_page_of_the_web_is_archived_for_it(tmp_path: Path):
    with site({"/budget": web.page(PAGE)}) as served:
        lines, error = check(
            tmp_path,
            {"url": served.url("/budget"), "quote": 'Repairs will cost "40 million" euros'},
            {"url": served.url("/nowhere"), "quote": "Repairs will cost"},
        )

    assert [line["outcome"] for line in lines] == ["normalised", "no_text"]
    assert error == "1 of 2 quotes were not found."


@pytest.mark.parametrize("line", ["not json", "[]", '{"quote": "x"}', '{"file": "x"}', '{"file": 1, "quote": "x"}'])
def test_a_line_that_asks_nothing_is_refused_with_its_number(tmp_path: Path, line: str):
    (tmp_path / "quotes.jsonl").write_text(line)

    with pytest.raises(CommandError, match="Line 1"):
        call_command("check_quotes", str(tmp_path / "quotes.jsonl"))
