"""Whose turn it is, and where one works at a time."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from factcheck.jobs.leases import lease_due_job, lease_job
from factcheck.jobs.models import Job, Place
from factcheck.jobs.running import run
from factcheck.jobs.services import cancel, enqueue
from factcheck.jobs.sweeping import sweep, tidy_rows
from tests.jobs.test_leases import at_once, expire


def order(subject: str, **more) -> Job:
    return enqueue("test.do", subject, **more)


def served(count: int) -> list[str]:
    """Subjects in the order in which one worker does them."""
    subjects = []
    for _each in range(count):
        lease = lease_due_job()
        subjects.append(lease.subject)
        with lease.finish():
            pass
    return subjects


@pytest.mark.django_db
def test_one_persons_many_jobs_do_not_hold_up_anothers_one():
    for number in range(5):
        order(f"many/{number}", owner="user/1", due_at=timezone.now() - timedelta(hours=1))
    order("one", owner="user/2")

    assert served(6) == ["many/0", "one", "many/1", "many/2", "many/3", "many/4"]


@pytest.mark.django_db
def test_owners_take_turns():
    for owner in ("user/1", "user/2", "user/3"):
        for number in range(2):
            order(f"{owner}-{number}", owner=owner)

    first, second = served(3), served(3)

    assert sorted(first) == ["user/1-0", "user/2-0", "user/3-0"]
    assert [subject[:-1] for subject in second] == [subject[:-1] for subject in first]


@pytest.mark.django_db
def test_who_has_the_fewest_at_work_goes_first():
    for number in range(3):
        order(f"many/{number}", owner="user/1")
    lease_due_job()
    order("last", owner="user/2")
    with lease_due_job().finish():
        pass
    order("again", owner="user/2")

    assert lease_due_job().subject == "again"


@pytest.mark.django_db
def test_bulk_waits_for_what_people_wait_for():
    order("bulk", owner="user/1", bulk=True, due_at=timezone.now() - timedelta(hours=1))
    order("single", owner="user/2")
    order("another", owner="user/2")

    assert served(3) == ["single", "another", "bulk"]


@pytest.mark.django_db
def test_what_follows_a_job_is_of_its_owner_and_as_bulky():
    first = order("first", owner="user/1", bulk=True)

    second = order("second", after=first)

    assert (second.owner, second.bulk) == ("user/1", True)


@pytest.mark.django_db
def test_a_busy_place_keeps_nobody_waiting_who_goes_elsewhere():
    for number in range(10):
        order(f"here/{number}", place="paper.example")
    order("there", place="other.example")

    assert [lease_due_job().subject, lease_due_job().subject] == ["here/0", "there"]
    assert lease_due_job() is None
    # Nor is anybody woken for it.
    assert sweep().due == ()


@pytest.mark.django_db
def test_a_place_is_free_again_only_after_the_pause(settings):
    settings.CAPTURE_HOST_SPACING_SECONDS = 2
    order("first", place="paper.example")
    second = order("second", place="paper.example")
    served(1)

    assert lease_due_job() is None
    assert sweep().due == ()
    free_at = Place.objects.get().free_at - Job.objects.get(subject="first").ended_at
    assert timedelta(seconds=2) <= free_at < timedelta(seconds=3)

    Place.objects.update(free_at=timezone.now())
    assert sweep().due == (second.pk,)
    assert lease_due_job().subject == "second"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "end",
    [
        lambda job, lease: lease.finish().__enter__() or lease._end("done", reason=""),
        lambda job, lease: lease.retry(timezone.now() + timedelta(hours=1), "The site did not answer."),
        lambda job, lease: lease.put_off(timezone.now(), "In use."),
        lambda job, lease: lease.fail("The page is gone."),
        lambda job, lease: (cancel(job.pk, "Cancelled."), run(lease)),
        lambda job, lease: (expire(job), sweep()),
    ],
    ids=["done", "retry", "put off", "fail", "cancel", "taken back"],
)
def test_every_end_of_an_attempt_frees_its_place(end):
    job = order("first", place="paper.example")

    end(job, lease_due_job())

    assert not Place.objects.filter(job__isnull=False).exists()


@pytest.mark.django_db
def test_a_cancelled_job_keeps_its_place_until_its_worker_has_stopped():
    job = order("first", place="paper.example")
    order("second", place="paper.example")
    lease = lease_due_job()
    cancel(job.pk, "Cancelled.")
    sweep()

    assert lease_due_job() is None
    run(lease)
    assert lease_due_job().subject == "second"


@pytest.mark.django_db
def test_the_place_of_a_cancelled_job_whose_worker_has_died_is_free_after_its_deadline():
    job = order("first", place="paper.example")
    order("second", place="paper.example")
    lease_due_job()
    cancel(job.pk, "Cancelled.")
    Job.objects.filter(pk=job.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))

    assert len(sweep().due) == 1
    assert lease_due_job().subject == "second"


@pytest.mark.django_db
def test_who_lost_a_job_does_not_free_the_place_of_who_has_it_now():
    job = order("first", place="paper.example")
    lost = lease_due_job()
    expire(job)
    sweep()
    assert lease_due_job()

    with pytest.raises(Exception, match="taken over"):
        lost.fail("Too late.")

    assert Place.objects.get().job == job


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_want_different_jobs_at_one_place_exactly_one_begins():
    jobs = [order(f"job/{number}", place="paper.example") for number in range(4)]
    waiting = [job.pk for job in jobs]

    leases = at_once(4, lambda: lease_job(waiting.pop()))

    assert len([lease for lease in leases if lease]) == 1
    assert Job.objects.filter(state="running").count() == 1
    # The same race at four places, to know that it is one.
    elsewhere = [order(f"else/{number}", place=f"{number}.example").pk for number in range(4)]
    assert all(at_once(4, lambda: lease_job(elsewhere.pop())))


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_what_waits():
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            lease_due_job().retry(timezone.now(), "Again.")
        return len(asked)

    for number in range(3):
        order(f"job/{number}", owner=f"user/{number}", place=f"{number}.example")
    few = queries()
    for number in range(3, 60):
        order(f"job/{number}", owner=f"user/{number % 5}", place=f"{number}.example")

    assert queries() == few


@pytest.mark.django_db
def test_jobs_that_ended_long_ago_are_deleted_and_what_others_wait_for_is_not(settings):
    settings.JOB_KEEP_DAYS = 30
    old, waited_for, open_one = order("old"), order("waited for"), order("open")
    order("follower", after=waited_for)
    Job.objects.filter(pk__in=[old.pk, waited_for.pk]).update(
        state="done", ended_at=timezone.now() - timedelta(days=31)
    )
    Job.objects.filter(pk=open_one.pk).update(due_at=timezone.now() - timedelta(days=31))

    assert tidy_rows() == 1
    assert sorted(Job.objects.values_list("subject", flat=True)) == ["follower", "open", "waited for"]


@pytest.mark.django_db
def test_a_job_that_ended_within_the_time_is_kept():
    job = order("young")
    Job.objects.filter(pk=job.pk).update(state="done", ended_at=timezone.now() - timedelta(days=29))

    assert tidy_rows() == 0


def state_of_a_queue(chance: random.Random) -> None:
    now = timezone.now()
    places = ["", "paper.example", "daily.example", "resting.example"]
    Place.objects.create(name="resting.example", free_at=now + timedelta(minutes=1))
    jobs: list[Job] = []
    for number in range(6):
        jobs.append(
            order(
                f"job/{number}",
                owner=f"user/{chance.randrange(3)}",
                bulk=chance.random() < 0.2,
                place=chance.choice(places),
                after=chance.choice([None, None, *jobs]),
                due_at=now + timedelta(seconds=chance.choice([-60, -1, 60])),
            )
        )
    for job in chance.sample(jobs, 2):
        state = chance.choice(["running", "done", "failed"])
        Job.objects.filter(pk=job.pk).update(state=state, lease_until=now, deadline_at=now)
        if state == "running" and job.place:
            Place.objects.update_or_create(name=job.place, defaults={"job": job, "free_at": now})


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(20))
def test_whoever_asks_for_work_gets_what_may_begin_and_nothing_only_if_nothing_may(seed):
    state_of_a_queue(random.Random(seed))
    may_begin = {job.pk: job for job in Job.objects.startable(timezone.now())}

    lease = lease_due_job()

    assert (lease is None) == (not may_begin)
    if lease is not None:
        assert lease.job_id in may_begin
        assert may_begin[lease.job_id].bulk == all(job.bulk for job in may_begin.values())
