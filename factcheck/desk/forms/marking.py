import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.claims.models import ClaimKind
from factcheck.claims.wording import Span
from factcheck.desk.forms.once import OnceField
from factcheck.desk.passages import spans_of_words

_SPANS = re.compile(r"\d{1,9}-\d{1,9}(?:,\d{1,9}-\d{1,9})*")
# As many as a claim may have, and some more for the service to refuse with its own sentence.
_MAX_SPANS_LENGTH = 2_000


class PassageFields(forms.Form):
    """Words of the article: selected (spans, in code points, by the script) or written out."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    spans = forms.CharField(required=False, max_length=_MAX_SPANS_LENGTH, widget=forms.HiddenInput)
    words = forms.CharField(
        label=_("The exact words"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("As they stand in the article. Several passages: a blank line between them."),
    )
    place = forms.IntegerField(
        label=_("Which place, if they stand in several"),
        required=False,
        min_value=1,
        help_text=_("1 is the first in the text."),
    )

    def clean_spans(self) -> list[Span]:
        value: str = self.cleaned_data["spans"].strip()
        if value and not _SPANS.fullmatch(value):
            raise forms.ValidationError(_("The selection was lost on the way. Select the words once more."))
        return [(int(start), int(end)) for start, end in re.findall(r"(\d+)-(\d+)", value)]

    def passages(self, text: str) -> list[Span]:
        """The selected spans, else the places of the written words. Raises PassageRefused."""
        cleaned = self.cleaned_data
        return cleaned["spans"] or spans_of_words(text, cleaned["words"], place=cleaned["place"])


class ClaimFields(forms.Form):
    kind = forms.ChoiceField(
        label=_("What sort of claim"),
        choices=ClaimKind,
        error_messages={"required": _("Choose what sort of claim it is.")},
    )
    speaker = forms.CharField(
        label=_("Whose claim"),
        max_length=200,
        required=False,
        help_text=_("The person or body that says so. Empty: our own."),
    )


class MarkForm(PassageFields, ClaimFields):
    """Also shown twice on one page, in the bar for selected words and as a form for written ones."""

    public_id = OnceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["speaker"].widget.attrs |= {"list": "speakers", "autocomplete": "off"}


class PlaceForm(PassageFields):
    version = forms.IntegerField(widget=forms.HiddenInput)


class ChangeForm(ClaimFields):
    version = forms.IntegerField(widget=forms.HiddenInput)


class WithdrawForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why it needs no check any more"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The reason stays in the history."),
    )
