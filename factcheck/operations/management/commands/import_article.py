import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from factcheck.archive.selectors import capture_named
from factcheck.articles.canonical import BlockKind
from factcheck.articles.formats import SUFFIXES, format_of
from factcheck.articles.from_pages import read_page
from factcheck.articles.importing import MAX_DOCUMENT_BYTES, OfferedLine, read_draft
from factcheck.articles.models import Revision
from factcheck.articles.services import Details, import_article, import_page
from factcheck.lib.errors import FactcheckError
from factcheck.operations.management.commands.archive import archive


class Command(BaseCommand):
    help = (
        "Makes an article of a document, or of the page at an address, which is archived first; says which lines look "
        "like a website's and not the article's."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            metavar="FILE|URL",
            help=f"What a file is, its bytes and its name say: {' '.join(SUFFIXES)}; or an address (http)",
        )
        parser.add_argument("--title", default="")
        parser.add_argument("--date", type=date.fromisoformat, help="The day that the article bears, YYYY-MM-DD.")
        parser.add_argument("--language", default="", help="ISO 639-1 code.")
        parser.add_argument("--url", default="", help="Where the article stands on our own site; a URL is it.")
        parser.add_argument("--remove-boilerplate", action="store_true", help="Agree to lose every offered line.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        details = Details(
            title=options["title"], date=options["date"], language=options["language"], url=options["url"]
        )
        agreed = bool(options["remove_boilerplate"])
        try:
            if file.lower().startswith(("http://", "https://")):
                revision, offered = _of_page(file, details, agreed)
            else:
                revision, offered = _of_file(Path(file), details, agreed)
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
            "capture": revision.capture.public_id if revision.capture else None,
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        self.stdout.write(_("%(slug)s: %(paragraphs)s paragraphs, SHA-256 %(sha256)s") % result)
        if result["back_up"]:
            self.stdout.write(_("  %(back_up)s notes of the author's came along as back-up") % result)
        for line in offered:
            done = _("removed") if agreed else _("offered")
            self.stdout.write(f"  {done} ({line.reason}): {line.text}")


def _of_file(file: Path, details: Details, agreed: bool) -> tuple[Revision, tuple[OfferedLine, ...]]:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        refusal = _("%(file)s cannot be read: %(reason)s.") % {"file": file, "reason": error.strerror}
        raise CommandError(refusal) from error
    form = format_of(raw, file.name)
    offered = read_draft(raw, form).offered
    return import_article(raw, form=form, details=details, remove=_numbers(offered, agreed), by=None), offered


def _of_page(url: str, details: Details, agreed: bool) -> tuple[Revision, tuple[OfferedLine, ...]]:
    archived = archive(url)
    capture = capture_named(archived["capture"] or "")
    if capture is None or not capture.carries_evidence:
        raise CommandError(_("%(url)s: %(why)s") % {"url": url, "why": archived["message"]})
    _original, draft = read_page(capture)
    details = replace(details, url=details.url or url)
    return import_page(capture, details=details, remove=_numbers(draft.offered, agreed), by=None), draft.offered


def _numbers(offered: tuple[OfferedLine, ...], agreed: bool) -> set[int]:
    return {line.number for line in offered} if agreed else set()
