"""Tables whose rows are only ever added, held by triggers of the database.

The list is ``settings.INSERT_ONLY_MODELS``. Triggers are made anew after every migration, because
SQLite loses them whenever it rebuilds a table. ``ledger.Text`` has a rule of its own: a row
may become empty, once, with the id of the erasure.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, transaction
from django.utils.translation import gettext as _

from factcheck.ledger.errors import RowIsFinal

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

TEXT_MODEL = "ledger.Text"
ERASABLE_FIELDS = frozenset({"salt", "body", "erased_by"})
POSTGRES_FUNCTION = "factcheck_insert_only"


class InsertOnly(models.Model):
    """A row that is written once. Foreign keys to it are PROTECT; what changes later is a later row."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise RowIsFinal(_("This %(thing)s is final and cannot be changed.") % {"thing": self._meta.verbose_name})
        # Without it, a row with a chosen primary key is first tried as an UPDATE.
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise RowIsFinal(_("This %(thing)s is final and cannot be deleted.") % {"thing": self._meta.verbose_name})


def protected_models() -> list[type[models.Model]]:
    """The models of the list that exist, and ``ledger.Text``."""
    found = []
    for label in [*settings.INSERT_ONLY_MODELS, TEXT_MODEL]:
        try:
            found.append(apps.get_model(label))
        except LookupError:
            continue
    return found


def install_triggers(using: str = "default") -> None:
    """Make the triggers of every protected table that exists; those that stand are left or replaced."""
    connection = connections[using]
    with transaction.atomic(using), connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        statements = list(_PREPARE[connection.vendor])
        for model in protected_models():
            if model._meta.db_table in tables:
                for name, create in _triggers(model, connection).items():
                    statements += [_drop(name, model, connection), create]
        for statement in statements:
            cursor.execute(statement)


def remove_triggers(using: str = "default") -> None:
    connection = connections[using]
    with transaction.atomic(using), connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in protected_models():
            if model._meta.db_table in tables:
                for name in _triggers(model, connection):
                    cursor.execute(_drop(name, model, connection))


@contextmanager
def lifted(using: str = "default") -> Iterator[None]:
    """No protection inside the block: for the flush between tests and for backfills, nothing else.

    All in one transaction, so that no other connection ever sees a table without its triggers.
    """
    connection = connections[using]
    with transaction.atomic(using):
        if connection.vendor == "postgresql":
            # PostgreSQL drops no trigger while a deferred foreign key still waits to be checked.
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        remove_triggers(using)
        yield
        install_triggers(using)


def missing_triggers(using: str = "default") -> list[str]:
    """``table: trigger`` for each trigger that should stand and does not; tables not yet migrated are left out."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        cursor.execute(_EXISTING[connection.vendor])
        existing = {(table, name) for table, name in cursor.fetchall()}
    return [
        f"{model._meta.db_table}: {name}"
        for model in protected_models()
        if model._meta.db_table in tables
        for name in _triggers(model, connection)
        if (model._meta.db_table, name) not in existing
    ]


def insert_only_subclasses() -> Iterable[type[models.Model]]:
    return [model for model in apps.get_models() if issubclass(model, InsertOnly)]


_PREPARE = {
    "sqlite": [],
    # One function serves every table. The error class makes Django raise IntegrityError, as on SQLite.
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION {POSTGRES_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
        END $$"""
    ],
}

_EXISTING = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": """
        SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND pg_table_is_visible(c.oid)""",
}


def _triggers(model: type[models.Model], connection: "BaseDatabaseWrapper") -> dict[str, str]:
    """Each trigger's name and the statement that makes it."""
    table = model._meta.db_table
    quoted = connection.ops.quote_name(table)
    when = f"WHEN (NOT ({_is_erasure(model, connection)}))" if model._meta.label == TEXT_MODEL else ""
    if connection.vendor == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
        return {
            f"{table}_no_update": f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON {quoted} {when} {refuse}',
            f"{table}_no_delete": f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON {quoted} {refuse}',
        }
    call = f"EXECUTE FUNCTION {POSTGRES_FUNCTION}()"
    return {
        f"{table}_no_update": (
            f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON {quoted} FOR EACH ROW {when} {call}'
        ),
        f"{table}_no_delete": f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON {quoted} FOR EACH ROW {call}',
        f"{table}_no_truncate": (
            f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON {quoted} FOR EACH STATEMENT {call}'
        ),
    }


def _drop(name: str, model: type[models.Model], connection: "BaseDatabaseWrapper") -> str:
    if connection.vendor == "sqlite":
        return f'DROP TRIGGER IF EXISTS "{name}"'
    return f'DROP TRIGGER IF EXISTS "{name}" ON {connection.ops.quote_name(model._meta.db_table)}'


def _is_erasure(model: type[models.Model], connection: "BaseDatabaseWrapper") -> str:
    quote = connection.ops.quote_name
    columns = [field.column for field in model._meta.local_concrete_fields if field.name not in ERASABLE_FIELDS]
    kept = [quote(column) for column in columns if column]
    return " AND ".join(
        [
            "OLD.erased_by = ''",
            "NEW.erased_by <> ''",
            "NEW.body = ''",
            "NEW.salt = ''",
            *(f"NEW.{column} = OLD.{column}" for column in kept),
        ]
    )
