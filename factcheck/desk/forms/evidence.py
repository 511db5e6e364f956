from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import User
from factcheck.archive.browser.driving import browser_available
from factcheck.archive.models import Engine
from factcheck.archive.receiving import Received, receive
from factcheck.archive.receiving import too_large as file_too_large
from factcheck.archive.services import UPLOAD_HOW_MAX_CHARS
from factcheck.desk.forms.once import OnceField
from factcheck.evidence.models import Source, SourceKind, Stance, Visibility
from factcheck.evidence.services import Argument

if TYPE_CHECKING:
    _PeopleChoice = forms.ModelMultipleChoiceField[User]
else:
    _PeopleChoice = forms.ModelMultipleChoiceField


class PeopleField(_PeopleChoice):
    def label_from_instance(self, obj: User) -> str:
        return f"{obj} ({obj.get_role_display()})"

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError as error:
            # SQLite is asked for an id that is too long for it.
            raise forms.ValidationError(_("Choose people from the list.")) from error


class ArgumentFields(forms.Form):
    """What a person says with a source, whatever kind of source it is. Which field belongs to whom the page says."""

    quote_label: Any = _("The words that it rests on")
    quote_help: Any = ""
    # The names of the fields that describe the source itself.
    source_fields: tuple[str, ...] = ()

    public_id = OnceField()
    stance = forms.ChoiceField(
        label=_("How it bears on the claim"),
        choices=Stance,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether this speaks for the claim, against it, or gives context.")},
    )
    quote = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4, "class": "serif"}))
    note = forms.CharField(
        label=_("Note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it means for the claim, in a sentence or two. Readers see it with the evidence."),
    )
    confirms_said = forms.BooleanField(label=_("It confirms that it was said"), required=False)
    confirms_so = forms.BooleanField(label=_("It confirms that it is so"), required=False)
    primary = forms.BooleanField(label=_("First-hand: it knows this from itself and not from others"), required=False)
    off_record = forms.BooleanField(
        label=_("Off the record: readers and most of the desk never learn of it"), required=False
    )
    shown_to = PeopleField(
        label=_("Who else of the desk may know of it"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only for what is off the record. You see it in any case; nobody else does, whatever their role."),
    )
    visibility = forms.ChoiceField(
        label=_("What readers see of the source"),
        choices=[(value, label) for value, label in Visibility.choices if value != Visibility.PUBLIC],
        initial=Visibility.PASSAGE,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quote"].label = self.quote_label
        self.fields["quote"].help_text = self.quote_help
        others = self.fields["shown_to"]
        assert isinstance(others, PeopleField)
        others.queryset = User.objects.filter(is_active=True).exclude(pk=person.pk).order_by("name", "pk")

    def argument(self) -> Argument:
        cleaned = self.cleaned_data
        return Argument(
            stance=cleaned["stance"],
            quote=cleaned["quote"],
            quote_prefix=cleaned.get("quote_prefix", ""),
            quote_suffix=cleaned.get("quote_suffix", ""),
            note=cleaned["note"],
            confirms_said=cleaned["confirms_said"],
            confirms_so=cleaned["confirms_so"],
            primary=cleaned["primary"],
            off_record=cleaned["off_record"],
            shown_to=list(cleaned["shown_to"]),
            public_id=cleaned["public_id"],
        )

    def source(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in (*self.source_fields, "visibility")}


class OwnCopyFields(forms.Form):
    """A person's own file as a copy of a page, and what they say of it."""

    file = forms.FileField(
        label=_("The file"),
        help_text=_(
            "PDF, picture, film, web page (HTML), plain text, or web archive (WARC, WACZ). What it is, its content "
            "says."
        ),
        error_messages={"required": _("Choose the file."), "empty": _("The file is empty.")},
    )
    upload_how = forms.CharField(
        label=_("How and when you made it"),
        max_length=UPLOAD_HOW_MAX_CHARS,
        help_text=_("In one line: printed as PDF in Firefox on 3 March, signed in as a subscriber."),
        error_messages={"required": _("Say how and when the copy was made.")},
    )
    upload_confirmed = forms.BooleanField(
        label=_("I have not changed what the page said"),
        error_messages={"required": _("Confirm that the file says what the page said.")},
    )

    def received(self) -> Received:
        """The file, in the store. Raises UploadRefused."""
        file = self.cleaned_data["file"]
        return receive(file.chunks(), name=file.name or "")

    def explain_lost_file(self, *, too_large: bool) -> None:
        """On a form that comes back: its words are still there, and its file is not."""
        if too_large:
            self.errors.pop("file", None)
            self.add_error("file", str(file_too_large()))
        elif "file" in self.files:
            self.add_error("file", _("Choose the file again: a browser does not keep it. All else is still here."))


class OwnCopyForm(OwnCopyFields):
    version = forms.IntegerField(widget=forms.HiddenInput)


class PageForm(OwnCopyFields, ArgumentFields):
    source_fields = ("url", "title", "publisher")
    quote_label = _("The words of the page")
    quote_help = _("Copied from the page. They are looked for in our copy: only then is the evidence secured.")

    url = forms.CharField(
        label=_("Address of the page"),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The page is copied as soon as you attach it."),
        error_messages={"required": _("Give the address of the page.")},
    )
    in_browser = forms.BooleanField(
        label=_("Open it in a browser: slower, for pages that show their words only with scripts"), required=False
    )
    title = forms.CharField(
        label=_("Title"), max_length=300, required=False, help_text=_("Empty: as the page calls itself.")
    )
    publisher = forms.CharField(label=_("Publisher"), max_length=200, required=False)
    quote_prefix = forms.CharField(label=_("The words just before them"), max_length=200, required=False)
    quote_suffix = forms.CharField(label=_("The words just behind them"), max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in OwnCopyFields.base_fields:
            self.fields[name].required = False
        if not browser_available():
            del self.fields["in_browser"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("file"):
            for name in ("upload_how", "upload_confirmed"):
                if name in cleaned and not cleaned[name]:
                    self.add_error(name, self.fields[name].error_messages["required"])
        elif cleaned.get("upload_how") and "file" not in self.errors:
            self.add_error("file", self.fields["file"].error_messages["required"])
        return cleaned

    def source(self) -> dict[str, Any]:
        if not self.cleaned_data["file"]:
            in_browser = self.cleaned_data.get("in_browser", False)
            return super().source() | {"engine": Engine.BROWSER if in_browser else Engine.HTTP}
        return super().source() | {"upload": self.received(), "upload_how": self.cleaned_data["upload_how"]}


class InterviewForm(ArgumentFields):
    source_fields = ("contact", "spoken_on", "spoken_how", "heard_by")
    quote_label = _("What was said, word for word")

    contact = forms.CharField(label=_("Whom you spoke with"), max_length=200, required=False)
    spoken_on = forms.DateField(
        label=_("When"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    spoken_how = forms.CharField(
        label=_("How"), max_length=100, required=False, help_text=_("By telephone, in person, by mail …")
    )
    heard_by = forms.CharField(label=_("Who of us heard it"), max_length=200, required=False)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, person=person, **kwargs)
        self.fields["heard_by"].initial = str(person)


class WorkForm(ArgumentFields):
    source_fields = ("title", "author", "edition", "page", "transcription")
    quote_label = _("The words of it that matter")
    quote_help = _("A part of the transcription, or empty where all of it matters.")

    title = forms.CharField(label=_("Title"), max_length=300, required=False)
    author = forms.CharField(label=_("Author or station"), max_length=200, required=False)
    edition = forms.CharField(
        label=_("Edition"), max_length=200, required=False, help_text=_("Publisher and year, or channel and date.")
    )
    page = forms.CharField(label=_("Page or time code"), max_length=50, required=False)
    transcription = forms.CharField(
        label=_("Transcription"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "class": "serif"}),
        help_text=_("The passage word for word, as it stands in the work."),
    )


FORMS: dict[str, type[ArgumentFields]] = {
    SourceKind.PAGE: PageForm,
    SourceKind.INTERVIEW: InterviewForm,
    SourceKind.WORK: WorkForm,
}


class QuoteForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    quote = forms.CharField(
        label=_("The words of the page"), required=False, widget=forms.Textarea(attrs={"rows": 4, "class": "serif"})
    )


class ReasonForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))


class ConfirmForm(ReasonForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("What you compared, and why the words mean the same")


class WithdrawEvidenceForm(ReasonForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("Why it is taken back")
        self.fields["reason"].help_text = _("The evidence stays in the history, with this reason.")


class VisibilityForm(forms.Form):
    visibility = forms.ChoiceField(
        label=_("What readers see of this source"), choices=Visibility, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed for showing the whole copy; kept in the log."),
    )

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if source.kind != SourceKind.PAGE:
            field = self.fields["visibility"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(value, label) for value, label in Visibility.choices if value != Visibility.PUBLIC]
