from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

EVERYTHING_EVERY_SECONDS = 3600


def _install_triggers(using: str, **kwargs: Any) -> None:
    from factcheck.ledger.insert_only import install_triggers

    install_triggers(using)


class LedgerConfig(AppConfig):
    name = "factcheck.ledger"

    def ready(self) -> None:
        from django.conf import settings

        from factcheck.jobs.registry import Periodic, register_periodic
        from factcheck.ledger import checks  # noqa: F401
        from factcheck.ledger.services import sequence

        # Sent once for each app after the whole plan is done, so that one sender is enough.
        post_migrate.connect(_install_triggers, sender=self, dispatch_uid="ledger.insert_only")
        register_periodic(Periodic("ledger.sequence", settings.SWEEP_EVERY_SECONDS, sequence))
        register_periodic(
            Periodic("ledger.sequence_everything", EVERYTHING_EVERY_SECONDS, lambda: sequence(everything=True))
        )
