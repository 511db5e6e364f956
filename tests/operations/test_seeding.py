import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from django.test import override_settings

from factcheck.accounts.models import Role, User
from factcheck.archive.models import Capture, CaptureRequest
from factcheck.articles.models import Article
from factcheck.articles.services import import_article
from factcheck.claims.models import Claim
from factcheck.evidence.models import Evidence, PassageCheck
from factcheck.evidence.selectors import evidence_by_claim
from factcheck.jobs.sweeping import Sweeper
from factcheck.ledger import verifying
from factcheck.ledger.models import Entry, Leaf
from factcheck.operations.sample.newsroom import CLAIMS
from factcheck.operations.sample_sources import Handler, make_server
from factcheck.operations.seeding import Seeding, SeedRefused, find_passages, sample_article
from factcheck.publications.models import Notice, Publication
from factcheck.verdicts.models import SignOff, Verdict

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sources() -> Iterator[str]:
    with make_server(0) as server:
        port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with override_settings(ARCHIVE_PORTS=[80, 443, port], ARCHIVE_ALLOW_LOOPBACK=[f"127.0.0.1:{port}"]):
            yield f"http://127.0.0.1:{port}"
        server.shutdown()
        thread.join()


def seeding(sources: str) -> Seeding:
    return Seeding(sources=sources, password="a password for tests", work=True, tell=lambda line: None)


def test_the_sample_newsroom_is_built_through_the_services_with_every_page_really_archived(sources):
    article = seeding(sources).run()

    first, second = Publication.objects.whole().filter(article=article).order_by("version")
    ratings = {claim["rating"]["slug"] if claim["rating"] else "" for claim in first.content["claims"]}
    assert ratings == {"accurate", "mostly_accurate", "needs_context", "unproven", "inaccurate", "opinion", ""}
    assert second.content["change_note"]["kind"] == "correction"
    assert len(second.content["claims"]) == len(CLAIMS)
    assert not any(block["text"].startswith(("Advertisment", "Also read")) for block in first.content["blocks"])
    assert set(Capture.objects.values_list("outcome", flat=True)) == {"captured"}
    assert set(Capture.objects.values_list("media_type", flat=True)) == {"text/html", "application/pdf"}
    assert any(capture.redirects for capture in Capture.objects.all())
    standings = [item for found in evidence_by_claim(article.claims.all()).values() for item in found]
    assert all(item.secured for item in standings)
    assert {item.check.outcome for item in standings if item.check} == {"exact", "normalised"}


def test_everything_in_the_sample_newsroom_is_in_the_log_and_the_log_verifies(sources):
    seeding(sources).run()
    Sweeper().once()

    report = verifying.verify()
    assert (report.fault, report.pending) == (None, 0)
    assert report.size == Entry.objects.count()
    made = {
        "person.added": User,
        "article.imported": Article,
        "claim.marked": Claim,
        "evidence.added": Evidence,
        "capture.requested": CaptureRequest,
        "capture.sealed": Capture,
        "evidence.passage_checked": PassageCheck,
        "verdict.filed": Verdict,
        "verdict.signed_off": SignOff,
        "publication.published": Publication,
        "notice.given": Notice,
    }
    logged = Counter(Leaf.objects.values_list("entry__action", flat=True))
    assert {action: logged[action] for action in made} == {
        action: model.objects.count() for action, model in made.items()
    }


def test_what_is_off_the_record_is_in_no_publication_and_known_to_two_people(sources):
    article = seeding(sources).run()

    secret = Evidence.objects.get(off_record=True)
    whole = Publication.objects.whole().filter(article=article)
    assert not any(secret.quote in str(publication.content) for publication in whole)
    knowing = {user.username for user in User.objects.all() if Evidence.objects.visible_to(user).filter(pk=secret.pk)}
    assert knowing == {"chen", "erik"}


def test_a_second_run_changes_nothing(sources):
    article = seeding(sources).run()
    entries = Entry.objects.count()
    people = list(User.objects.values_list("username", "password"))

    assert seeding(sources).run() == article
    assert Entry.objects.count() == entries
    assert list(User.objects.values_list("username", "password")) == people


def test_a_run_that_was_interrupted_is_taken_up_again(sources, monkeypatch):
    def interrupted(self: Seeding, article: Article) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Seeding, "_wait_for_copies", interrupted)
        with pytest.raises(KeyboardInterrupt):
            seeding(sources).run()
    begun = sample_article()
    assert begun is not None
    assert begun.publications.count() == 0

    assert seeding(sources).run() == begun
    assert begun.publications.count() == 2
    assert begun.claims.count() == len(CLAIMS)


def test_a_database_in_use_is_left_alone(sources):
    editor = User.objects.create_user("real", role=Role.EDITOR, name="A real editor")
    import_article(b"A real article\n\nWith real words.", by=editor)

    with pytest.raises(SeedRefused, match="in use"):
        seeding(sources).run()

    assert User.objects.count() == 1


def test_a_source_that_cannot_be_archived_is_named(sources, monkeypatch):
    monkeypatch.setitem(Handler.pages, "/travel-advice", ("text/html", b""))

    with pytest.raises(SeedRefused, match="/travel-advice is not secured"):
        seeding(sources).run()


def test_the_same_words_again_mean_their_next_place():
    assert find_passages("one two one", ["one", "two", "one"]) == [(0, 3), (4, 7), (8, 11)]
    with pytest.raises(ValueError, match="not found"):
        find_passages("one two", ["one", "one"])
