import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from factcheck.ledger.actions import Action
from factcheck.ledger.commitments import leaf_hash
from factcheck.ledger.insert_only import lifted
from factcheck.ledger.models import Entry, Leaf, Text
from factcheck.ledger.services import erase_text, record, sequence
from factcheck.ledger.verifying import verify
from tests.ledger import naive_merkle


@pytest.fixture
def log(db):
    """Six leaves and, after them, one entry that has none yet."""
    with transaction.atomic():
        for number in range(6):
            record(Action.CLAIM_MARKED, f"claim/{number}", {"n": number}, by="abcd2345")
    sequence()
    with transaction.atomic():
        record(Action.CLAIM_WITHDRAWN, "claim/0", {}, by=None)
    return list(Entry.objects.order_by("id"))


def run(*arguments):
    out = StringIO()
    try:
        call_command("verify_ledger", "--json", *arguments, stdout=out)
    except CommandError as error:
        return json.loads(out.getvalue()), str(error)
    return json.loads(out.getvalue()), None


def real_root():
    return naive_merkle.mth([bytes.fromhex(leaf.leaf_hash) for leaf in Leaf.objects.order_by("index")])


def test_a_whole_log_has_the_root_of_rfc_6962_and_says_what_is_pending(log):
    answer, error = run()

    assert error is None
    assert answer == {
        "ok": True,
        "size": 6,
        "pending": 1,
        "erased": 0,
        "root": real_root().hex(),
        "fault": None,
        "index": None,
        "entry": None,
        "message": None,
    }


def test_an_empty_log_is_whole(db):
    assert run()[0]["root"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_person_is_told_in_words(log):
    out = StringIO()
    call_command("verify_ledger", stdout=out)

    assert f"The log is whole: 6 leaves, root {real_root().hex()}" in out.getvalue()


def test_an_erased_opening_leaves_the_log_whole(log):
    before = real_root()
    erase_text(log[2].opening, erasure="erasure/1")

    answer, error = run()

    assert error is None
    assert (answer["erased"], answer["root"]) == (1, before.hex())


def alter_opening(log):
    body = log[3].opening.body.replace('"n":3', '"n":4')
    Text.objects.filter(pk=log[3].opening_id).update(body=body)


def alter_commitment(log):
    Entry.objects.filter(pk=log[3].pk).update(commitment="a" * 64)


def alter_commitment_and_leaf(log):
    alter_commitment(log)
    Leaf.objects.filter(entry=log[3]).update(leaf_hash=leaf_hash("a" * 64).hex())


def alter_leaf(log):
    Leaf.objects.filter(index=3).update(leaf_hash="a" * 64)


def remove_leaf(log):
    Leaf.objects.filter(index=3)._raw_delete("default")


def swap_leaf_hashes(log):
    third, fifth = Leaf.objects.get(index=3).leaf_hash, Leaf.objects.get(index=5).leaf_hash
    Leaf.objects.filter(index=3).update(leaf_hash=fifth)
    Leaf.objects.filter(index=5).update(leaf_hash=third)


def alter_subject(log):
    Entry.objects.filter(pk=log[3].pk).update(subject="claim/innocent")


def alter_actor(log):
    Entry.objects.filter(pk=log[3].pk).update(actor="somebody")


def alter_time(log):
    Entry.objects.filter(pk=log[3].pk).update(at=log[0].at.replace(year=2001))


def alter_hash_of_opening(log):
    Text.objects.filter(pk=log[3].opening_id).update(sha256="a" * 64)


def exchange_openings(log):
    third, fourth = log[3].opening, log[4].opening
    Text.objects.filter(pk=third.pk).update(salt=fourth.salt, body=fourth.body)
    Text.objects.filter(pk=fourth.pk).update(salt=third.salt, body=third.body)


@pytest.mark.parametrize(
    ("tamper", "fault", "words"),
    [
        (alter_opening, "opening", "the opening does not give the commitment"),
        (alter_commitment, "commitment", "the commitment was altered"),
        (alter_commitment_and_leaf, "opening", "the opening does not give the commitment"),
        (alter_leaf, "leaf", "the leaf is not that of the entry's commitment"),
        (remove_leaf, "index", "Leaf 3 is missing"),
        (swap_leaf_hashes, "leaf", "the leaf is not that of the entry's commitment"),
        (alter_subject, "entry", "the subject was altered to 'claim/innocent'; the opening says 'claim/3'"),
        (alter_actor, "entry", "the actor was altered"),
        (alter_time, "entry", "the at was altered"),
        (alter_hash_of_opening, "opening", "the opening's own hash was altered"),
        (exchange_openings, "opening", "the opening does not give the commitment"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_first_thing_that_was_tampered_with_is_named(log, tamper, fault, words):
    with lifted():
        tamper(log)

    answer, error = run()

    assert (answer["ok"], answer["fault"], answer["index"], answer["root"]) == (False, fault, 3, None)
    assert words in answer["message"]
    assert error == answer["message"]


def test_an_altered_leaf_of_an_erased_entry_is_named(log):
    erase_text(log[2].opening, erasure="erasure/1")
    with lifted():
        Leaf.objects.filter(index=2).update(leaf_hash="a" * 64)

    assert run()[0]["fault"] == "leaf"


def test_an_altered_entry_that_has_no_leaf_yet_is_named(log):
    with lifted():
        Entry.objects.filter(pk=log[6].pk).update(subject="claim/innocent")

    answer, _error = run()

    assert (answer["fault"], answer["index"], answer["entry"]) == ("entry", None, log[6].pk)
    assert "no leaf yet" in answer["message"]


def swap_leaves_whole(log):
    Leaf.objects.filter(index__in=[1, 2])._raw_delete("default")
    for index, entry in ((1, log[2]), (2, log[1])):
        Leaf.objects.create(index=index, entry=entry, leaf_hash=leaf_hash(entry.commitment).hex())


def cut_off_the_end(log):
    Leaf.objects.filter(index__gte=4)._raw_delete("default")


@pytest.mark.parametrize("tamper", [swap_leaves_whole, cut_off_the_end])
def test_a_log_that_is_whole_in_itself_is_not_the_one_whose_root_was_noted(log, tamper):
    report = verify()
    noted = f"{report.size}:{report.root.hex()}"
    assert run("--against", noted)[1] is None

    with lifted():
        tamper(log)

    assert run()[1] is None
    assert run("--against", noted)[0]["fault"] == "root"


def test_a_log_that_has_grown_is_still_the_one_whose_root_was_noted(log):
    report = verify()
    sequence()

    answer, error = run("--against", f"{report.size}:{report.root.hex()}")

    assert error is None
    assert answer["size"] == 7


def test_a_noted_root_that_cannot_be_read_is_refused(db):
    with pytest.raises(CommandError, match="SIZE:ROOT"):
        call_command("verify_ledger", "--against", "6")
