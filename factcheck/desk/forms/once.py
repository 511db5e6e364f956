from typing import Any

from django import forms

from factcheck.lib.ids import LENGTH, new_id


class OnceField(forms.CharField):
    """The id of what the form will make, chosen when it is drawn: a second click makes nothing new."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=LENGTH, initial=new_id, widget=forms.HiddenInput, **kwargs)
