from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.publications.models import NoteKind


class PublishForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    note_kind = forms.ChoiceField(
        label=_("What sort of change"), choices=NoteKind, required=False, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=_("What has changed"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Readers see it above the article, and corrections on the corrections page."),
    )

    def __init__(self, *args: Any, first: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if first:
            del self.fields["note_kind"], self.fields["note"]


class OverrideForm(forms.Form):
    key = forms.CharField(max_length=200, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why the article may go out all the same"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Published with the article, under your name."),
    )
