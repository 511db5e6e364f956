"""Readers' addresses, as design.md promises them."""

from django.urls import URLPattern, URLResolver, path

from factcheck.public import memento, views

app_name = "public"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.index, name="index"),
    path("articles/<slug:slug>/", views.article, name="article"),
    path("articles/<slug:slug>/v<int:number>/", views.article_version, name="article_version"),
    path("claims/<slug:claim_id>/", views.claim, name="claim"),
    path("captures/<slug:capture_id>/", views.capture, name="capture"),
    path("captures/<slug:capture_id>/text.txt", views.capture_text, name="capture_text"),
    path("captures/<slug:capture_id>/capture.warc.gz", views.capture_warc, name="capture_warc"),
    path("captures/<slug:capture_id>/capture.wacz", views.capture_wacz, name="capture_wacz"),
    path("timegate/<path:url>", memento.timegate, name="timegate"),
    path("timemap/<slug:form>/<path:url>", memento.timemap, name="timemap"),
    path("corrections/", views.corrections, name="corrections"),
    path("methodology/", views.methodology, name="methodology"),
    path("ratings/", views.ratings, name="ratings"),
    path("about/", views.about, name="about"),
    path("robots.txt", views.robots, name="robots"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
