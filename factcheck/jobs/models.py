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

    def startable(self, now: datetime) -> Self:
        """What is due and has no busy place to wait for. For finding a row; who takes it asks the place again."""
        return self.due(now).exclude(place__in=Place.objects.busy_names(now))

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
    # Whose turn it is that this takes, as "user/7"; "" is the newsroom's own work.
    owner = models.CharField(max_length=60, blank=True, default="")
    # One of many that somebody ordered at once: it waits for everything that people wait for.
    bulk = models.BooleanField(default=False)
    # What only one job at a time may work at, as a site's name; "" is nowhere in particular.
    place = models.CharField(max_length=255, blank=True, default="")
    # How often its worker fell silent or was too slow.
    taken_back = models.PositiveSmallIntegerField(default=0)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["owner", "kind", "bulk", "due_at", "id"],
                condition=Q(state="queued"),
                name="job_queued_by_owner",
            ),
            models.Index(fields=["due_at", "id"], condition=Q(state="queued"), name="job_due"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="job_ended"),
            models.Index(fields=["taken_back_at"], condition=Q(taken_back_at__isnull=False), name="job_taken_back"),
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


class Owner(models.Model):
    """Who has work waiting or had it, and when a worker last began some of it. One short row for each person."""

    name = models.CharField(max_length=60, primary_key=True)
    served_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class PlaceQuerySet(models.QuerySet["Place"]):
    def busy_names(self, now: datetime) -> list[str]:
        """At most one for each running job, and those that ended one moments ago."""
        return list(self.filter(Q(job__isnull=False) | Q(free_at__gt=now)).values_list("name", flat=True))

    def take(self, name: str, job_id: int, now: datetime) -> bool:
        """Have the place for this job, if it is free: a conditional UPDATE, in the transaction of the lease."""
        self.bulk_create([Place(name=name, free_at=now)], ignore_conflicts=True)
        return bool(self.filter(name=name, job__isnull=True, free_at__lte=now).update(job=job_id))

    def leave(self, job_id: int, free_at: datetime) -> None:
        self.filter(job=job_id).update(job=None, free_at=free_at)

    def of_ended(self) -> Self:
        """Places of jobs that were cancelled while a worker was at them: it goes on until its next touch."""
        return self.filter(job__ended_at__isnull=False)


class Place(models.Model):
    """Where one job at a time may work, with a pause after each: the row is the lock. A job may have several."""

    name = models.CharField(max_length=255, primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    free_at = models.DateTimeField(db_index=True)

    objects: ClassVar = PlaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
