import logging

from celery import current_app

logger = logging.getLogger(__name__)

WORK_TASK = "factcheck.jobs.tasks.work"
# After that the sweeper has said it again.
EXPIRES_SECONDS = 60


def wake() -> None:
    """Tell a worker to look in the table. Never raises: what a message cannot say, the sweeper finds."""
    try:
        # By its name, because the task's module imports the code that calls this.
        current_app.send_task(WORK_TASK, expires=EXPIRES_SECONDS, retry=False, ignore_result=True)
    except Exception:
        logger.exception("No worker could be told of due work; the sweeper will find it.")
