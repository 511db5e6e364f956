"""The compose file, as far as a machine without an engine can try it: its form, and each command by hand."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "data/compose-spec.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service.get("image") == "factcheck"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_file_keeps_to_the_compose_specification():
    jsonschema.Draft7Validator(SCHEMA).validate(COMPOSE)


def test_the_schema_would_notice_a_wrong_key():
    wrong = {"services": {"web": {"image": "factcheck", "comand": ["x"]}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(wrong)


def test_web_worker_sweeper_and_archive_host_run_beside_postgresql_and_redis():
    assert set(SERVICES) == {"setup", "web", "archive", "worker", "sweeper", "postgres", "redis"}


def test_what_a_service_waits_for_and_mounts_exists_and_has_a_health_check_where_one_is_awaited():
    for name, service in SERVICES.items():
        for other, need in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if need["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], other
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"], name


def test_every_service_but_the_one_that_runs_once_restarts_and_the_ones_that_answer_are_asked():
    assert {name for name, service in SERVICES.items() if service["restart"] == "no"} == {"setup"}
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"setup", "sweeper"}


def test_ours_run_without_privileges_and_without_a_password_in_the_file():
    for name in OURS:
        service = SERVICES[name]
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["environment"]["DATABASE_URL"].count("${POSTGRES_PASSWORD:?") == 1, name
    assert re.search(r"^USER factcheck$", DOCKERFILE, re.MULTILINE)


def test_every_variable_that_the_file_sets_is_one_of_ours():
    known = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= known, name


def test_only_the_archive_host_serves_archived_pages():
    assert {name for name in OURS if SERVICES[name]["environment"].get("FACTCHECK_SERVE") == "archive"} == {"archive"}


def test_private_keys_lie_where_only_the_sweeper_can_read_them():
    holders = {
        name for name, service in SERVICES.items() if "keys:/var/lib/factcheck-keys" in service.get("volumes", [])
    }
    assert holders == {"sweeper"}
    assert {name for name in OURS if "FACTCHECK_KEYS" in SERVICES[name]["environment"]} == holders
    # A volume takes owner and mode from the folder of the image: it must be there, and closed.
    made = next(line for line in DOCKERFILE.splitlines() if "install --directory" in line)
    assert SERVICES["sweeper"]["environment"]["FACTCHECK_KEYS"] in made
    assert "--owner=factcheck" in made
    assert "--mode=0700" in made


def test_no_port_is_open_to_the_network_by_itself():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_image_installs_by_hash_and_everything_that_it_copies_exists_and_is_let_through():
    assert "--require-hashes -r requirements-services.txt" in DOCKERFILE
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


# --- each command by hand: on SQLite and the file-system broker, in the image's environment ----------


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def environment(self, name: str) -> dict[str, str]:
        set_there: dict[str, str] = {
            key: re.sub(r"\$\{[A-Z_]+:-(.*?)\}", r"\1", str(value))
            for key, value in SERVICES[name]["environment"].items()
            if key not in {"DATABASE_URL", "BROKER_URL"}
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        ours = {"PATH": path, "DJANGO_SETTINGS_MODULE": "factcheck.settings", "FACTCHECK_VAR": str(self.folder)}
        return {"HOME": str(self.folder), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **set_there, **ours}

    def command(self, name: str) -> list[str]:
        words: list[str] = SERVICES[name]["command"]
        return [word.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for word in words]

    def run(self, name: str) -> None:
        subprocess.run(self.command(name), cwd=ROOT, env=self.environment(name), check=True, capture_output=True)

    def until(self, name: str, is_so: Callable[[], bool], seconds: float = 60) -> None:
        """Start the service, see it come so far, and see it stop in order when told to."""
        with self.log.open("w") as log:
            process = subprocess.Popen(
                self.command(name), cwd=ROOT, env=self.environment(name), stdout=log, stderr=subprocess.STDOUT
            )
        try:
            deadline = time.monotonic() + seconds
            while not is_so():
                assert process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, self.log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("compose"))
    made.run("setup")
    yield made
    shutil.rmtree(made.folder)


@pytest.mark.xdist_group("compose")
@pytest.mark.parametrize("name", ["web", "archive"])
def test_web_and_archive_host_answer_the_health_check_that_the_file_asks(place, name):
    assert (place.folder / "factcheck.sqlite3").exists()
    assert (place.folder / "static/staticfiles.json").exists()
    [cmd, python, flag, code] = SERVICES[name]["healthcheck"]["test"]
    assert (cmd, python, flag) == ("CMD", "python", "-c")

    def is_healthy() -> bool:
        asked = subprocess.run(
            [sys.executable, "-c", code.replace("127.0.0.1:8000", f"127.0.0.1:{place.port}")],
            capture_output=True,
        )
        return asked.returncode == 0

    place.until(name, is_healthy)


@pytest.mark.xdist_group("compose")
def test_the_worker_becomes_ready_and_stops_when_told(place):
    place.until("worker", lambda: " ready." in place.log.read_text())


@pytest.mark.xdist_group("compose")
def test_the_sweeper_frees_what_a_lost_worker_held_and_stops_when_told(place):
    lost = (
        "from datetime import timedelta; from django.utils import timezone; from factcheck.jobs.models import Job; "
        "past = timezone.now() - timedelta(minutes=5); "
        "Job.objects.create(kind='capture', subject='capture-request/22222222', state='running', due_at=past, "
        "attempts=1, lease_until=past, deadline_at=past + timedelta(hours=1))"
    )
    environment = place.environment("sweeper")
    subprocess.run([sys.executable, "manage.py", "shell", "-c", lost], cwd=ROOT, env=environment, check=True)

    place.until("sweeper", lambda: "freed 1" in place.log.read_text())
