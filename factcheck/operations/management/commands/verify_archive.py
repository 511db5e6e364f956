import json
import random
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from factcheck.archive.models import Capture
from factcheck.archive.signatures import KEY_NAME
from factcheck.archive.verifying import Fault, check_captures, lost_captures
from factcheck.ledger.keys import complaint_about


def _percent(value: str) -> float:
    try:
        percent = float(value)
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise ArgumentTypeError(_("a number above 0 and up to 100"))
    return percent


class Command(BaseCommand):
    help = (
        "Hashes all archived bytes again, reads every WARC record, lays out and checks every package and its "
        "signature, compares every row with the log, and names what is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sample", type=_percent, default=100.0, metavar="PERCENT", help="Only so many captures, at random."
        )
        parser.add_argument("--json", action="store_true", help="One JSON object a line: faults, then the sum.")

    def handle(self, *args: Any, sample: float, **options: Any) -> None:
        captures = Capture.objects.select_related("request", "wacz_signature").order_by("pk")
        everything = captures.count()
        if sample < 100:
            keys = list(captures.values_list("pk", flat=True))
            some = max(1, round(len(keys) * sample / 100)) if keys else 0
            captures = captures.filter(pk__in=random.SystemRandom().sample(keys, some))
            everything = some
        checked = faulty = unsigned = 0
        for capture, faults in check_captures(captures.iterator(chunk_size=200)):
            checked += 1
            faulty += bool(faults)
            unsigned += bool(capture.wacz_hash) and capture.signature is None
            for fault in faults:
                self._tell(fault, as_json=options["json"])
            self._progress(_("%(checked)d of %(all)d captures") % {"checked": checked, "all": everything})
        if sample == 100:
            # What is not there cannot be drawn for a sample.
            for fault in lost_captures():
                checked, faulty = checked + 1, faulty + 1
                self._tell(fault, as_json=options["json"])
        self._progress("")
        key = complaint_about(KEY_NAME)
        if options["json"]:
            result = {
                "ok": not (faulty or key),
                "captures": checked,
                "faulty": faulty,
                "unsigned": unsigned,
                "key": key,
            }
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            if not faulty:
                self.stdout.write(_("%(checked)d captures are as they were sealed.") % {"checked": checked})
            if unsigned:
                self.stdout.write(_("%(unsigned)d packages are not signed yet.") % {"unsigned": unsigned})
        if faulty:
            raise CommandError(
                _("%(faulty)d of %(checked)d captures are not as they were sealed.")
                % {"faulty": faulty, "checked": checked}
                + (f"\n{key}" if key else "")
            )
        if key:
            raise CommandError(key)

    def _tell(self, fault: Fault, *, as_json: bool) -> None:
        self._progress("")
        if as_json:
            found = {"capture": fault.capture, "part": fault.part, "message": fault.message}
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        else:
            self.stdout.write(f"capture/{fault.capture}, {fault.part}: {fault.message}")

    def _progress(self, words: str) -> None:
        """One line on a terminal that is written over again and again, and nothing elsewhere."""
        if self.stderr.isatty():
            self.stderr.write(f"\r\x1b[K{words}", style_func=str, ending="")
            self.stderr.flush()
