from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from factcheck.lib.ids import new_id


class Role(models.TextChoices):
    REPORTER = "reporter", _("Reporter")
    CHECKER = "checker", _("Checker")
    EDITOR = "editor", _("Editor")
    ADMIN = "admin", _("Administrator")


class User(AbstractUser):
    """A person of the newsroom. What a role may do stands in ``permissions``."""

    role = models.CharField(max_length=10, choices=Role, default=Role.REPORTER)
    name = models.CharField(max_length=100, help_text=_("As readers see it."))
    # The ledger knows people by this random id only, so that a name can be erased without it.
    actor_id = models.CharField(max_length=8, unique=True, default=new_id, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.username
