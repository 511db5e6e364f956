from django.utils.functional import Promise

from factcheck.accounts import permissions
from factcheck.accounts.permissions import Act


def test_every_act_has_words_that_can_be_translated():
    labels = {act: permissions._LABELS[act] for act in Act}

    assert all(isinstance(label, Promise) for label in labels.values())
    assert Act.SIGN_OFF.label == "review verdicts and sign them off"
