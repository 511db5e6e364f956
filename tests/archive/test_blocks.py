import hashlib
import json

import pytest

from factcheck.archive.blocks import blocks, blocks_root
from factcheck.archive.models import TextLayer
from factcheck.archive.selectors import layer_text
from factcheck.archive.services import request_capture
from factcheck.ledger import merkle
from factcheck.ledger.models import Entry
from tests import factories, web
from tests.newsroom_web import do_due_work, site


def test_a_block_is_a_line_with_words():
    assert blocks("One.\n\n \nTwo words.\n") == ["One.", "Two words."]


def test_one_block_is_proved_against_the_root_without_the_others():
    text = "One.\n\nTwo.\n\nThree.\nFour.\n\nFive."
    hashes = [merkle.hash_leaf(block.encode()) for block in blocks(text)]

    proof = merkle.inclusion_proof(hashes, 2)

    root = bytes.fromhex(blocks_root(text))
    assert merkle.verify_inclusion(merkle.hash_leaf(b"Three."), 2, 5, proof, root)
    assert not merkle.verify_inclusion(merkle.hash_leaf(b"Three!"), 2, 5, proof, root)


def test_a_text_without_words_has_the_root_of_the_empty_tree():
    assert blocks_root(" \n\n") == hashlib.sha256(b"").hexdigest()


@pytest.mark.django_db(transaction=True)
def test_the_entry_of_a_capture_holds_the_root_of_each_layer():
    with site({"/": web.page("<p>One.</p><p>Two.</p>")}) as served:
        request_capture(served.url("/"), by=factories.reporter())
        do_due_work()

    layer = TextLayer.objects.get(kind="visible")
    facts = json.loads(Entry.objects.get(action="capture.sealed").opening.body)["facts"]
    roots = {told["kind"]: told["blocks_root"] for told in facts["layers"]}
    assert roots["visible"] == blocks_root(layer_text(layer))
    assert roots["hidden"] is None
