"""The addresses of the archive host, which runs as a process of its own on a host of its own."""

from django.urls import path

from factcheck.public.replay import urlpatterns as replay_urlpatterns
from factcheck.public.views import healthz

urlpatterns = [*replay_urlpatterns, path("healthz", healthz)]
