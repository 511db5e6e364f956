import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from factcheck.ledger import services
from factcheck.ledger.actions import Action
from factcheck.ledger.errors import LedgerError
from factcheck.ledger.models import Entry, Leaf, Text
from factcheck.ledger.services import erase_text, keep_text, record, sequence


def record_some(count):
    with transaction.atomic():
        return [record(Action.CLAIM_MARKED, f"claim/{number}", {"n": number}, by=None) for number in range(count)]


def indexes():
    return list(Leaf.objects.order_by("index").values_list("index", flat=True))


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_what_and_when():
    entry = record(Action.VERDICT_FILED, "claim/7q2km4tz", {"rating": "accurate"}, by="abcd2345")

    assert (entry.action, entry.subject, entry.actor) == ("verdict.filed", "claim/7q2km4tz", "abcd2345")
    assert '"facts":{"rating":"accurate"}' in entry.opening.body


@pytest.mark.django_db
def test_the_same_happening_twice_has_two_commitments():
    first, second = (record(Action.CLAIM_MARKED, "claim/7q2km4tz", {}, by=None) for _ in range(2))

    assert first.commitment != second.commitment


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_not_recorded_outside_the_transaction_of_what_it_records():
    with pytest.raises(RuntimeError, match="in the transaction"):
        record(Action.CLAIM_MARKED, "claim/7q2km4tz", {}, by=None)


@pytest.mark.django_db(transaction=True)
def test_an_entry_goes_with_the_transaction_that_was_rolled_back():
    with transaction.atomic():
        record(Action.CLAIM_MARKED, "claim/7q2km4tz", {}, by=None)
        transaction.set_rollback(True)

    assert not Entry.objects.exists()
    assert not Text.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("subject", ["7q2km4tz", "claim/", "claim/a/b", "Claim/a", "claim/a b", ""])
def test_a_subject_is_a_kind_and_an_id(subject):
    with pytest.raises(ValueError, match="A subject is a kind and an id"):
        record(Action.CLAIM_MARKED, subject, {}, by=None)


@pytest.mark.django_db
def test_facts_have_no_floating_point_numbers():
    with pytest.raises(TypeError):
        record(Action.CLAIM_MARKED, "claim/7q2km4tz", {"score": 0.5}, by=None)


@pytest.mark.django_db
def test_leaves_begin_at_nought_in_the_order_of_entries_without_a_gap(monkeypatch):
    monkeypatch.setattr(services, "SEQUENCE_BATCH", 2)
    entries = record_some(5)

    assert sequence() == 5
    more = record_some(2)
    assert sequence() == 2

    assert indexes() == list(range(7))
    in_order = Leaf.objects.order_by("index").values_list("entry", flat=True)
    assert list(in_order) == [entry.pk for entry in entries + more]


@pytest.mark.django_db
def test_sequencing_again_gives_nothing_a_second_leaf():
    record_some(3)

    assert (sequence(), sequence(), sequence(everything=True)) == (3, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_of_several_sequencers_at_once_each_entry_gets_one_leaf(monkeypatch):
    monkeypatch.setattr(services, "SEQUENCE_BATCH", 5)
    record_some(40)
    gate = threading.Barrier(4)

    def sequencer(_number):
        try:
            gate.wait()
            return sequence()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(sequencer, range(4)))

    assert sum(given) == 40
    assert indexes() == list(range(40))


@pytest.mark.django_db
def test_an_entry_that_was_committed_late_is_found_within_the_look_back_and_beyond_it_by_the_run_over_all(monkeypatch):
    late, *others = record_some(6)
    # As if the first entry's transaction had still been open at the first run.
    leaves = [
        Leaf(index=place, entry=entry, leaf_hash=services.leaf_hash(entry.commitment).hex())
        for place, entry in enumerate(others)
    ]
    Leaf.objects.bulk_create(leaves)

    monkeypatch.setattr(services, "SEQUENCE_LOOKS_BACK", 3)
    assert sequence() == 0
    assert sequence(everything=True) == 1
    assert Leaf.objects.get(index=5).entry == late


@pytest.mark.django_db
def test_an_entry_within_the_look_back_is_found_by_every_run():
    late, other = record_some(2)
    Leaf.objects.create(index=0, entry=other, leaf_hash=services.leaf_hash(other.commitment).hex())

    assert sequence() == 1
    assert Leaf.objects.get(index=1).entry == late


@pytest.mark.django_db(transaction=True)
def test_on_sqlite_leaves_are_on_the_disk_before_their_index_is_known():
    if connection.vendor != "sqlite":
        pytest.skip("does not apply: PostgreSQL always waits for the disk")
    record_some(1)
    seen = []

    def watch(execute, sql, params, many, context):
        if 'INSERT INTO "ledger_leaf"' in sql:
            with connection.cursor() as cursor:
                cursor.cursor.execute("PRAGMA synchronous")
                seen.append(cursor.cursor.fetchone()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        sequence()

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        after = cursor.fetchone()[0]
    full, normal = 2, 1
    assert (seen, after) == ([full], normal)


@pytest.mark.django_db
def test_an_index_is_given_once():
    first, second = record_some(2)
    Leaf.objects.create(index=0, entry=first, leaf_hash="0" * 64)

    with pytest.raises(IntegrityError), transaction.atomic():
        Leaf.objects.create(index=0, entry=second, leaf_hash="0" * 64)


@pytest.mark.django_db
def test_an_erased_text_keeps_its_hash_and_nothing_else():
    text = keep_text("a name that has to go")
    sha256 = text.sha256

    erase_text(text, erasure="erasure/1")

    assert (text.sha256, text.salt, text.body, text.erased_by) == (sha256, "", "", "erasure/1")


@pytest.mark.django_db
def test_a_text_is_erased_once():
    text = keep_text("a name that has to go")
    erase_text(text, erasure="erasure/1")

    with pytest.raises(LedgerError, match="erased already"):
        erase_text(text, erasure="erasure/2")
