"""Every address of the app, as every role and as a stranger, against one table.

An address without a row fails, so whoever adds one decides here who may come in. The table says it
without asking ``accounts.permissions``: that is what is being tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from factcheck.accounts.models import Role, User
from factcheck.archive import blobs
from factcheck.archive.models import Capture, CaptureRequest, Rendering
from factcheck.claims.models import Query
from factcheck.claims.services import ask_query
from factcheck.evidence.models import Evidence, Source, Visibility
from factcheck.evidence.services import Argument, archive_again, attach_page, set_visibility
from factcheck.jobs.models import Job
from factcheck.ledger.actions import Action
from factcheck.ledger.models import Entry
from factcheck.publications.services import publish
from factcheck.verdicts.services import decide_claim, sign_off
from tests import factories, web
from tests.desk.signed_in import HTMX, client_of
from tests.newsroom_web import do_due_work, site

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY: frozenset[Role] = frozenset()
ADMINS = frozenset({Role.ADMIN})
EDITORS = ADMINS | {Role.EDITOR}
CHECKERS = EDITORS | {Role.CHECKER}
ALL = CHECKERS | {Role.REPORTER}


@dataclass(frozen=True)
class Desk:
    """Strangers go to the sign-in page; who may see it, and who may post. NOBODY: there is no such method."""

    get: frozenset[Role]
    post: frozenset[Role] = NOBODY


@dataclass(frozen=True)
class Public:
    """For everybody, the stranger too; nothing is ever posted."""

    status: int = 200


TABLE: dict[str, Desk | Public] = {
    "desk:articles": Desk(get=ALL),
    "desk:article_new": Desk(get=ALL, post=ALL),
    "desk:article_from_page": Desk(get=ALL, post=ALL),
    "desk:article_from_copy": Desk(get=ALL, post=ALL),
    "desk:article_from_page_again": Desk(get=NOBODY, post=ALL),
    "desk:article": Desk(get=ALL),
    "desk:article_details": Desk(get=ALL, post=ALL),
    "desk:article_revise": Desk(get=ALL, post=ALL),
    "desk:article_history": Desk(get=ALL),
    "desk:article_compare": Desk(get=ALL),
    "desk:article_left": Desk(get=ALL),
    "desk:back_up": Desk(get=ALL),
    "desk:back_up_decide": Desk(get=NOBODY, post=ALL),
    "desk:own_page": Desk(get=ALL),
    "desk:own_page_look": Desk(get=NOBODY, post=ALL),
    "desk:own_page_take": Desk(get=NOBODY, post=ALL),
    "desk:own_page_aside": Desk(get=NOBODY, post=CHECKERS),
    "desk:own_page_back": Desk(get=NOBODY, post=CHECKERS),
    "desk:set_aside": Desk(get=NOBODY, post=ALL),
    "desk:claim_mark": Desk(get=NOBODY, post=ALL),
    "desk:publish": Desk(get=ALL, post=EDITORS),
    "desk:override": Desk(get=NOBODY, post=EDITORS),
    "desk:claim": Desk(get=ALL),
    "desk:claim_change": Desk(get=ALL, post=ALL),
    "desk:claim_place": Desk(get=ALL, post=ALL),
    "desk:claim_withdraw": Desk(get=CHECKERS, post=CHECKERS),
    "desk:evidence_new": Desk(get=ALL, post=ALL),
    "desk:decide": Desk(get=NOBODY, post=CHECKERS),
    "desk:sign_off": Desk(get=NOBODY, post=CHECKERS),
    "desk:query_new": Desk(get=ALL, post=ALL),
    "desk:query_answer": Desk(get=ALL, post=ALL),
    "desk:query_resolve": Desk(get=NOBODY, post=ALL),
    "desk:review_begin": Desk(get=NOBODY, post=CHECKERS),
    "desk:review_leave": Desk(get=NOBODY, post=CHECKERS),
    "desk:verdict_send_back": Desk(get=NOBODY, post=CHECKERS),
    "desk:evidence": Desk(get=ALL),
    "desk:evidence_card": Desk(get=ALL),
    "desk:evidence_quote": Desk(get=NOBODY, post=ALL),
    "desk:evidence_confirm": Desk(get=NOBODY, post=CHECKERS),
    "desk:evidence_withdraw": Desk(get=NOBODY, post=ALL),
    "desk:evidence_archive_again": Desk(get=NOBODY, post=ALL),
    "desk:evidence_despite_tls": Desk(get=NOBODY, post=EDITORS),
    "desk:evidence_in_browser": Desk(get=NOBODY, post=ALL),
    "desk:evidence_own_copy": Desk(get=ALL, post=ALL),
    "desk:source_visibility": Desk(get=EDITORS, post=EDITORS),
    "desk:queue": Desk(get=ALL, post=ALL),
    "desk:captures": Desk(get=ALL, post=ALL),
    "desk:capture_cancel": Desk(get=ALL, post=ALL),
    "desk:capture": Desk(get=ALL),
    "desk:capture_warc": Desk(get=ALL),
    "desk:capture_wacz": Desk(get=ALL),
    "desk:capture_replay": Desk(get=ALL),
    "desk:capture_page_image": Desk(get=ALL),
    "desk:capture_shown": Desk(get=ALL),
    "desk:capture_witness": Desk(get=NOBODY, post=EDITORS),
    "desk:ratings": Desk(get=ALL),
    "desk:rating_new": Desk(get=EDITORS, post=EDITORS),
    "desk:rating": Desk(get=EDITORS, post=EDITORS),
    "desk:people": Desk(get=ADMINS, post=ADMINS),
    "public:index": Public(),
    "public:article": Public(),
    "public:article_version": Public(),
    "public:claim": Public(),
    "public:capture": Public(),
    "public:capture_text": Public(),
    "public:capture_warc": Public(),
    "public:capture_wacz": Public(),
    "public:timegate": Public(status=302),
    "public:timemap": Public(),
    "public:corrections": Public(),
    "public:methodology": Public(),
    "public:ratings": Public(),
    "public:about": Public(),
    "public:robots": Public(),
    "public:healthz": Public(),
    "public:readyz": Public(),
}
# Django's own, tested apart below.
ACCOUNTS = {"accounts:login", "accounts:logout"}
ADMIN_PAGES = {"index", "app_list", "password_change", "password_change_done", "jsi18n"}
ADMIN_DOORS = {"login", "logout", "autocomplete"}
ADMIN_MODELS = {
    "accounts_user",
    "archive_capture",
    "archive_capturerequest",
    "articles_article",
    "articles_revision",
    "claims_anchor",
    "claims_claim",
    "evidence_evidence",
    "evidence_passagecheck",
    "evidence_source",
    "jobs_job",
    "ledger_entry",
    "ledger_leaf",
    "publications_notice",
    "publications_override",
    "publications_publication",
    "verdicts_rating",
    "verdicts_signoff",
    "verdicts_verdict",
}


def all_patterns(resolver=None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            # The admin's own catch-alls, which answer what has no name, have none either.
            if pattern.name or not namespace.startswith("admin:"):
                yield f"{namespace}{pattern.name}", pattern
        else:
            yield from all_patterns(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)


@dataclass(frozen=True)
class World:
    """One published article with everything that an address can be about."""

    evidence: Evidence
    query: Query

    def address(self, name: str) -> str:
        claim, request = self.evidence.claim, self.evidence.capture_request
        kwargs = {
            "slug": "accurate" if name == "desk:rating" else claim.article.slug,
            "claim_id": claim.public_id,
            "evidence_id": self.evidence.public_id,
            "query_id": self.query.public_id,
            "source_id": self.evidence.source.public_id,
            "capture_id": request.public_id,
            "kind": "page",
            "number": 1,
            "form": "link",
            "url": request.canonical_url,
        }
        needed = dict(all_patterns())[name].pattern.converters
        return reverse(name, kwargs={key: kwargs[key] for key in needed})


WORDS = "Repairs will cost 40 million euros"


def published_world() -> World:
    claim = factories.claim()
    with site({"/budget": web.page(f"<title>Budget</title><p>{WORDS}.</p>")}) as served:
        evidence = attach_page(
            claim,
            url=served.url("/budget"),
            argument=Argument(stance="for", quote=WORDS, confirms_so=True),
            by=factories.reporter(),
        )
        do_due_work()
    picture = blobs.store(b"\x89PNG")
    Rendering.objects.create(
        capture=Capture.objects.get(), kind="page", media_type="image/png", sha256=picture.sha256, bytes=picture.size
    )
    set_visibility(evidence.source, Visibility.PUBLIC, reason="It is public anyway.", by=factories.editor())
    verdict = decide_claim(
        claim, rating=factories.rating(), reason="The budget says so.", version=None, by=factories.checker()
    )
    sign_off(verdict, version=None, by=factories.editor())
    publish(claim.article, by=factories.editor())
    query = ask_query(claim, question="Which budget?", of=None, by=factories.reporter())
    return World(Evidence.objects.get(), query)


def person_of(role: Role) -> User:
    makers = {
        Role.REPORTER: factories.reporter,
        Role.CHECKER: factories.second_checker,
        Role.EDITOR: factories.editor,
        Role.ADMIN: factories.admin,
    }
    return makers[role]()


def test_every_address_has_its_row():
    names = {name for name, _pattern in all_patterns()}
    admin_names = {name.removeprefix("admin:") for name in names if name.startswith("admin:")}
    of_models = {
        f"{model}_{page}" for model in ADMIN_MODELS for page in ("changelist", "add", "history", "delete", "change")
    }

    assert {name for name in names if not name.startswith("admin:")} == set(TABLE) | ACCOUNTS
    assert admin_names == ADMIN_PAGES | ADMIN_DOORS | of_models | {"auth_user_password_change", "view_on_site"}


def test_a_stranger_reads_what_is_public_and_signs_in_for_the_rest():
    world = published_world()
    wrong = []
    for name, row in TABLE.items():
        address = world.address(name)
        got, posted = Client().get(address), Client().post(address)
        if isinstance(row, Public):
            if got.status_code != row.status or posted.status_code != 405 or got.cookies:
                wrong.append((name, got.status_code, posted.status_code, dict(got.cookies)))
        else:
            door = f"{reverse('accounts:login')}?next={address}"
            if [got.status_code, posted.status_code] != [302, 302] or got["Location"] != door:
                wrong.append((name, got.status_code, posted.status_code, got.get("Location")))

    assert wrong == []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_what_the_table_says(role):
    world = published_world()
    client = client_of(person_of(role))
    wrong = []
    for name, row in TABLE.items():
        address = world.address(name)
        if isinstance(row, Public):
            wrong += [(name, "GET")] if client.get(address).status_code != row.status else []
            continue
        got = client.get(address)
        got.close()
        expected = {200, 302} if role in row.get else {405} if role in row.post else {403}
        if got.status_code not in expected or (got.status_code == 302 and "/accounts/login" in got["Location"]):
            wrong.append((name, "GET", got.status_code, expected))
        if "no-store" not in got.get("Cache-Control", "") and got.status_code == 200:
            wrong.append((name, "may be kept by a cache"))

    assert wrong == []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_posts_where_the_table_says(role):
    world = published_world()
    client = client_of(person_of(role))
    wrong = []
    for name, row in TABLE.items():
        posted = client.post(world.address(name))
        if isinstance(row, Public) or not row.post:
            expected = {405} if isinstance(row, Public) or role in row.get else {403}
        elif role in row.post:
            # An empty form is refused as a form, or the act needs no field.
            expected = {200, 302, 422}
        else:
            expected = {403}
        if posted.status_code not in expected:
            wrong.append((name, posted.status_code, expected))

    assert wrong == []


def test_a_role_that_may_not_post_changes_nothing():
    world = published_world()
    before = Entry.objects.count()
    for role in Role:
        for name, row in TABLE.items():
            if isinstance(row, Desk) and role not in row.post:
                client_of(person_of(role)).post(world.address(name), {"reason": "Because.", "version": 1})

    assert Entry.objects.count() == before


def test_a_part_of_a_page_is_no_place_for_the_sign_in_page():
    article = factories.article()
    page = reverse("desk:article", args=[article.slug])
    headers = HTMX | {"HX-Current-URL": f"http://testserver{page}"}

    answer = Client().post(reverse("desk:claim_mark", args=[article.slug]), headers=headers)

    assert answer.status_code == 200
    assert answer["HX-Redirect"] == f"{reverse('accounts:login')}?next={page}"


def test_whoever_is_not_active_is_a_stranger():
    person = factories.editor()
    client = client_of(person)
    User.objects.filter(pk=person.pk).update(is_active=False)

    assert client.get(reverse("desk:articles")).status_code == 302


# --- signing in and out --------------------------------------------------------------------------


def test_signing_in_leads_to_where_one_wanted_to_go():
    factories.reporter()
    wanted = reverse("desk:article_new")

    answer = Client().post(
        reverse("accounts:login"), {"username": "rosa", "password": "a long password", "next": wanted}
    )

    assert answer["Location"] == wanted


def test_signing_in_never_leads_to_another_site():
    factories.reporter()

    answer = Client().post(
        reverse("accounts:login"),
        {"username": "rosa", "password": "a long password", "next": "https://evil.example/desk/"},
    )

    assert answer["Location"] == reverse("desk:articles")


def test_a_wrong_password_is_refused_with_a_sentence_and_the_name_stays():
    factories.reporter()

    page = Client().post(reverse("accounts:login"), {"username": "rosa", "password": "wrong"}).content.decode()

    assert "Name and password do not fit" in page
    assert 'value="rosa"' in page


def test_signing_out_takes_a_post():
    client = client_of(factories.reporter())

    assert client.get(reverse("accounts:logout")).status_code == 405
    assert client.get(reverse("desk:articles")).status_code == 200
    client.post(reverse("accounts:logout"))
    assert client.get(reverse("desk:articles")).status_code == 302


def test_a_form_of_another_site_signs_nobody_out():
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.reporter())

    assert client.post(reverse("accounts:logout")).status_code == 403
    assert client.get(reverse("desk:articles")).status_code == 200


def test_only_an_administrator_is_offered_the_people():
    for role in Role:
        page = client_of(person_of(role)).get(reverse("desk:articles")).content.decode()
        assert (f'href="{reverse("desk:people")}"' in page) == (role == Role.ADMIN)


# --- the admin site ------------------------------------------------------------------------------


def admin_addresses() -> list[str]:
    found = [
        reverse(f"admin:{name}", kwargs={"app_label": "ledger"} if name == "app_list" else {}) for name in ADMIN_PAGES
    ]
    for model in ADMIN_MODELS:
        found += [reverse(f"admin:{model}_changelist"), reverse(f"admin:{model}_add")]
        found += [reverse(f"admin:{model}_{page}", args=["1"]) for page in ("change", "delete", "history")]
    return found


def test_nobody_but_an_administrator_comes_into_the_admin_site():
    published_world()
    wrong = []
    for address in admin_addresses():
        answer = Client().get(address)
        if answer.status_code != 302 or "login" not in answer["Location"]:
            wrong.append(("stranger", address, answer.status_code))
    for role in ALL - ADMINS:
        client = client_of(person_of(role))
        for address in admin_addresses():
            answer = client.get(address, follow=True)
            if answer.status_code != 403:
                wrong.append((role, address, answer.status_code))

    assert wrong == []


def test_django_s_own_flags_open_no_door():
    person = factories.reporter()
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)

    assert client_of(person).get(reverse("admin:index"), follow=True).status_code == 403


def test_the_admin_site_signs_in_by_the_one_sign_in_page():
    answer = Client().get(reverse("admin:index"), follow=True)

    assert answer.redirect_chain[-1][0].startswith(reverse("accounts:login"))


def test_an_administrator_looks_at_the_domain_and_changes_nothing_of_it():
    published_world()
    client = client_of(factories.admin())
    wrong = []
    for model in ADMIN_MODELS - {"accounts_user"}:
        if client.get(reverse(f"admin:{model}_changelist")).status_code != 200:
            wrong.append((model, "changelist"))
        for page, args in (("add", []), ("delete", ["1"])):
            if client.post(reverse(f"admin:{model}_{page}", args=args)).status_code not in (403, 302):
                wrong.append((model, page))
        for registered, model_admin in admin.site._registry.items():
            if registered._meta.label_lower.replace(".", "_") == model:
                row = registered.objects.first()
                request = client.get(reverse("admin:index")).wsgi_request
                allowed = [
                    model_admin.has_add_permission(request),
                    model_admin.has_change_permission(request, row),
                    model_admin.has_delete_permission(request, row),
                ]
                if any(allowed):
                    wrong.append((model, allowed))
                if row is not None:
                    address = reverse(f"admin:{model}_change", args=[row.pk])
                    if client.get(address).status_code != 200 or client.post(address).status_code != 403:
                        wrong.append((model, "change"))

    assert wrong == []


def test_the_admin_site_keeps_off_record_evidence_from_administrators():
    with site({"/secret-budget": web.page("<p>Not published yet.</p>")}) as served:
        evidence = attach_page(
            factories.claim(),
            url=served.url("/secret-budget"),
            argument=Argument(stance="for", quote=WORDS, off_record=True),
            by=factories.reporter(),
        )
        do_due_work()
        served.pages["/secret-budget"] = web.page(f"<p>{WORDS}.</p>")
        archive_again(evidence, by=factories.reporter())
        do_due_work()
    factories.interview(evidence.claim, off_record=True)
    rows = [*Evidence.objects.all(), *Source.objects.all(), *CaptureRequest.objects.all()]
    assert len(rows) == 6
    assert Capture.objects.count() == 2
    client = client_of(factories.admin())

    for model in sorted(ADMIN_MODELS):
        page = client.get(reverse(f"admin:{model}_changelist")).content.decode()
        assert "secret-budget" not in page, model
        assert "Lindqvist" not in page, model
        for row in rows:
            assert row.public_id not in page, model
    for row in rows:
        name = f"admin:{row._meta.label_lower.replace('.', '_')}_change"
        assert client.get(reverse(name, args=[row.pk])).status_code == 302


def test_the_admin_site_shows_evidence_on_the_record():
    world = published_world()
    client = client_of(factories.admin())

    for model in ("evidence_evidence", "evidence_source", "archive_capturerequest", "ledger_entry"):
        page = client.get(reverse(f"admin:{model}_changelist")).content.decode()
        assert world.evidence.public_id in page or world.evidence.source.public_id in page or "/budget" in page, model
    assert Job.objects.exists()
    assert "capture-request/" in client.get(reverse("admin:jobs_job_changelist")).content.decode()


def test_an_account_is_opened_in_the_admin_site_and_recorded():
    client = client_of(factories.admin())

    client.post(
        reverse("admin:accounts_user_add"),
        {
            "username": "nina",
            "name": "Nina Novak",
            "password1": "quite a long password",
            "password2": "quite a long password",
            "usable_password": "true",
        },
    )

    nina = User.objects.get(username="nina")
    assert nina.role == Role.REPORTER
    entry = Entry.objects.get(action=Action.PERSON_ADDED, subject=f"person/{nina.actor_id}")
    assert entry.actor == factories.admin().actor_id


def test_a_role_cannot_be_given_in_the_admin_site_where_nothing_records_it():
    client = client_of(factories.admin())
    person = factories.reporter()

    answer = client.post(
        reverse("admin:accounts_user_change", args=[person.pk]),
        {"username": "rosa", "name": "Rosa D.", "is_active": "on", "role": "admin", "is_superuser": "on"},
    )

    person.refresh_from_db()
    assert answer.status_code == 302
    assert (person.name, person.role, person.is_superuser) == ("Rosa D.", Role.REPORTER, False)


def test_the_last_administrator_s_account_cannot_be_closed():
    client = client_of(factories.admin())

    answer = client.post(
        reverse("admin:accounts_user_change", args=[factories.admin().pk]), {"username": "ada", "name": "Ada"}
    )

    assert answer.status_code == 200
    assert "last administrator" in answer.content.decode()
    assert factories.admin().is_active


def test_another_account_can_be_closed():
    client = client_of(factories.admin())
    person = factories.reporter()

    client.post(reverse("admin:accounts_user_change", args=[person.pk]), {"username": "rosa", "name": "Rosa"})

    person.refresh_from_db()
    assert not person.is_active


def test_the_sign_in_page_is_where_the_settings_say():
    assert reverse(settings.LOGIN_URL) == "/accounts/login/"
