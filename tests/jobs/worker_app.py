"""What the workers of the tests are started with: the product's application, and the tests' kinds of work."""

from factcheck.celery import app
from tests.jobs import kinds

kinds.register_all()

__all__ = ["app"]
