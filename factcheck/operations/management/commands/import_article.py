import json
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from factcheck.articles.canonical import BlockKind
from factcheck.articles.formats import SUFFIXES, format_of
from factcheck.articles.importing import MAX_DOCUMENT_BYTES, read_draft
from factcheck.articles.services import Details, import_article
from factcheck.lib.errors import FactcheckError


class Command(BaseCommand):
    help = "Makes an article of a document; says which lines look like a website's and not the article's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help=f"What it is, its bytes and its name say: {' '.join(SUFFIXES)}")
        parser.add_argument("--title", default="")
        parser.add_argument("--date", type=date.fromisoformat, help="The day that the article bears, YYYY-MM-DD.")
        parser.add_argument("--language", default="", help="ISO 639-1 code.")
        parser.add_argument("--url", default="", help="Where the article stands on our own site.")
        parser.add_argument("--remove-boilerplate", action="store_true", help="Agree to lose every offered line.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with file.open("rb") as opened:
                raw = opened.read(MAX_DOCUMENT_BYTES + 1)
        except OSError as error:
            refusal = _("%(file)s cannot be read: %(reason)s.") % {"file": file, "reason": error.strerror}
            raise CommandError(refusal) from error
        details = Details(
            title=options["title"], date=options["date"], language=options["language"], url=options["url"]
        )
        try:
            form = format_of(raw, file.name)
            offered = read_draft(raw, form).offered
            remove = {line.number for line in offered} if options["remove_boilerplate"] else set()
            revision = import_article(raw, form=form, details=details, remove=remove, by=None)
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
            "format": revision.original_format,
            "back_up": revision.back_up.count(),
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        self.stdout.write(_("%(slug)s: %(paragraphs)s paragraphs, SHA-256 %(sha256)s") % result)
        if result["back_up"]:
            self.stdout.write(_("  %(back_up)s notes of the author's came along as back-up") % result)
        for line in offered:
            done = _("removed") if line.number in remove else _("offered")
            self.stdout.write(f"  {done} ({line.reason}): {line.text}")
