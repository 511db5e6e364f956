from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from factcheck.jobs.running import run_due_jobs, stopping


@shared_task(ignore_result=True)
def work() -> None:
    """Take due jobs until none is left; running it twice does no harm."""
    run_due_jobs()


@worker_shutting_down.connect
def stop_after_the_job_in_hand(**kwargs: Any) -> None:
    stopping.set()
