import json
import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from factcheck.ledger.verifying import verify


def _size_and_root(value: str) -> tuple[int, bytes]:
    if not re.fullmatch(r"\d+:[0-9a-f]{64}", value):
        raise CommandError("--against wants SIZE:ROOT as an earlier run printed them, for example 120:5dc9….")
    size, root = value.split(":")
    return int(size), bytes.fromhex(root)


class Command(BaseCommand):
    help = "Computes every leaf of the log again from its entry, and names the first thing that is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON object.")
        parser.add_argument(
            "--against", metavar="SIZE:ROOT", help="A root noted earlier: shows that nothing before it was rewritten."
        )

    def handle(self, *args: Any, against: str | None, **options: Any) -> None:
        size, root = _size_and_root(against) if against else (0, None)
        report = verify(known_size=size, known_root=root)
        fault = report.fault
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "ok": fault is None,
                        "size": report.size,
                        "pending": report.pending,
                        "erased": report.erased,
                        "root": report.root.hex() if fault is None else None,
                        "fault": fault and fault.kind,
                        "index": fault and fault.index,
                        "entry": fault and fault.entry,
                        "message": fault and fault.message,
                    }
                )
            )
        elif fault is None:
            self.stdout.write(f"The log is whole: {report.size} leaves, root {report.root.hex()}")
            self.stdout.write(f"{report.pending} entries wait for their leaf; {report.erased} openings are erased.")
        if fault is not None:
            raise CommandError(fault.message)
