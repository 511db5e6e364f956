"""``manage.py demo`` as a process of its own, for tests that need the whole house."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from factcheck.operations.demo import Addresses, DemoRefused, check_ports

ROOT = Path(__file__).parents[1]


def three_free_ports() -> int:
    """The first of three free ports in a row."""
    for first in range(20000 + os.getpid() % 20000, 60000, 3):
        try:
            check_ports(Addresses(first))
        except DemoRefused:
            continue
        return first
    raise AssertionError("no free ports")


class RunningDemo:
    """``manage.py demo``, until it is told to stop."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.log = Path(environment["FACTCHECK_VAR"]) / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--port", str(three_free_ports()), "--json"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def facts(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        facts: dict[str, Any] = json.loads(line)
        return facts

    def children(self) -> list[int]:
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in pids.split()]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
