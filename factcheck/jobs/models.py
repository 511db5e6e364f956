from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _


class JobQuerySet(models.QuerySet["Job"]):
    def due(self, now: datetime) -> Self:
        """What may begin now.

        No join, on purpose: an UPDATE over a join becomes ``id IN (subquery)``, and PostgreSQL does
        not ask the subquery again after waiting for another worker's UPDATE. Both would get the row.
        """
        unfinished = Job.objects.filter(pk=OuterRef("after_id"), state__in=Job.UNFINISHED)
        return self.filter(~Exists(unfinished), state=Job.State.QUEUED, due_at__lte=now)

    def expired(self, now: datetime) -> Self:
        """Work whose worker fell silent, or that takes longer than allowed."""
        return self.filter(Q(lease_until__lt=now) | Q(deadline_at__lt=now), state=Job.State.RUNNING)

    def held(self, job_id: int, fence: int) -> Self:
        return self.filter(pk=job_id, fence=fence, state=Job.State.RUNNING)


class Job(models.Model):
    """A piece of background work. This row is the queue; a message only says "look in the table"."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    UNFINISHED: ClassVar = (State.QUEUED, State.RUNNING)

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    stage = models.CharField(max_length=40, blank=True, default="")
    due_at = models.DateTimeField()
    # Begins, not ends: a worker that was killed has had its attempt.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    # Goes up whenever the job changes hands, so that who had it before can close nothing.
    fence = models.PositiveIntegerField(default=0)
    # Why it is not done: a sentence for the desk. Empty when all is well.
    reason = models.TextField(blank=True, default="")
    after = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="followers")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "due_at", "id"], condition=Q(state="queued"), name="job_queued"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="job_running"),
            models.Index(fields=["subject", "kind"], name="job_subject"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["queued", "running", "done", "failed"]), name="job_state"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_until__isnull=False, deadline_at__isnull=False),
                name="job_running_has_lease_and_deadline",
            ),
        ]
