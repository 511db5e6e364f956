"""Who may do what: one table, asked by every service and shown by every page."""

from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factcheck.accounts.models import Role, User
from factcheck.lib.errors import FactcheckError


class NotPermitted(FactcheckError):
    """The person's role does not allow the act."""


class Act(StrEnum):
    SEE_DESK = "see_desk"
    WRITE_ARTICLE = "write_article"
    MARK_CLAIM = "mark_claim"
    ADD_EVIDENCE = "add_evidence"
    WITHDRAW_CLAIM = "withdraw_claim"
    DECIDE = "decide"
    CONFIRM_PASSAGE = "confirm_passage"
    SIGN_OFF = "sign_off"
    ASSIGN = "assign"
    END_REVIEW = "end_review"
    END_QUERY = "end_query"
    SET_OWN_PAGE_ASIDE = "set_own_page_aside"
    SET_VISIBILITY = "set_visibility"
    ASK_WITNESS = "ask_witness"
    CAPTURE_DESPITE_TLS = "capture_despite_tls"
    CANCEL_CAPTURE = "cancel_capture"
    OVERRIDE = "override"
    PUBLISH = "publish"
    EDIT_RATINGS = "edit_ratings"
    MANAGE_PEOPLE = "manage_people"

    @property
    def label(self) -> str:
        """What the person may do, as the end of a sentence."""
        return str(_LABELS[self])


_LABELS = {
    Act.SEE_DESK: gettext_lazy("see the desk"),
    Act.WRITE_ARTICLE: gettext_lazy("hand in and revise articles"),
    Act.MARK_CLAIM: gettext_lazy("mark and place claims"),
    Act.ADD_EVIDENCE: gettext_lazy("attach evidence"),
    Act.WITHDRAW_CLAIM: gettext_lazy("withdraw claims"),
    Act.DECIDE: gettext_lazy("file verdicts"),
    Act.CONFIRM_PASSAGE: gettext_lazy("confirm a passage that the machine could not"),
    Act.SIGN_OFF: gettext_lazy("review verdicts and sign them off"),
    Act.ASSIGN: gettext_lazy("give claims to others or take theirs away"),
    Act.END_REVIEW: gettext_lazy("end somebody else’s review"),
    Act.END_QUERY: gettext_lazy("resolve somebody else’s query"),
    Act.SET_OWN_PAGE_ASIDE: gettext_lazy("set aside what differs on our own page"),
    Act.SET_VISIBILITY: gettext_lazy("decide what readers see of a source"),
    Act.CAPTURE_DESPITE_TLS: gettext_lazy("archive a page whose certificate is not valid"),
    Act.ASK_WITNESS: gettext_lazy("tell an outside archive of a page"),
    Act.CANCEL_CAPTURE: gettext_lazy("cancel a capture that somebody else ordered"),
    Act.OVERRIDE: gettext_lazy("pass a blocker with a written reason"),
    Act.PUBLISH: gettext_lazy("publish articles"),
    Act.EDIT_RATINGS: gettext_lazy("edit the rating scale"),
    Act.MANAGE_PEOPLE: gettext_lazy("give and take roles"),
}

_REPORTER = frozenset({Act.SEE_DESK, Act.WRITE_ARTICLE, Act.MARK_CLAIM, Act.ADD_EVIDENCE})
_CHECKER = _REPORTER | {
    Act.WITHDRAW_CLAIM,
    Act.DECIDE,
    Act.CONFIRM_PASSAGE,
    Act.SIGN_OFF,
    Act.SET_OWN_PAGE_ASIDE,
}
_EDITOR = _CHECKER | {
    Act.ASSIGN,
    Act.END_REVIEW,
    Act.END_QUERY,
    Act.SET_VISIBILITY,
    Act.ASK_WITNESS,
    Act.CAPTURE_DESPITE_TLS,
    Act.CANCEL_CAPTURE,
    Act.OVERRIDE,
    Act.PUBLISH,
    Act.EDIT_RATINGS,
}

PERMISSIONS: dict[Role, frozenset[Act]] = {
    Role.REPORTER: _REPORTER,
    Role.CHECKER: _CHECKER,
    Role.EDITOR: _EDITOR,
    Role.ADMIN: _EDITOR | {Act.MANAGE_PEOPLE},
}


def may(person: User, act: Act) -> bool:
    """Whether the person's role allows the act; nobody who is not active may do anything."""
    return person.is_active and act in PERMISSIONS[Role(person.role)]


def require(person: User | None, act: Act) -> None:
    """Raise NotPermitted unless the person may do the act.

    None is a command or a job of this machine: whoever can start one has the database anyway.
    """
    if person is not None and not may(person, act):
        raise NotPermitted(
            _("Your role (%(role)s) does not let you %(act)s.") % {"role": Role(person.role).label, "act": act.label}
        )
