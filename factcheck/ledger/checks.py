"""That the list of insert-only models, the models and the database agree."""

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from factcheck.ledger.insert_only import InsertOnly, insert_only_subclasses, missing_triggers


@register(Tags.models)
def list_and_models_agree(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    listed = set(settings.INSERT_ONLY_MODELS)
    for model in insert_only_subclasses():
        if model._meta.label not in listed:
            found.append(
                Error(f"{model._meta.label} is InsertOnly but not in INSERT_ONLY_MODELS.", obj=model, id="ledger.E001")
            )
    for label in settings.INSERT_ONLY_MODELS:
        try:
            listed_model = apps.get_model(label)
        except LookupError:
            # An app may be left out of a process, as the desk is on the archive host.
            if apps.is_installed(f"factcheck.{label.split('.')[0]}"):
                found.append(Error(f"INSERT_ONLY_MODELS names {label}, which does not exist.", id="ledger.E002"))
            continue
        if not issubclass(listed_model, InsertOnly):
            found.append(
                Error(f"{label} is in INSERT_ONLY_MODELS but not InsertOnly.", obj=listed_model, id="ledger.E003")
            )
    return found


@register(Tags.database)
def triggers_stand(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    # migrate asks first and repairs afterwards: an error here would forbid the remedy.
    if sys.argv[1:2] == ["migrate"]:
        return found
    for using in databases or []:
        found += [
            Error(
                f"An insert-only table has lost its trigger: {missing}.",
                hint="manage.py migrate makes the triggers anew. Find out who removed it.",
                id="ledger.E004",
            )
            for missing in missing_triggers(using)
        ]
        connection = connections[using]
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA recursive_triggers")
                if cursor.fetchone() != (1,):
                    found.append(
                        Error(
                            "Without PRAGMA recursive_triggers a REPLACE gets around the insert-only triggers.",
                            id="ledger.E005",
                        )
                    )
    return found
