from django import forms
from django.utils.translation import gettext_lazy as _


class Keys(forms.MultipleChoiceField):
    """Which there are knows the service."""

    def valid_value(self, value: str) -> bool:
        return len(value) == 64


class TakeForm(forms.Form):
    """The ticked differences of our own page, and the article's version that the page was drawn at."""

    keys = Keys(required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)


class OwnPageAsideForm(forms.Form):
    keys = Keys(required=False)
    reason = forms.CharField(label=_("Why it stays as it is"), max_length=1000, required=False)
