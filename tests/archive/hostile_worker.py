"""A worker process of its own that takes hostile pages one after the other, and what it cost."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings as project

from tests import web

SECONDS = 3
WORKER_MAX_BYTES, CHILD_MAX_BYTES = 300_000_000, 1_000_000_000

_WORKER = """
import json, os, resource, sys, threading, time
os.environ["DJANGO_SETTINGS_MODULE"] = "factcheck.settings"
import django; django.setup()
from django.core.management import call_command
from factcheck.archive import nursery
from factcheck.archive.models import Capture
from factcheck.archive.services import request_capture
from factcheck.jobs.running import run_due_jobs
call_command("migrate", verbosity=0)
requests = [request_capture(url, by=None, patient=False) for url in sys.argv[1:]]
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
from factcheck.lib.allocator import share_memory_among_threads
share_memory_among_threads()
threads = [threading.Thread(target=run_due_jobs) for _number in range(int(os.environ["THREADS"]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
while run_due_jobs():
    pass
nursery.close()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({
    "worker": 1024 * int(peak.split()[1]),
    "child": 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    "captures": {capture.request.url: [
        capture.outcome, capture.reason, (capture.sealed_at - capture.started_at).total_seconds(),
        {layer.kind: [layer.outcome, layer.detail] for layer in capture.layers.all()},
        json.loads(capture.media_facts.facts_row.body) if hasattr(capture, "media_facts") else {},
    ] for capture in Capture.objects.select_related("request")},
}))
"""


def captured(pages: dict[str, web.Page], var: Path, *, seconds: float, at_once: int = 1) -> dict[str, Any]:
    """By address, what each capture ended as; and the largest sizes of "worker" and "child", in bytes.

    With more than one ``at_once`` the pages lie on as many hosts, since one host is asked for one page at a time.
    """
    (var / "static").mkdir()
    with ExitStack() as serving:
        hosts = [f"127.0.0.{number}" for number in range(1, at_once + 1)]
        sites = [serving.enter_context(web.serve(pages, host=host)) for host in hosts]
        urls = [sites[place % at_once].url(path) for place, path in enumerate(pages)]
        kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "BROKER_URL"}}
        environment = kept | {
            "FACTCHECK_TESTING": "1",
            "FACTCHECK_VAR": str(var),
            "ARCHIVE_ALLOW_LOOPBACK": ",".join(site.pair for site in sites),
            "ARCHIVE_PORTS": ",".join(str(site.port) for site in sites),
            "CAPTURE_TIMEOUT_SECONDS": str(SECONDS),
            "CAPTURE_MAX_BYTES": str(20_000_000),
            "CAPTURE_MAX_DECODED_BYTES": str(40_000_000),
            "CAPTURE_HOST_SPACING_SECONDS": "0",
            "THREADS": str(at_once),
        }
        answered = subprocess.run(
            [sys.executable, "-c", _WORKER, *urls],
            cwd=Path(project.BASE_DIR),
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert answered.returncode == 0, answered.stderr
        facts: dict[str, Any] = json.loads(answered.stdout)
        facts["captures"] = {"/" + url.split("/", 3)[3]: said for url, said in facts["captures"].items()}
    return facts
