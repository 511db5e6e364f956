from functools import partial

from django.apps import AppConfig
from django.conf import settings


def _sign_packages(*, everything: bool) -> None:
    # Only here: a process that does no periodic work never loads what opens private keys.
    from factcheck.archive.signing import sign_packages

    sign_packages(everything=everything)


class ArchiveConfig(AppConfig):
    name = "factcheck.archive"

    def ready(self) -> None:
        from factcheck.archive.blobs import tidy
        from factcheck.archive.browser.driving import remove_leftovers
        from factcheck.archive.capturing import EXTRACTING_SECONDS, SLACK_SECONDS, give_up, run_capture
        from factcheck.archive.collecting import collect
        from factcheck.archive.media_facts import MEDIA_SECONDS
        from factcheck.archive.services import JOB_KIND
        from factcheck.jobs.registry import Kind, Periodic, register, register_periodic

        register(
            Kind(
                name=JOB_KIND,
                run=run_capture,
                gave_up=give_up,
                deadline_seconds=settings.CAPTURE_TIMEOUT_SECONDS
                + settings.CAPTURE_REQUISITES_SECONDS
                + EXTRACTING_SECONDS
                + MEDIA_SECONDS
                + SLACK_SECONDS,
                max_attempts=8,
            )
        )
        register_periodic(Periodic("archive.browser_leftovers", 3600, remove_leftovers))
        register_periodic(Periodic(name="tidy-blobs", every_seconds=3600, run=tidy))
        register_periodic(Periodic(name="archive.collect_blobs", every_seconds=24 * 3600, run=collect))
        every = settings.SWEEP_EVERY_SECONDS
        register_periodic(Periodic("archive.sign_packages", every, partial(_sign_packages, everything=False)))
        register_periodic(Periodic("archive.sign_everything", 3600, partial(_sign_packages, everything=True)))
