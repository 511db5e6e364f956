"""The desk's addresses. No view is named in two places: the name is the address's only name."""

from django.urls import URLPattern, URLResolver

app_name = "desk"

articles_urls: list[URLPattern | URLResolver] = []

urlpatterns: list[URLPattern | URLResolver] = [*articles_urls]
