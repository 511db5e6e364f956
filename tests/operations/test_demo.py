"""The demo's processes: they start together, stop together, and never outlive whoever started them."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from factcheck.operations.demo import (
    Addresses,
    Demo,
    DemoRefused,
    Part,
    PartEnded,
    check_ports,
    demo_environment,
    only_one,
    parts,
)
from tests.running_demo import ROOT, RunningDemo, three_free_ports

FOREVER = "import signal; signal.pause()"
# The parent that is killed: a demo of two parts, one of which has a child of its own.
PARENT = """
    import os, sys
    from pathlib import Path
    from factcheck.operations.demo import Demo, Part
    demo = Demo(Path.cwd(), lambda name, line: print(line, flush=True))
    code = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    for name in ("one", "two"):
        demo.start(Part(name, [sys.executable, "-c", code], dict(os.environ)))
    while True:
        demo.watch()
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pids: list[int], seconds: float = 30) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if is_running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def part(name: str, code: str) -> Part:
    return Part(name, [sys.executable, "-c", code], dict(os.environ))


@pytest.fixture
def lines() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def demo(lines: list[tuple[str, str]]) -> Iterator[Demo]:
    demo = Demo(ROOT, lambda name, line: lines.append((name, line)))
    yield demo
    demo.stop()


def test_what_the_parts_print_is_passed_on_line_by_line_with_their_names(demo, lines):
    demo.start(part("rest", FOREVER))
    demo.finish(part("talker", "print('one'); print('two', end='')"), within_seconds=30)

    assert lines == [("talker", "one"), ("talker", "two")]


def test_the_end_of_one_part_is_noticed_and_named(demo):
    demo.start(part("rest", FOREVER))
    demo.start(part("weak", "raise SystemExit(3)"))

    with pytest.raises(PartEnded, match="“weak” ended by itself"):
        demo.wait_for("http://127.0.0.1:1/", within_seconds=30)


def test_a_part_that_fails_to_finish_well_is_refused_with_its_code(demo):
    with pytest.raises(PartEnded, match="ended with code 7"):
        demo.finish(part("seed", "raise SystemExit(7)"), within_seconds=30)


def test_stopping_ends_also_a_part_that_does_not_listen(demo, lines, monkeypatch):
    monkeypatch.setattr("factcheck.operations.demo.STOP_WITHIN_SECONDS", 0.2)
    stubborn = "import signal, os; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True)\n"
    demo.start(part("stubborn", f"{stubborn}while True: signal.pause()"))
    while not lines:
        demo.watch()

    demo.stop()

    assert not is_running(int(lines[0][1]))


def test_killing_the_parent_with_sigkill_leaves_nothing_behind():
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pids = [int(parent.stdout.readline()), int(parent.stdout.readline())]
    assert all(is_running(pid) for pid in pids)

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert wait_until_gone(pids) == []


def test_a_taken_port_is_refused_with_its_number():
    first = three_free_ports()
    with socket.create_server(("127.0.0.1", first + 1)), pytest.raises(DemoRefused, match=f"Port {first + 1} is taken"):
        check_ports(Addresses(first))


@pytest.mark.parametrize("port", [0, 80, 65534, 99999999])
def test_an_impossible_port_is_refused(port):
    with pytest.raises(DemoRefused, match="1024 to 65533"):
        check_ports(Addresses(port))


def test_a_folder_has_one_demo_at_a_time(tmp_path):
    with only_one(tmp_path), pytest.raises(DemoRefused, match="already running"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


def test_app_and_archive_differ_in_host_and_captures_reach_only_the_sources():
    environment = demo_environment(Addresses(8400))

    assert environment["PUBLIC_URL"] == "http://127.0.0.1:8400"
    assert environment["ARCHIVE_URL"] == "http://localhost:8401"
    assert environment["ARCHIVE_ALLOW_LOOPBACK"] == "127.0.0.1:8402"
    served = {made.name: made.environment.get("FACTCHECK_SERVE") for made in parts(Addresses(8400))}
    assert served == {"sources": None, "web": None, "worker": None, "sweeper": None, "archive": "archive"}


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a demo with a folder of its own, on SQLite and the file-system broker, set up once."""
    kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "BROKER_URL"}}
    environment = kept | {"FACTCHECK_VAR": str(tmp_path_factory.mktemp("demo")), "FACTCHECK_TESTING": "0"}
    for words in ("migrate --verbosity 0", "collectstatic --noinput --verbosity 0"):
        subprocess.run([sys.executable, "manage.py", *words.split()], cwd=ROOT, env=environment, check=True)
    return environment


@pytest.fixture
def running(settled: dict[str, str]) -> Iterator[RunningDemo]:
    demo = RunningDemo(settled)
    yield demo
    demo.close()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


@pytest.mark.xdist_group("demo")
def test_the_demo_shows_a_really_archived_newsroom_and_stops_on_ctrl_c_leaving_nothing(running):
    facts = running.facts()
    children = running.children()

    assert len(children) == 5
    assert "El Salvador offers its prisons to Washington, for a fee" in get(f"{facts['app']}/")
    article = get(f"{facts['app']}/articles/el-salvador-offers-its-prisons-to-washington-for-a-fee/")
    assert "Monday (Feb 03)" in article.replace("<", " <")
    assert get(f"{facts['archive']}/healthz") == "ok\n"
    assert set(facts["people"]) == {"rosa", "chen", "erik", "ada"}

    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(60) == 0
    assert wait_until_gone(children) == []


@pytest.mark.xdist_group("demo")
def test_the_death_of_one_process_stops_the_demo_with_a_failure(running):
    running.facts()
    children = running.children()

    os.kill(children[2], signal.SIGKILL)

    assert running.process.wait(60) == 1
    assert wait_until_gone(children) == []
    assert "“worker” ended by itself" in running.log.read_text()
