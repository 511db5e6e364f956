from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.articles.models import BackUpOutcome


class BackUpForm(forms.Form):
    """What became of one note."""

    note = forms.IntegerField(min_value=1, max_value=2**62, widget=forms.HiddenInput)
    outcome = forms.ChoiceField(choices=BackUpOutcome, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Why"), max_length=1000, required=False)
