"""The addresses of the archive host, which runs as a process of its own on a host of its own."""

from factcheck.public.replay import urlpatterns

__all__ = ["urlpatterns"]
