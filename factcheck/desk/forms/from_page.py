from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.archive.models import Engine
from factcheck.archive.services import URL_MAX_CHARS
from factcheck.desk.forms.articles import DetailsFields, RemovalFields
from factcheck.desk.forms.once import OnceField


class FromPageForm(forms.Form):
    # Not a URLField: which addresses are opened, and why one is not, is the archive's to say.
    url = forms.CharField(
        label=_("Address of the article"),
        max_length=URL_MAX_CHARS,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("A page that everybody can open, without signing in."),
    )
    discreet = forms.BooleanField(label=_("Discreet: the page is visited without our name"), required=False)


class FromPagePreviewForm(RemovalFields, DetailsFields):
    """The second step; what was read stands in the copy, and nothing of it is carried through the page."""

    public_id = OnceField()

    no_language = _("Not known")


class AgainForm(forms.Form):
    engine = forms.ChoiceField(choices=[(Engine.HTTP, ""), (Engine.BROWSER, "")])
