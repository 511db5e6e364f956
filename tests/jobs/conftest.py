import pytest

from tests.jobs import kinds


@pytest.fixture(autouse=True)
def kinds_of_the_tests():
    kinds.register_all()
    kinds.release.clear()
    kinds._begun_path().unlink(missing_ok=True)
    yield
    kinds.release.set()
