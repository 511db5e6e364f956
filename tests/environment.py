"""Set before Django reads its settings: a folder of the tests' own, and the switch that says so."""

import os
import tempfile

os.environ["FACTCHECK_TESTING"] = "1"
os.environ["FACTCHECK_VAR"] = os.environ.get("FACTCHECK_TEST_VAR") or tempfile.mkdtemp(prefix="factcheck-tests-")
