import re

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models.signals import post_migrate

from factcheck.ledger.actions import Action
from factcheck.ledger.apps import _install_triggers
from factcheck.ledger.checks import list_and_models_agree, triggers_stand
from factcheck.ledger.errors import RowIsFinal
from factcheck.ledger.insert_only import lifted, missing_triggers, protected_models
from factcheck.ledger.models import Entry, Leaf, Text
from factcheck.ledger.services import keep_text, record, sequence


@pytest.fixture
def leaf(db):
    with transaction.atomic():
        record(Action.CLAIM_MARKED, "claim/aaaa", {}, by=None)
    sequence()
    return Leaf.objects.get(index=0)


def refused(sql, parameters=()):
    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def test_a_row_is_not_updated_by_sql(leaf):
    refused("UPDATE ledger_leaf SET leaf_hash = ''")
    refused("UPDATE ledger_entry SET subject = 'claim/bbbb'")


def test_a_row_is_not_deleted_by_sql(leaf):
    refused("DELETE FROM ledger_leaf")
    refused("DELETE FROM ledger_entry")


def test_a_row_is_not_replaced_by_sql(leaf):
    if connection.vendor == "sqlite":
        refused("REPLACE INTO ledger_leaf VALUES (0, %s, %s)", ["f" * 64, leaf.entry_id])
        refused("UPDATE OR REPLACE ledger_leaf SET leaf_hash = ''")
    refused(
        'INSERT INTO ledger_leaf ("index", entry_id, leaf_hash) VALUES (0, %s, %s)'
        ' ON CONFLICT ("index") DO UPDATE SET leaf_hash = excluded.leaf_hash',
        [leaf.entry_id, "f" * 64],
    )


def test_a_table_is_not_truncated(leaf):
    if connection.vendor == "sqlite":
        # What SQLite's documentation calls its truncate optimisation.
        refused("DELETE FROM ledger_leaf")
    else:
        # Foreign keys that still wait to be checked would refuse it before the trigger does.
        connection.check_constraints()
        refused("TRUNCATE ledger_leaf")
        refused("TRUNCATE ledger_text CASCADE")


def test_a_row_is_not_changed_through_the_models(leaf):
    leaf.leaf_hash = "f" * 64
    with pytest.raises(RowIsFinal, match="cannot be changed"):
        leaf.save()
    with pytest.raises(RowIsFinal, match="cannot be deleted"):
        leaf.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Leaf.objects.update(leaf_hash="f" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        Leaf.objects.all().delete()
    # A new object with an old primary key would be saved as an UPDATE.
    with pytest.raises(IntegrityError), transaction.atomic():
        Leaf(index=0, entry=leaf.entry, leaf_hash="f" * 64).save()


def test_what_a_protected_row_needs_is_not_deleted(leaf):
    with pytest.raises(models.ProtectedError):
        Entry.objects.all().delete()


def test_a_text_may_become_empty_once(db):
    text = keep_text("words")

    assert Text.objects.filter(pk=text.pk).update(body="", salt="", erased_by="e1") == 1

    refused("UPDATE ledger_text SET erased_by = 'e2' WHERE id = %s", [text.pk])
    refused("UPDATE ledger_text SET body = 'back', salt = '', erased_by = '' WHERE id = %s", [text.pk])


@pytest.mark.parametrize(
    "change",
    [
        "body = 'other words'",
        "body = '', salt = ''",
        "body = '', erased_by = 'e1'",
        "salt = '', erased_by = 'e1'",
        "erased_by = 'e1'",
        "body = '', salt = '', erased_by = 'e1', sha256 = 'f'",
        "body = '', salt = '', erased_by = 'e1', id = id + 1",
    ],
)
def test_a_text_changes_in_no_other_way(db, change):
    text = keep_text("words")

    refused(f"UPDATE ledger_text SET {change} WHERE id = %s", [text.pk])


def test_a_text_is_not_deleted(db):
    keep_text("words")

    refused("DELETE FROM ledger_text")


def test_every_table_of_the_list_has_its_triggers(db, settings):
    assert {model._meta.label for model in protected_models()} == {*settings.INSERT_ONLY_MODELS, "ledger.Text"}
    assert missing_triggers() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("model", "field", "wider"),
    [("entry", "action", models.CharField(max_length=77)), ("leaf", "leaf_hash", models.CharField(max_length=77))],
)
def test_a_migration_that_rebuilds_a_protected_table_finds_its_rows_and_triggers_again(model, field, wider):
    with transaction.atomic():
        record(Action.CLAIM_MARKED, "claim/aaaa", {}, by=None)
    sequence()
    operation = migrations.AlterField(model, field, wider)
    before = MigrationLoader(connection).project_state()
    after = before.clone()
    operation.state_forwards("ledger", after)
    with connection.schema_editor() as editor:
        operation.database_forwards("ledger", editor, before, after)
    try:
        if connection.vendor == "sqlite":
            assert missing_triggers() == [f"ledger_{model}: ledger_{model}_no_update",
                                          f"ledger_{model}: ledger_{model}_no_delete"]  # fmt: skip
        call_command("migrate", verbosity=0)

        assert missing_triggers() == []
        refused(f"UPDATE ledger_{model} SET {field} = ''")
        refused(f"DELETE FROM ledger_{model}")
        assert (Entry.objects.count(), Leaf.objects.count()) == (1, 1)
    finally:
        with connection.schema_editor() as editor:
            operation.database_backwards("ledger", editor, after, before)
        call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_without_the_step_after_a_migration_the_triggers_would_be_gone():
    """The negative control: it is post_migrate that brings them back."""
    if connection.vendor != "sqlite":
        pytest.skip("does not apply: PostgreSQL keeps triggers when a table is altered")
    from django.apps import apps

    sender = apps.get_app_config("ledger")
    operation = migrations.AlterField("leaf", "leaf_hash", models.CharField(max_length=77))
    before = MigrationLoader(connection).project_state()
    after = before.clone()
    operation.state_forwards("ledger", after)
    post_migrate.disconnect(_install_triggers, sender=sender, dispatch_uid="ledger.insert_only")
    try:
        with connection.schema_editor() as editor:
            operation.database_forwards("ledger", editor, before, after)
        call_command("migrate", verbosity=0)
        assert missing_triggers() != []
    finally:
        post_migrate.connect(_install_triggers, sender=sender, dispatch_uid="ledger.insert_only")
        with connection.schema_editor() as editor:
            operation.database_backwards("ledger", editor, after, before)
        call_command("migrate", verbosity=0)
    assert missing_triggers() == []


def test_protection_is_lifted_only_inside_the_block(leaf):
    with lifted():
        Leaf.objects.update(leaf_hash="f" * 64)

    refused("UPDATE ledger_leaf SET leaf_hash = ''")
    assert missing_triggers() == []


def test_an_error_inside_the_block_undoes_the_change_and_the_lifting(leaf):
    def backfill():
        with lifted():
            Leaf.objects.update(leaf_hash="f" * 64)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        backfill()

    assert missing_triggers() == []
    assert Leaf.objects.get().leaf_hash == leaf.leaf_hash


def ids(messages):
    return [(message.id, re.search(r"ledger\.\w+|jobs\.\w+", message.msg).group()) for message in messages]


def test_list_models_and_database_agree(db):
    assert [message for message in run_checks(databases=["default"]) if message.id.startswith("ledger.")] == []


def test_the_check_names_a_model_that_is_not_on_the_list(settings):
    settings.INSERT_ONLY_MODELS = [label for label in settings.INSERT_ONLY_MODELS if label != "ledger.Leaf"]

    assert ids(list_and_models_agree(None)) == [("ledger.E001", "ledger.Leaf")]


def test_the_check_names_what_is_on_the_list_and_does_not_exist_or_is_not_insert_only(settings):
    settings.INSERT_ONLY_MODELS = [*settings.INSERT_ONLY_MODELS, "ledger.Nothing", "jobs.Job"]

    assert ids(list_and_models_agree(None)) == [("ledger.E002", "ledger.Nothing"), ("ledger.E003", "jobs.Job")]


def test_a_model_that_does_not_exist_stops_no_migration(settings, db):
    settings.INSERT_ONLY_MODELS = [*settings.INSERT_ONLY_MODELS, "ledger.Nothing"]

    _install_triggers("default")

    assert missing_triggers() == []


def test_the_check_names_a_missing_trigger(db):
    with lifted():
        found = triggers_stand(None, databases=["default"])

    assert "An insert-only table has lost its trigger: ledger_leaf: ledger_leaf_no_update." in [m.msg for m in found]


def test_the_check_names_a_database_that_lets_replace_through(db):
    if connection.vendor != "sqlite":
        pytest.skip("does not apply: only SQLite has REPLACE")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = OFF")
        try:
            found = triggers_stand(None, databases=["default"])
        finally:
            cursor.execute("PRAGMA recursive_triggers = ON")

    assert [message.id for message in found] == ["ledger.E005"]
