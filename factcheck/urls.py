"""The addresses of the app. The archive host has its own: ``archive_urls``."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("desk/", include("factcheck.desk.urls")),
    path("accounts/", include("factcheck.accounts.urls")),
    path("admin/", admin.site.urls),
    path("", include("factcheck.public.urls")),
]
