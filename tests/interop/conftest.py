from pathlib import Path

import pytest
from django.conf import settings as project

JUDGES = Path(project.BASE_DIR) / ".interop"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/interop/" in item.nodeid:
            item.add_marker(pytest.mark.interop)


@pytest.fixture(autouse=True, scope="session")
def judges() -> Path:
    if not (JUDGES / ".made").exists():
        pytest.skip("the judges' environment is not there: make interop makes it")
    return JUDGES
