"""Set before Django reads its settings: a folder of the tests' own, and the switch that says so."""

import atexit
import os
import re
import shutil
import tempfile

os.environ["FACTCHECK_TESTING"] = "1"
# Every site of the tests is one host; the tests of the pause set it themselves.
os.environ.setdefault("CAPTURE_HOST_SPACING_SECONDS", "0")
if "FACTCHECK_TEST_VAR" in os.environ:
    # Parallel test processes share no folder: the tests of jobs keep their traces there.
    os.environ["FACTCHECK_VAR"] = os.path.join(
        os.environ["FACTCHECK_TEST_VAR"], os.environ.get("PYTEST_XDIST_WORKER", "")
    )
else:
    os.environ["FACTCHECK_VAR"] = tempfile.mkdtemp(prefix="factcheck-tests-")
    atexit.register(shutil.rmtree, os.environ["FACTCHECK_VAR"], ignore_errors=True)

if (worker := re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))) and "BROKER_URL" in os.environ:
    # Each of the parallel test processes has a database of its own, so it needs a queue of its own.
    os.environ["BROKER_URL"] = re.sub(r"^(redis://[^/]+)/\d*$", rf"\1/{int(worker[1]) + 1}", os.environ["BROKER_URL"])
# The server of static files warns of a missing folder, and warnings are errors here.
os.makedirs(os.path.join(os.environ["FACTCHECK_VAR"], "static"), exist_ok=True)
