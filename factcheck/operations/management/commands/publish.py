import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.articles.models import Article
from factcheck.lib.errors import FactcheckError
from factcheck.publications.errors import GateClosed
from factcheck.publications.models import NoteKind
from factcheck.publications.services import publish


class Command(BaseCommand):
    help = "Publishes an article as it stands, or says what is in the way."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--as", dest="username", metavar="USER", help="Who publishes; without it, this machine.")
        parser.add_argument(
            "--note-kind", default="", choices=["", *NoteKind.values], help="From the second version on."
        )
        parser.add_argument("--note", default="", help="What has changed since the version before.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        article = Article.objects.filter(slug=slug).first()
        if article is None:
            raise CommandError(_("There is no article at “%(slug)s”.") % {"slug": slug})
        by = User.objects.filter(username=options["username"]).first() if options["username"] else None
        if options["username"] and by is None:
            raise CommandError(_("There is nobody called “%(name)s”.") % {"name": options["username"]})
        try:
            publication = publish(article, note_kind=options["note_kind"], note=options["note"], by=by)
        except GateClosed as refusal:
            blockers = [
                {
                    "kind": blocker.kind.value,
                    "key": blocker.key,
                    "claim": blocker.claim.public_id if blocker.claim else None,
                    "sentence": blocker.sentence,
                }
                for blocker in refusal.blockers
            ]
            if options["json"]:
                self.stdout.write(json.dumps({"blockers": blockers}, ensure_ascii=False))
            else:
                for blocker in blockers:
                    self.stdout.write(f"{blocker['claim'] or slug}: {blocker['sentence']}")
            raise CommandError(str(refusal)) from refusal
        except FactcheckError as refusal:
            raise CommandError(str(refusal)) from refusal
        address = settings.PUBLIC_URL + reverse("public:article", args=[slug])
        result = {"slug": slug, "version": publication.version, "sha256": publication.sha256, "url": address}
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            self.stdout.write(_("Version %(version)s is out: %(url)s") % result)
