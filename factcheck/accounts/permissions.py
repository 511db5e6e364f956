"""Who may do what: one table, asked by every service and shown by every page."""

from enum import StrEnum

from django.utils.translation import gettext as _

from factcheck.accounts.models import Role, User
from factcheck.lib.errors import FactcheckError


class NotPermitted(FactcheckError):
    """The person's role does not allow the act."""


class Act(StrEnum):
    SEE_DESK = "see the desk"
    WRITE_ARTICLE = "hand in and revise articles"
    MARK_CLAIM = "mark and place claims"
    ADD_EVIDENCE = "attach evidence"
    WITHDRAW_CLAIM = "withdraw claims"
    DECIDE = "file verdicts"
    CONFIRM_PASSAGE = "confirm a passage that the machine could not"
    SIGN_OFF = "sign off verdicts"
    SET_VISIBILITY = "decide what readers see of a source"
    OVERRIDE = "pass a blocker with a written reason"
    PUBLISH = "publish articles"
    EDIT_RATINGS = "edit the rating scale"
    MANAGE_PEOPLE = "give and take roles"


_REPORTER = frozenset({Act.SEE_DESK, Act.WRITE_ARTICLE, Act.MARK_CLAIM, Act.ADD_EVIDENCE})
_CHECKER = _REPORTER | {Act.WITHDRAW_CLAIM, Act.DECIDE, Act.CONFIRM_PASSAGE, Act.SIGN_OFF}
_EDITOR = _CHECKER | {Act.SET_VISIBILITY, Act.OVERRIDE, Act.PUBLISH, Act.EDIT_RATINGS}

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
            _("Your role (%(role)s) does not let you %(act)s.") % {"role": Role(person.role).label, "act": act.value}
        )
