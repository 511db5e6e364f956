import json
import os
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from factcheck.operations.demo import (
    SEED_WITHIN_SECONDS,
    START_WITHIN_SECONDS,
    Addresses,
    Demo,
    DemoRefused,
    PartEnded,
    check_ports,
    demo_password,
    end_with,
    only_one,
    our_text,
    parts,
    seed_part,
)
from factcheck.operations.sample.newsroom import OUR_PAGE, PEOPLE


class Command(BaseCommand):
    help = "Run the sample newsroom: app, worker, sweeper, archive host and sample sources, until Ctrl-C."
    # The parts check themselves; this process only starts them.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the app's port; the two after it are used too")
        parser.add_argument("--json", action="store_true", help="say where it runs as one line of JSON")
        parser.add_argument("--end-with-parent", action="store_true", help="stop when the calling process ends")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["end_with_parent"]:
            end_with(os.getppid())
        addresses = Addresses(options["port"])
        demo = Demo(settings.BASE_DIR, self._tell)
        demo.stop_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        try:
            with only_one(settings.VAR):
                check_ports(addresses)
                self._run(demo, addresses, as_json=options["json"])
        except (DemoRefused, PartEnded) as refusal:
            raise CommandError(str(refusal)) from refusal

    def _run(self, demo: Demo, addresses: Addresses, *, as_json: bool) -> None:
        try:
            for part in parts(addresses):
                demo.start(part)
            demo.wait_for(addresses.sources, within_seconds=START_WITHIN_SECONDS)
            demo.finish(seed_part(addresses), within_seconds=SEED_WITHIN_SECONDS)
            for url in (f"{addresses.app}/healthz", f"{addresses.archive}/healthz"):
                demo.wait_for(url, within_seconds=START_WITHIN_SECONDS)
            if not demo.stopping:
                self._say_where(addresses, as_json=as_json)
            while not demo.stopping:
                demo.watch()
        finally:
            demo.stop()

    def _say_where(self, addresses: Addresses, *, as_json: bool) -> None:
        password = demo_password(settings.VAR)
        if as_json:
            facts = {
                "app": addresses.app,
                "archive": addresses.archive,
                "sources": addresses.sources,
                "our_text": str(our_text()),
                "people": {person.username: person.role for person in PEOPLE},
                "password": password,
            }
            self.stdout.write(json.dumps(facts))
        else:
            people = "\n".join(f"    {person.username:<6} {person.name}, {person.role}" for person in PEOPLE)
            self.stdout.write(
                _(
                    "\n"
                    "  The sample newsroom is open.\n\n"
                    "  Readers see    %(app)s/\n"
                    "  The desk       %(app)s/desk/\n"
                    "  Archived pages %(archive)s/\n"
                    "  Sample sources %(sources)s/\n"
                    "  Our own page   %(sources)s%(our_page)s, from %(our_text)s: edit it, and the desk notices\n\n"
                    "  Sign in as one of these, with the password  %(password)s\n"
                    "%(people)s\n\n"
                    "  Ctrl-C stops everything.\n"
                )
                % {
                    "app": addresses.app,
                    "archive": addresses.archive,
                    "sources": addresses.sources,
                    "our_page": OUR_PAGE,
                    "our_text": our_text(),
                    "password": password,
                    "people": people,
                }
            )
        self.stdout.flush()

    def _tell(self, name: str, line: str) -> None:
        self.stderr.write(f"{name:>8} | {line}", style_func=str)
