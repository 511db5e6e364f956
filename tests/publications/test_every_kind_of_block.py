"""What a document has beside paragraphs can be claimed, found again after an edit, and read with its note."""

import re

import pytest
from django.test import Client

from factcheck.articles.formats import Format
from factcheck.articles.selectors import latest_revision
from factcheck.articles.services import import_article
from factcheck.claims.models import Placing
from factcheck.claims.services import revise_article
from factcheck.publications.services import publish
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = """<article><h1>The price of the bridges</h1><p class="deck">Forty million, says the city.</p>
<p>The council met on Monday.</p><h2>What was said</h2>
<blockquote><p>We could have had this cheaper in 2019.</p></blockquote>
<ul><li>The harbour bridge: 18,000 people a day</li><li>The mill bridge: 900 people a day</li></ul>
<figure><img src="a.png"><figcaption>The harbour bridge, opened in 1931.</figcaption></figure>
<table><tr><th>Year</th><th>Cost</th></tr><tr><td>2024</td><td>12 million</td></tr></table></article>"""
# Of each kind, words that can be checked.
CLAIMED = {
    "heading": "What was said",
    "quote": "cheaper in 2019",
    "item": "18,000 people a day",
    "caption": "opened in 1931",
    "row": "12 million",
    "paragraph": "met on Monday",
}


def test_words_of_every_kind_of_block_are_claimed_carried_over_and_published():
    article = import_article(PAGE.encode(), form=Format.HTML, by=factories.reporter()).article
    kinds = {block.kind: block for block in latest_revision(article).blocks}
    assert set(CLAIMED) <= set(kinds)
    for words in CLAIMED.values():
        factories.signed_off(factories.claim(article, words))

    publish(article, by=factories.editor())
    shown = Client().get(f"/articles/{article.slug}/").content.decode()

    text = re.sub(r"<[^>]*>", "", shown)
    for words in CLAIMED.values():
        assert words in text
    assert len(set(re.findall(r'href="/claims/([a-z0-9]{8})/', shown))) == len(CLAIMED)
    assert re.search(r"<li[^>]*>.*18,000 people a day.*</li>", shown, re.DOTALL)
    assert re.search(r"<blockquote>.*cheaper in 2019.*</blockquote>", shown, re.DOTALL)


def test_only_the_edited_row_of_a_table_opens_its_claim_again():
    article = import_article(PAGE.encode(), form=Format.HTML, by=factories.reporter()).article
    claims = {kind: factories.claim(article, words) for kind, words in CLAIMED.items()}
    for claim in claims.values():
        factories.signed_off(claim)

    revision = revise_article(
        article, PAGE.replace("12 million", "21 million").encode(), form=Format.HTML, version=None, by=None
    )

    placings = {kind: claim.anchors.get(revision=revision).placing for kind, claim in claims.items()}
    assert placings.pop("row") == Placing.CHANGED
    assert set(placings.values()) == {Placing.EXACT}
