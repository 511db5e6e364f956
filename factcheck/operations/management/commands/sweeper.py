import json
import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from factcheck.jobs.sweeping import Sweeper
from factcheck.ledger import keys

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Frees background work whose worker is gone, wakes workers for what was missed, and does the periodic work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Sweep once and end.")
        parser.add_argument("--json", action="store_true", help="One JSON object for each sweep that found something.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        keys.hold()
        sweeper = Sweeper()
        if once:
            self._sweep(sweeper, as_json=options["json"], quiet=False)
            return
        stop = threading.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stop.set())
        while not stop.is_set():
            try:
                self._sweep(sweeper, as_json=options["json"], quiet=True)
            except Exception:
                # The database may be restarting. This process has to be there when it is back.
                logger.exception("The sweep failed; the next one is in %s seconds.", settings.SWEEP_EVERY_SECONDS)
            # A connection kept while idle would not notice that its server is gone.
            connections.close_all()
            stop.wait(settings.SWEEP_EVERY_SECONDS)

    def _sweep(self, sweeper: Sweeper, *, as_json: bool, quiet: bool) -> None:
        swept = sweeper.once()
        if quiet and not swept.freed:
            return
        if as_json:
            self.stdout.write(json.dumps({"freed": swept.freed, "due": len(swept.due)}))
        else:
            self.stdout.write(f"freed {swept.freed}, due {len(swept.due)}")
