import json
import os
import subprocess
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from factcheck.lib.errors import FactcheckError
from factcheck.operations.demo import Addresses, answers, demo_environment, demo_password
from factcheck.operations.sample_sources import make_server
from factcheck.operations.seeding import Seeding


class Command(BaseCommand):
    help = "Build the sample newsroom in an empty database, through the services; a second run finds it there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the app's port; the sources are two further")
        parser.add_argument("--worker", action="store_true", help="a worker is running: leave the captures to it")
        parser.add_argument("--json", action="store_true", help="say what there is as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        addresses = Addresses(options["port"])
        if not settings.DEMO:
            self._run_as_demo(addresses, options)
            return

        def tell(line: str) -> None:
            if not options["json"]:
                self.stdout.write(line)
                self.stdout.flush()

        seeding = Seeding(
            sources=addresses.sources,
            password=demo_password(settings.VAR),
            work=not options["worker"],
            tell=tell,
        )
        try:
            with _sources(addresses):
                article = seeding.run()
        except FactcheckError as refusal:
            raise CommandError(str(refusal)) from refusal
        facts = {
            "article": article.public_id,
            "slug": article.slug,
            "versions": article.publications.count(),
            "claims": article.claims.count(),
        }
        if options["json"]:
            self.stdout.write(json.dumps(facts))

    def _run_as_demo(self, addresses: Addresses, options: dict[str, Any]) -> None:
        """Once more in a process of the demo's: only there may captures reach the sample sources."""
        flags = [flag for flag in ("worker", "json") if options[flag]]
        command = [sys.executable, "-m", "django", "seed_demo", "--port", str(addresses.port)]
        command += [f"--{flag}" for flag in flags]
        ran = subprocess.run(command, cwd=settings.BASE_DIR, env=os.environ | demo_environment(addresses), check=False)
        if ran.returncode:
            raise CommandError("The sample newsroom was not built; the reason stands above.")


@contextmanager
def _sources(addresses: Addresses) -> Iterator[None]:
    """The sample sources for as long as it takes, unless they are being served already."""
    if answers(addresses.sources):
        yield
        return
    with make_server(addresses.port + 2) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
