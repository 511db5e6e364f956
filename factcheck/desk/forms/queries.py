from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import User
from factcheck.desk.forms.once import OnceField

if TYPE_CHECKING:
    _PersonChoice = forms.ModelChoiceField[User]
else:
    _PersonChoice = forms.ModelChoiceField


class PersonField(_PersonChoice):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


# A page of text: what is longer is a document, and belongs among the evidence.
WORDS_MAX_CHARS = 5_000


class AskForm(forms.Form):
    public_id = OnceField()
    question = forms.CharField(
        label=_("What do you want to know?"),
        required=False,
        max_length=WORDS_MAX_CHARS,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    of = PersonField(
        label=_("Whom do you ask?"), queryset=User.objects.none(), required=False, empty_label=_("whoever knows it")
    )

    def __init__(self, *args: Any, asker: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True).exclude(pk=asker.pk)
        self.fields["of"].queryset = people.order_by("name", "username")  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"), required=False, max_length=WORDS_MAX_CHARS, widget=forms.Textarea(attrs={"rows": 2})
    )
