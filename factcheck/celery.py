"""The Celery application: it only wakes; the rows of ``jobs`` are the queue."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from factcheck.lib.allocator import share_memory_among_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factcheck.settings")

app = Celery("factcheck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _before_its_threads(**_said: Any) -> None:
    share_memory_among_threads()
