from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import Role


class RoleForm(forms.Form):
    person = forms.CharField(max_length=8, widget=forms.HiddenInput)
    role = forms.ChoiceField(label=_("Role"), choices=Role)
