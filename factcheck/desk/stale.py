"""After a stale save, what was typed stays in the form and the next save is a conscious one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict

from factcheck.claims.models import Claim
from factcheck.evidence.models import Evidence
from factcheck.lib.errors import FactcheckError, StaleVersion


@dataclass(frozen=True)
class Difference:
    label: str
    typed: str
    stored: str


_STALE = "stale"


def saved(form: forms.Form, row: Claim | Evidence, act: Callable[[dict[str, Any]], object]) -> bool:
    """Whether the form is whole and the act went through with what it holds; a refusal goes into the form.

    A stale one has read the row anew: what is stored now stands on the page that is drawn next.
    """
    if not form.is_valid():
        return False
    try:
        act(form.cleaned_data)
    except StaleVersion as refusal:
        row.refresh_from_db()
        form.add_error(None, forms.ValidationError(str(refusal), code=_STALE))
        refresh(form, version=row.version)
    except FactcheckError as refusal:
        form.add_error(None, str(refusal))
    else:
        return True
    return False


def is_stale(form: forms.Form) -> bool:
    return form.has_error(NON_FIELD_ERRORS, _STALE)


def refresh(form: forms.Form, **hidden: Any) -> None:
    """Give the bound form's hidden fields the values of now, so that saving again overwrites knowingly."""
    assert isinstance(form.data, QueryDict)
    data = form.data.copy()
    for name, value in hidden.items():
        data[form.add_prefix(name)] = str(value)
    form.data = data


def differences(form: forms.Form, stored: dict[str, Any]) -> list[Difference]:
    """The fields in which the bound form says something else than what is stored."""
    found = []
    for name, value in stored.items():
        typed = form.cleaned_data.get(name)
        if name in form.fields and (typed or "") != (value or "") and not form[name].is_hidden:
            found.append(Difference(str(form[name].label), _in_words(form, name, typed), _in_words(form, name, value)))
    return found


def _in_words(form: forms.Form, name: str, value: Any) -> str:
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        label = next((label for choice, label in field.widget.choices if choice == value), value)
        return str(label)
    if isinstance(field, forms.BooleanField):
        return "✓" if value else "–"
    return str(value) if value else "–"
