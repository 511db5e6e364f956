import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from factcheck.archive import blobs
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.capturing import refusal_reason
from factcheck.archive.models import Capture, CaptureRequest, Engine
from factcheck.archive.outcomes import Outcome, sentence
from factcheck.archive.selectors import best_layer
from factcheck.archive.services import request_capture
from factcheck.archive.wacz import package_of
from factcheck.jobs.leases import lease_job
from factcheck.jobs.models import Job
from factcheck.jobs.running import run
from factcheck.lib.errors import FactcheckError
from factcheck.outbound.errors import AddressRefused

# A worker that was quicker has the job; longer than this, no attempt of it may take.
WAIT_SECONDS = 300
LOOK_EVERY_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Archives pages here and now, each by a new request; a site out of reach is not tried again. "
        "sha256 is that of the WARC file, wacz that of its package. Ends with 0 only if every page was captured."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("urls", nargs="+", metavar="URL")
        parser.add_argument("--engine", choices=["http", "browser"], default="http")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")

    def handle(self, *args: Any, urls: list[str], engine: str, **options: Any) -> None:
        if engine == Engine.BROWSER and not browser_available():
            raise CommandError(_("The browser engine is not installed here; leave out --engine or say http."))
        failed = 0
        for url in urls:
            result = archive(url, Engine(engine))
            failed += result["state"] not in Outcome.with_evidence()
            if options["json"]:
                self.stdout.write(json.dumps(result, ensure_ascii=False))
            else:
                self.stdout.write(f"{url}: {result['message']}")
                for name in ("capture", "final_url", "title", "warc", "sha256"):
                    if result[name]:
                        self.stdout.write(f"  {name:<10} {result[name]}")
            self.stdout.flush()
        if failed:
            raise CommandError(
                _("%(failed)d of %(all)d pages were not captured.") % {"failed": failed, "all": len(urls)}
            )


def archive(url: str, engine: Engine = Engine.HTTP) -> dict[str, Any]:
    """Archive one page and say what came of it, in the command's keys."""
    begun = time.monotonic()
    result: dict[str, Any] = dict.fromkeys(
        ("url", "capture", "state", "reason", "final_url", "http_status", "media_type", "warc", "wacz", "sha256")
    )
    result |= {"url": url, "records": 0, "wire_bytes": 0, "text_chars": 0, "title": None, "body_sha256": None}
    try:
        request = request_capture(url, by=None, again=True, patient=False, engine=engine)
    except AddressRefused as refusal:
        result |= {"state": Outcome.REFUSED.value, "reason": refusal_reason(refusal), "message": str(refusal)}
    except FactcheckError as error:
        result |= {"state": Outcome.REFUSED.value, "reason": "policy", "message": str(error)}
    else:
        result["capture"] = request.public_id
        capture = _work_on(request)
        result |= _facts(capture) if capture else {"state": "open", "message": _("The page is still being archived.")}
    return result | {"seconds": round(time.monotonic() - begun, 3)}


def _work_on(request: CaptureRequest) -> Capture | None:
    """Do the request's job in this process, or wait for the worker that has it; None if that takes too long."""
    assert request.job is not None
    until = time.monotonic() + WAIT_SECONDS
    while True:
        if lease := lease_job(request.job.pk):
            run(lease)
        capture = Capture.objects.filter(request=request).first()
        if capture is not None or time.monotonic() > until:
            return capture
        due = Job.objects.get(pk=request.job.pk).due_at.timestamp() - time.time()
        time.sleep(max(LOOK_EVERY_SECONDS, min(due, until - time.monotonic())))


def _wacz_sha256(capture: Capture) -> str:
    with blobs.open_blob(capture.warc_sha256) as warc:
        return package_of(capture).sha256(warc)


def _facts(capture: Capture) -> dict[str, Any]:
    layer = best_layer(capture)
    said = sentence(capture.outcome, capture.reason)
    return {
        "state": capture.outcome,
        "reason": capture.reason or None,
        "final_url": capture.final_url or None,
        "http_status": capture.http_status,
        "media_type": capture.media_type or None,
        "warc": str(blobs.path_of(capture.warc_sha256)) if capture.warc_sha256 else None,
        "wacz": _wacz_sha256(capture) if capture.warc_sha256 else None,
        "sha256": capture.warc_sha256 or None,
        "body_sha256": capture.body_sha256 or None,
        "records": capture.records,
        "wire_bytes": capture.wire_bytes,
        "text_chars": layer.chars if layer else 0,
        "title": capture.title or None,
        "message": f"{said} {capture.detail}".strip(),
    }
