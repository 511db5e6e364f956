import json
import sys
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from factcheck.archive.extracting import extract
from factcheck.archive.media import sniff
from factcheck.archive.models import Capture
from factcheck.archive.outcomes import Outcome
from factcheck.archive.selectors import layer_text, layers_of
from factcheck.evidence.models import FOUND_BY_MACHINE
from factcheck.evidence.searching import Finding, Layer, find_quote
from factcheck.operations.management.commands.archive import archive

_TYPES = {".html": "text/html", ".htm": "text/html", ".pdf": "application/pdf"}


class Command(BaseCommand):
    help = (
        "Says of each line {url|file, quote} whether the words stand in the page, which is archived for it, or in the "
        "file. Ends with 0 only if a machine found every quote."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="JSON lines; - is standard input.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        missed = asked = 0
        for number, line in enumerate(_lines(file), start=1):
            wanted = _wanted(line, number)
            result = _check(wanted)
            asked += 1
            missed += result["outcome"] not in FOUND_BY_MACHINE
            if options["json"]:
                self.stdout.write(json.dumps(wanted | result, ensure_ascii=False))
            else:
                self.stdout.write(f"{result['outcome']}: {wanted['quote'][:80]}")
            self.stdout.flush()
        if missed:
            raise CommandError(_("%(missed)d of %(asked)d quotes were not found.") % {"missed": missed, "asked": asked})


def _lines(file: str) -> list[str]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read.") from error
    return [line for line in text.splitlines() if line.strip()]


def _wanted(line: str, number: int) -> dict[str, str]:
    try:
        wanted = json.loads(line)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict) or not isinstance(wanted.get("quote"), str):
        raise CommandError(_("Line %(number)d is no JSON object with a quote.") % {"number": number})
    if not isinstance(wanted.get("url") or wanted.get("file"), str):
        raise CommandError(_("Line %(number)d names neither a url nor a file.") % {"number": number})
    return {key: str(wanted[key]) for key in ("url", "file", "quote", "prefix", "suffix") if wanted.get(key)} | {
        "quote": wanted["quote"]
    }


def _check(wanted: dict[str, str]) -> dict[str, Any]:
    find = partial(find_quote, quote=wanted["quote"], prefix=wanted.get("prefix", ""), suffix=wanted.get("suffix", ""))
    if "url" not in wanted:
        with _opened(wanted["file"]) as file:
            return _told(find(_layers_of_file(file, wanted["file"])))
    archived = archive(wanted["url"])
    capture = Capture.objects.filter(request__public_id=archived["capture"]).first()
    if capture is None or not capture.carries_evidence:
        # There is no copy in which to look, which says nothing about the words.
        return _told(None) | {"outcome": "no_text", "message": archived["message"]}
    layers = [Layer(row.kind, row.outcome, partial(layer_text, row), row) for row in layers_of(capture)]
    return _told(find(layers, whole=capture.outcome == Outcome.CAPTURED))


def _opened(name: str) -> IO[bytes]:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error


def _layers_of_file(file: IO[bytes], name: str) -> list[Layer]:
    declared = _TYPES.get(Path(name).suffix.lower(), "text/plain")
    media_type = sniff(file.read(2048), declared)
    file.seek(0)
    return [Layer(layer.kind, layer.outcome, partial(str, layer.text)) for layer in extract(file, media_type).layers]


def _told(finding: Finding | None) -> dict[str, Any]:
    match = finding.match if finding else None
    return {
        "outcome": finding.outcome.value if finding else None,
        "spans": [list(span) for span in match.spans] if match else [],
        "score": match.score if match else 0.0,
        "warnings": list(match.warnings) if match else [],
        "layer": finding.layer.kind if finding and finding.layer else None,
    }
