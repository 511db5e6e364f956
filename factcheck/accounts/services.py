from django.db import transaction
from django.utils.translation import gettext as _

from factcheck.accounts.errors import RoleRefused
from factcheck.accounts.models import Role, User
from factcheck.accounts.permissions import Act, require
from factcheck.ledger.actions import Action
from factcheck.ledger.services import record


@transaction.atomic
def change_role(person: User, role: str, *, by: User | None) -> User:
    """Give the person another role. Raises RoleRefused, also when nobody would be left to give roles."""
    require(by, Act.MANAGE_PEOPLE)
    if role not in Role.values:
        raise RoleRefused(_("Choose one of the roles."))
    # All administrators are locked, so that two of them cannot take the role from each other at once.
    admins = set(User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).values_list("pk", flat=True))
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.role == role:
        raise RoleRefused(_("%(name)s has this role already.") % {"name": person})
    if role != Role.ADMIN and admins == {person.pk}:
        raise RoleRefused(_("%(name)s is the last administrator: make somebody else one first.") % {"name": person})
    before, person.role = person.role, role
    person.save(update_fields=["role"])
    record(
        Action.PERSON_ROLE_CHANGED,
        f"person/{person.actor_id}",
        {"from": before, "to": role},
        by=by.actor_id if by else None,
    )
    return person


@transaction.atomic
def record_new_person(person: User, *, by: User | None) -> None:
    """Write down that an account was opened, in the transaction that opens it."""
    require(by, Act.MANAGE_PEOPLE)
    record(Action.PERSON_ADDED, f"person/{person.actor_id}", {"role": person.role}, by=by.actor_id if by else None)
