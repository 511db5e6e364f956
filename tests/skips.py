"""A plugin for pytest: with FACTCHECK_REQUIRE_ALL=1 a skipped test is a failed one.

Otherwise a machine on which half the tests cannot run would look as green as one on which all
pass. Two sorts of reason are exempt: "shared: …" for what needs the files beside a checkout that
not everybody has, and "does not apply: …" for what concerns the other database or broker, which
`.ci/run` also runs.
"""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

EXEMPT = ("shared:", "does not apply:")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _refuse_skip((yield))


def _refuse_skip(report: Report) -> Report:
    required = os.environ.get("FACTCHECK_REQUIRE_ALL") == "1"
    if required and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not reason.startswith(EXEMPT):
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid} was skipped, and FACTCHECK_REQUIRE_ALL allows no skip: {reason}"
    return report
