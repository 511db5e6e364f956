import base64
import hashlib
from dataclasses import asdict
from typing import Any

from django import forms
from django.conf.locale import LANG_INFO
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from factcheck.articles.importing import MAX_BYTES, TITLE_LENGTH, Draft
from factcheck.articles.models import Article
from factcheck.articles.services import Details
from factcheck.desk.forms.once import OnceField


def language_choices(*, empty: str = "", current: str = "") -> list[tuple[str, Any]]:
    """ISO 639-1 codes with the languages' own names; ``current`` is there even if we cannot name it."""
    names = {
        code: info["name_local"]
        for code, info in LANG_INFO.items()
        if "name_local" in info and ("-" not in code or code == current)
    }
    if current and current not in names:
        names[current] = current
    choices: list[tuple[str, Any]] = sorted(
        ((code, f"{name[:1].upper()}{name[1:]}") for code, name in names.items()), key=lambda choice: choice[1]
    )
    return [("", empty), *choices] if empty else choices


class DetailsFields(forms.Form):
    """What is known of an article beside its words."""

    title = forms.CharField(label=_("Title"), max_length=TITLE_LENGTH, required=False)
    byline = forms.CharField(label=_("Byline"), max_length=200, required=False)
    date = forms.DateField(
        label=_("Date"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    url = forms.URLField(label=_("Address on our own site"), max_length=2000, required=False, assume_scheme="https")
    discreet = forms.BooleanField(
        label=_("Discreet: sources are visited without our name, and no third party is told"), required=False
    )

    # What the select offers first, for "not chosen".
    no_language: Any = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = (self.data.get("language") if self.is_bound else self.initial.get("language")) or ""
        known = current if len(current) <= 10 else ""
        choices = language_choices(empty=self.no_language, current=known)
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = choices

    def details(self) -> Details:
        cleaned = self.cleaned_data
        return Details(
            title=cleaned["title"],
            byline=cleaned["byline"],
            date=cleaned["date"],
            language=cleaned["language"],
            url=cleaned["url"],
            discreet=cleaned["discreet"],
        )


class WordsFields(forms.Form):
    """An article's words: pasted, or a file."""

    text = forms.CharField(
        label=_("The text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"class": "text", "rows": 20}),
        help_text=_("Plain text, with a blank line between paragraphs. What a website added can go in the next step."),
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        allow_empty_file=True,
        help_text=_("Plain text (.txt), at most 2 MB."),
        widget=forms.FileInput(attrs={"accept": ".txt,.md,text/plain"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload: UploadedFile[bytes] | None = cleaned.get("file")
        text: str = cleaned.get("text", "")
        if upload is not None and text.strip() and not self.text_is_prefilled():
            raise forms.ValidationError(_("There is a text and a file. Empty one of them: which is the article?"))
        if upload is None and not text.strip():
            raise forms.ValidationError(_("Paste a text or choose a file."))
        if upload is not None and (upload.size or 0) > MAX_BYTES:
            raise forms.ValidationError(_("This text is larger than 2 MB. An article is not; is it the right file?"))
        cleaned["raw"] = upload.read() if upload is not None else text.encode()
        return cleaned

    def text_is_prefilled(self) -> bool:
        return False


class LineNumbers(forms.TypedMultipleChoiceField):
    """Which numbers were offered knows the service, which reads the text again."""

    def __init__(self) -> None:
        super().__init__(coerce=int, required=False)

    def valid_value(self, value: Any) -> bool:
        return len(value) <= 9 and value.isdecimal()


class CarriedFields(forms.Form):
    """The second step: the bytes as they were handed in, carried through the page, and the lines to remove."""

    raw = forms.CharField(widget=forms.HiddenInput, max_length=(MAX_BYTES + 2) * 4 // 3 + 4)
    remove = LineNumbers()
    removal = forms.ChoiceField(choices=[("ticked", ""), ("none", ""), ("all", "")], required=False)

    def clean_raw(self) -> bytes:
        try:
            return base64.b64decode(self.cleaned_data["raw"], validate=True)
        except ValueError as error:
            raise forms.ValidationError(_("The text was lost on the way. Hand it in once more.")) from error

    def lines_to_remove(self, draft: Draft) -> list[int]:
        """The lines that the pressed button stands for; without a button (Enter), the ticked ones."""
        if self.cleaned_data["removal"] == "none":
            return []
        if self.cleaned_data["removal"] == "all":
            return [line.number for line in draft.offered]
        return list(self.cleaned_data["remove"])


def carried(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


class HandInForm(WordsFields, DetailsFields):
    no_language = _("As found in the text")
    field_order = ["text", "file", "title", "byline", "date", "language", "url", "discreet"]


class HandInPreviewForm(CarriedFields, DetailsFields):
    public_id = OnceField()

    no_language = _("Not known")


class DetailsForm(DetailsFields):
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].required = True


class ReviseForm(WordsFields):
    version = forms.IntegerField(widget=forms.HiddenInput)
    # Of the text that the page began with: where nobody touched it, a file takes its place.
    began_as = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def text_is_prefilled(self) -> bool:
        return lines_sha256(self.cleaned_data.get("text", "")) == self.cleaned_data.get("began_as")


class RevisePreviewForm(CarriedFields):
    version = forms.IntegerField(widget=forms.HiddenInput)


def lines_sha256(text: str) -> str:
    """The same for a text as it left the server and as a browser sends it back, with CR LF."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(lines.encode()).hexdigest()


def details_initial(article: Article) -> dict[str, Any]:
    return asdict(
        Details(article.title, article.byline, article.date, article.language, article.url, article.discreet)
    ) | {"version": article.version}
