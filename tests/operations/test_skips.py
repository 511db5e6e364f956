import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.mark.skip(reason="no Chromium on this machine")
def test_needs_more(): pass

@pytest.mark.skip(reason="shared: the sample is not here")
def test_needs_shared(): pass

def test_is_for_the_other_database(): pytest.skip("does not apply: only SQLite has it")
"""


def outcome(folder: Path, monkeypatch: pytest.MonkeyPatch, require_all: str) -> str:
    monkeypatch.setenv("FACTCHECK_REQUIRE_ALL", require_all)
    (folder / "test_some.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "tests.skips", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "-c", str(folder / "pytest.ini"), str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    return ran.stdout.strip().splitlines()[-1].partition(" in ")[0]


def test_a_skip_is_a_failure_where_everything_is_required(tmp_path, monkeypatch):
    assert outcome(tmp_path, monkeypatch, "1") == "2 skipped, 1 error"


def test_a_skip_is_a_skip_elsewhere(tmp_path, monkeypatch):
    assert outcome(tmp_path, monkeypatch, "0") == "3 skipped"
