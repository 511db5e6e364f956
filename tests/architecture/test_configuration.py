"""What can be configured is what the page says, no more and no less."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \|", re.MULTILINE)
READ_BY_SETTINGS = re.compile(r"env\.\w+\(\s*\"([A-Z_]+)\"")
READ_BY_TESTS = re.compile(r"environ(?:\.get\(|\[)\"(FACTCHECK_[A-Z_]+)\"")


def documented() -> set[str]:
    return {name for name, _default in DOCUMENTED.findall((ROOT / "docs/configuration.md").read_text())}


def settings_variables() -> set[str]:
    return set(READ_BY_SETTINGS.findall((ROOT / "factcheck/settings.py").read_text()))


def test_every_variable_that_settings_read_is_documented():
    assert len(settings_variables()) > 20
    assert settings_variables() - documented() == set()


def test_every_documented_variable_is_read_somewhere():
    readers = [ROOT / "tests/environment.py", ROOT / "tests/skips.py", ROOT / ".ci/run"]
    rest = "".join(path.read_text() for path in readers)
    assert {name for name in documented() - settings_variables() if name not in rest} == set()


def test_no_other_module_of_the_product_reads_a_variable():
    reading = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "factcheck").rglob("*.py"))
        if path.name != "settings.py" and re.search(r"environ(?:\.get|\[)|getenv\(", path.read_text())
    ]
    assert reading == []


def test_no_file_of_the_repository_names_a_registry_or_a_host_of_packages():
    hosts = re.compile(r"pypi\.(?:org|python)|files\.pythonhosted|registry\.npmjs|--(?:extra-)?index-url|--find-links")
    requirements = [ROOT / name for name in ("requirements.txt", "requirements-services.txt", "requirements-dev.txt")]
    others = [ROOT / name for name in ("pyproject.toml", "Dockerfile", "docker-compose.yml", ".ci/run")]
    assert [path.name for path in [*requirements, *others] if hosts.search(path.read_text())] == []
