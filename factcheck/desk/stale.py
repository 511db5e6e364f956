"""After a stale save, what was typed stays in the form and the next save is a conscious one."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict


@dataclass(frozen=True)
class Difference:
    label: str
    typed: str
    stored: str


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
