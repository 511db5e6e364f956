from django.apps import AppConfig
from django.db.models.signals import post_migrate


class VerdictsConfig(AppConfig):
    name = "factcheck.verdicts"

    def ready(self) -> None:
        from factcheck.verdicts.scale import seed_scale

        post_migrate.connect(seed_scale, sender=self)
