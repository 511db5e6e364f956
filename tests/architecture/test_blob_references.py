"""A column that names a blob and is not known as one would cost the bytes after a day."""

from django.apps import apps

from factcheck.archive.collecting import references

# Hashes of words that lie in no file of the store.
NO_BLOBS = {
    ("articles.Revision", "sha256"),
    ("evidence.PassageCheck", "quote_sha256"),
    ("ledger.Text", "sha256"),
    ("publications.Publication", "sha256"),
    ("verdicts.Verdict", "statement_sha256"),
}


def test_every_column_of_a_hash_is_known_as_a_blobs_or_as_none():
    columns = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name.endswith("sha256")
    }

    assert columns == references() | NO_BLOBS
    assert not references() & NO_BLOBS
