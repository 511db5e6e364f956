from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.claims.models import Claim
from factcheck.desk.forms.queries import WORDS_MAX_CHARS
from factcheck.verdicts.models import Attribution, Rating

NOT_RATED = "none"


class VerdictForm(forms.Form):
    """A claim of ours gets a rating; somebody else's two answers. The page draws the ratings."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    attribution = forms.ChoiceField(
        label=_("Was it said?"),
        choices=Attribution,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether it was said by the person to whom the article gives it.")},
    )
    # The row of one version of a rating: should the scale change meanwhile, the service says so.
    rating = forms.CharField(label=_("Is it so?"), required=False, max_length=20, widget=forms.RadioSelect)
    not_rated_reason = forms.CharField(
        label=_("Why it is not rated"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What the evidence shows, in full sentences. Readers are shown it."),
    )

    def __init__(self, *args: Any, claim: Claim, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if claim.is_ours:
            del self.fields["attribution"], self.fields["not_rated_reason"]
            self.fields["rating"].label = _("Rating")

    @property
    def chosen(self) -> str:
        return str(self["rating"].value() or "")

    def clean_rating(self) -> Rating | None:
        value: str = self.cleaned_data["rating"]
        if value == NOT_RATED and "not_rated_reason" in self.fields:
            return None
        rating = Rating.objects.filter(pk=int(value)).first() if value.isdecimal() else None
        if rating is None:
            if "not_rated_reason" in self.fields:
                raise forms.ValidationError(_("Rate what was said, or choose “not rated” and write why."))
            raise forms.ValidationError(_("Choose a rating."))
        return rating


class SignOffForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    # The verdict that was read: a newer one is not signed by accident.
    verdict = forms.IntegerField(widget=forms.HiddenInput)


class SendBackForm(SignOffForm):
    comment = forms.CharField(
        label=_("What is missing"),
        required=False,
        max_length=WORDS_MAX_CHARS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the desk: readers never see it."),
    )
