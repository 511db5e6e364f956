import json
import random
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from factcheck.archive.models import Capture
from factcheck.archive.verifying import check_captures


def _percent(value: str) -> float:
    try:
        percent = float(value)
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise ArgumentTypeError(_("a number above 0 and up to 100"))
    return percent


class Command(BaseCommand):
    help = "Hashes all archived bytes again, reads every WARC record strictly, and names what is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sample", type=_percent, default=100.0, metavar="PERCENT", help="Only so many, at random."
        )
        parser.add_argument("--json", action="store_true", help="One JSON object a line: faults, then the sum.")

    def handle(self, *args: Any, sample: float, **options: Any) -> None:
        captures = Capture.objects.select_related("request").order_by("pk")
        if sample < 100:
            keys = list(captures.values_list("pk", flat=True))
            some = max(1, round(len(keys) * sample / 100)) if keys else 0
            captures = captures.filter(pk__in=random.SystemRandom().sample(keys, some))
        checked = faulty = 0
        for _capture, faults in check_captures(captures.iterator(chunk_size=200)):
            checked += 1
            faulty += bool(faults)
            for fault in faults:
                if options["json"]:
                    found = {"capture": fault.capture, "part": fault.part, "message": fault.message}
                    self.stdout.write(json.dumps(found, ensure_ascii=False))
                else:
                    self.stdout.write(f"capture/{fault.capture}, {fault.part}: {fault.message}")
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not faulty, "captures": checked, "faulty": faulty}))
        elif not faulty:
            self.stdout.write(_("%(checked)d captures are as they were sealed.") % {"checked": checked})
        if faulty:
            raise CommandError(
                _("%(faulty)d of %(checked)d captures are not as they were sealed.")
                % {"faulty": faulty, "checked": checked}
            )
