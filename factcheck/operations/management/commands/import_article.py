import json
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from factcheck.articles.canonical import BlockKind
from factcheck.articles.importing import read_plain_text
from factcheck.articles.services import Details, import_article
from factcheck.lib.errors import FactcheckError


class Command(BaseCommand):
    help = "Makes an article of a plain text file; says which lines look like a website's and not the article's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--title", default="")
        parser.add_argument("--date", type=date.fromisoformat, help="The day that the article bears, YYYY-MM-DD.")
        parser.add_argument("--language", default="", help="ISO 639-1 code.")
        parser.add_argument("--url", default="", help="Where the article stands on our own site.")
        parser.add_argument("--remove-boilerplate", action="store_true", help="Agree to lose every offered line.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            raw = file.read_bytes()
        except OSError as error:
            refusal = _("%(file)s cannot be read: %(reason)s.") % {"file": file, "reason": error.strerror}
            raise CommandError(refusal) from error
        details = Details(
            title=options["title"], date=options["date"], language=options["language"], url=options["url"]
        )
        try:
            offered = read_plain_text(raw).offered
            remove = {line.number for line in offered} if options["remove_boilerplate"] else set()
            revision = import_article(raw, details=details, remove=remove, by=None)
        except FactcheckError as error:
            raise CommandError(str(error)) from error
        result = {
            "article": revision.article.public_id,
            "slug": revision.article.slug,
            "revision": revision.number,
            "sha256": revision.sha256,
            "paragraphs": sum(block.kind is not BlockKind.HEADLINE for block in revision.blocks),
            "offered": [line.text for line in offered],
            "removed": revision.removed,
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        self.stdout.write(_("%(slug)s: %(paragraphs)s paragraphs, SHA-256 %(sha256)s") % result)
        for line in offered:
            done = _("removed") if line.number in remove else _("offered")
            self.stdout.write(f"  {done} ({line.reason}): {line.text}")
