"""The desk's addresses."""

from django.urls import URLPattern, URLResolver, path

from factcheck.desk.views import (
    articles,
    captures,
    claims,
    evidence,
    left,
    marking,
    people,
    publishing,
    ratings,
    revisions,
    witnesses,
)

app_name = "desk"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", articles.articles, name="articles"),
    path("articles/new/", articles.article_new, name="article_new"),
    path("articles/<slug:slug>/", articles.article, name="article"),
    path("articles/<slug:slug>/details/", articles.article_details, name="article_details"),
    path("articles/<slug:slug>/revise/", articles.article_revise, name="article_revise"),
    path("articles/<slug:slug>/history/", articles.article_history, name="article_history"),
    path("articles/<slug:slug>/compare/", revisions.compare, name="article_compare"),
    path("articles/<slug:slug>/left/", left.left, name="article_left"),
    path("articles/<slug:slug>/left/set-aside/", left.set_aside, name="set_aside"),
    path("articles/<slug:slug>/mark/", marking.claim_mark, name="claim_mark"),
    path("claims/<str:claim_id>/change/", marking.claim_change, name="claim_change"),
    path("claims/<str:claim_id>/place/", marking.claim_place, name="claim_place"),
    path("claims/<str:claim_id>/withdraw/", marking.claim_withdraw, name="claim_withdraw"),
    path("articles/<slug:slug>/publish/", publishing.publish, name="publish"),
    path("articles/<slug:slug>/publish/override/", publishing.override, name="override"),
    path("claims/<str:claim_id>/", claims.claim, name="claim"),
    path("claims/<str:claim_id>/evidence/<str:kind>/", evidence.evidence_new, name="evidence_new"),
    path("claims/<str:claim_id>/verdict/", claims.decide, name="decide"),
    path("claims/<str:claim_id>/sign-off/", claims.sign_off, name="sign_off"),
    path("evidence/<str:evidence_id>/", evidence.evidence, name="evidence"),
    path("evidence/<str:evidence_id>/card/", evidence.evidence_card_part, name="evidence_card"),
    path("evidence/<str:evidence_id>/quote/", evidence.evidence_quote, name="evidence_quote"),
    path("evidence/<str:evidence_id>/confirm/", evidence.evidence_confirm, name="evidence_confirm"),
    path("evidence/<str:evidence_id>/withdraw/", evidence.evidence_withdraw, name="evidence_withdraw"),
    path("evidence/<str:evidence_id>/archive-again/", evidence.evidence_archive_again, name="evidence_archive_again"),
    path("evidence/<str:evidence_id>/own-copy/", evidence.evidence_own_copy, name="evidence_own_copy"),
    path("sources/<str:source_id>/visibility/", evidence.source_visibility, name="source_visibility"),
    path("captures/<str:capture_id>/", captures.capture, name="capture"),
    path("captures/<str:capture_id>/capture.warc.gz", captures.capture_warc, name="capture_warc"),
    path("captures/<str:capture_id>/capture.wacz", captures.capture_wacz, name="capture_wacz"),
    path("captures/<str:capture_id>/replay/", captures.capture_replay, name="capture_replay"),
    path("captures/<str:capture_id>/witness/", witnesses.capture_witness, name="capture_witness"),
    path("ratings/", ratings.ratings, name="ratings"),
    path("ratings/new/", ratings.rating_new, name="rating_new"),
    path("ratings/<slug:slug>/", ratings.rating, name="rating"),
    path("people/", people.people, name="people"),
]
