from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.verdicts.models import Rating, Shape, Tone
from factcheck.verdicts.services import RatingDraft


class RatingForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    label = forms.CharField(label=_("Label"), max_length=60, required=False)
    meaning = forms.CharField(
        label=_("Meaning"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One or two sentences that readers understand."),
    )
    order = forms.IntegerField(label=_("Place in the scale"), min_value=0, max_value=32_000)
    truth_value = forms.IntegerField(
        label=_("Truth value"),
        required=False,
        help_text=_("1 (false) to 5 (true), for search engines. Empty: it says nothing about truth."),
    )
    needs_evidence = forms.BooleanField(label=_("Needs secured evidence"), required=False)
    releases = forms.BooleanField(
        label=_("An article may go out with a claim of ours that is rated so"), required=False
    )
    shape = forms.ChoiceField(label=_("Shape"), choices=Shape, widget=forms.RadioSelect)
    tone = forms.ChoiceField(label=_("Tone"), choices=Tone)
    retired = forms.BooleanField(label=_("Retired: kept for old verdicts, not offered for new ones"), required=False)

    def draft(self) -> RatingDraft:
        values: dict[str, Any] = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        return RatingDraft(**values)


def rating_initial(rating: Rating) -> dict[str, Any]:
    names = [name for name in RatingForm.base_fields]
    return {name: getattr(rating, name) for name in names}
