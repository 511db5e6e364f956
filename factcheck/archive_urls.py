"""The addresses of the archive host, which runs as a process of its own on a host of its own."""

from django.urls import path

from factcheck.public.memento import urlpatterns as memento_urlpatterns
from factcheck.public.replay import urlpatterns as replay_urlpatterns
from factcheck.public.views import healthz

urlpatterns = [*replay_urlpatterns, *memento_urlpatterns, path("healthz", healthz)]

# The app's own error pages lead to addresses that this host does not have.
handler404 = "factcheck.public.replay.not_found"
handler500 = "factcheck.public.replay.failed"
