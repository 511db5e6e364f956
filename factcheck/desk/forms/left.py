from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.claims.models import AsideKind


class AsideForm(forms.Form):
    """One sentence or finding of the page; ``act`` says what is to become of it."""

    ACTS = ("sentence", "finding", "back")

    act = forms.ChoiceField(choices=[(act, act) for act in ACTS], widget=forms.HiddenInput)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=[
            (AsideKind.NOT_CHECKABLE, _("not checkable: an opinion, a question, a wish")),
            (AsideKind.OUT_OF_SCOPE, _("out of scope: not ours to check")),
        ],
        required=False,
    )
    reason = forms.CharField(label=_("Why"), max_length=1000, required=False)
