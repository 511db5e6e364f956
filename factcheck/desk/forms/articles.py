import base64
import hashlib
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django import forms
from django.conf.locale import LANG_INFO
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from factcheck.accounts.models import User
from factcheck.archive import blobs
from factcheck.archive.errors import BlobError
from factcheck.articles.errors import UnreadableText
from factcheck.articles.formats import SUFFIXES, Format, format_of
from factcheck.articles.importing import MAX_BYTES, MAX_DOCUMENT_BYTES, TITLE_LENGTH, Draft
from factcheck.articles.models import Article
from factcheck.articles.services import Details
from factcheck.desk.forms.once import OnceField

# Before pasted markup, which may name the charset of the page that it is from: what a browser sends is UTF-8.
PASTED = b"\xef\xbb\xbf"
# Less than the store keeps what nothing names.
_KEPT_FOR = timedelta(hours=20)
_LOST = _("The text was lost on the way. Hand it in once more.")


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
        widget=forms.Textarea(attrs={"class": "text", "rows": 20, "data-paste": "text"}),
        help_text=_(
            "Paste it from a browser, Google Docs or a word processor: headings, lists, quotes and links are taken "
            "along. What is typed here is plain text, with a blank line between paragraphs."
        ),
    )
    # What the clipboard holds of the same text with its markup; the page's script puts it here, and takes it
    # out again when the text is edited.
    markup = forms.CharField(required=False, strip=False, widget=forms.HiddenInput(attrs={"data-paste": "markup"}))
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        allow_empty_file=True,
        help_text=_(
            "Word (.docx), OpenDocument (.odt), PDF, web page (.html), Markdown (.md) or plain text (.txt). Comments "
            "and footnotes come along as the author’s back-up."
        ),
        widget=forms.FileInput(attrs={"accept": ",".join(SUFFIXES)}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload: UploadedFile[bytes] | None = cleaned.get("file")
        text: str = cleaned.get("text", "")
        if upload is not None and text.strip() and not self.text_is_prefilled():
            raise forms.ValidationError(_("There is a text and a file. Empty one of them: which is the article?"))
        if upload is None and not text.strip():
            raise forms.ValidationError(_("Paste a text or choose a file."))
        if upload is not None:
            cleaned["raw"], cleaned["form"] = _uploaded(upload)
        elif cleaned.get("markup", "").strip():
            cleaned["raw"], cleaned["form"] = PASTED + cleaned["markup"].encode(), Format.HTML
        else:
            cleaned["raw"], cleaned["form"] = text.encode(), Format.TEXT
        return cleaned

    def text_is_prefilled(self) -> bool:
        return False

    def explain_lost_file(self, *, too_large: bool) -> None:
        """On a form that comes back: its words are still there, and its file is not."""
        if too_large:
            self.errors.pop("__all__", None)
            self.add_error("file", _("This file is too large for an article; is it the right one?"))
        elif "file" in self.files:
            self.add_error("file", _("Choose the file again: a browser does not keep it. All else is still here."))


def _uploaded(upload: "UploadedFile[bytes]") -> tuple[bytes, Format]:
    if (upload.size or 0) > MAX_DOCUMENT_BYTES:
        raise forms.ValidationError(_("This file is too large for an article; is it the right one?"))
    raw = upload.read()
    try:
        form = format_of(raw, upload.name or "")
    except UnreadableText as refusal:
        raise forms.ValidationError(str(refusal)) from refusal
    if form is Format.TEXT and len(raw) > MAX_BYTES:
        raise forms.ValidationError(_("This text is larger than 2 MB. An article is not; is it the right file?"))
    return raw, form


class LineNumbers(forms.TypedMultipleChoiceField):
    """Which numbers were offered knows the service, which reads the text again."""

    def __init__(self) -> None:
        super().__init__(coerce=int, required=False)

    def valid_value(self, value: Any) -> bool:
        return len(value) <= 9 and value.isdecimal()


class RemovalFields(forms.Form):
    """Which of the offered lines are to go."""

    remove = LineNumbers()
    removal = forms.ChoiceField(choices=[("ticked", ""), ("none", ""), ("all", "")], required=False)

    def lines_to_remove(self, draft: Draft) -> list[int]:
        """The lines that the pressed button stands for; without a button (Enter), the ticked ones."""
        if self.cleaned_data["removal"] == "none":
            return []
        if self.cleaned_data["removal"] == "all":
            return [line.number for line in draft.offered]
        return list(self.cleaned_data["remove"])


class CarriedFields(RemovalFields):
    """The second step: the bytes as they were handed in.

    A plain text is carried through the page. A document lies in the store, where what nothing names is deleted
    after a day; the page carries a word for it that is signed for this person alone, so that nobody can ask for
    bytes that others handed in.
    """

    raw = forms.CharField(widget=forms.HiddenInput, required=False, max_length=(MAX_BYTES + 2) * 4 // 3 + 4)
    kept = forms.CharField(widget=forms.HiddenInput, required=False, max_length=400)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def clean_raw(self) -> bytes:
        try:
            return base64.b64decode(self.cleaned_data["raw"], validate=True)
        except ValueError as error:
            raise forms.ValidationError(_LOST) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["form"] = Format.TEXT
        if cleaned.get("kept"):
            try:
                sha256, form = signing.loads(cleaned["kept"], salt=_salt(self.by), max_age=_KEPT_FOR)
                cleaned["raw"], cleaned["form"] = blobs.read(sha256), Format(form)
            except (signing.BadSignature, BlobError) as error:
                cleaned["raw"] = b""
                raise forms.ValidationError(_LOST) from error
        elif not cleaned.get("raw") and "raw" not in self.errors:
            raise forms.ValidationError(_LOST)
        return cleaned


def carried(raw: bytes, form: Format, *, by: User) -> dict[str, str]:
    """The initial values of CarriedFields."""
    if form is Format.TEXT:
        return {"raw": base64.b64encode(raw).decode("ascii")}
    return {"kept": signing.dumps([blobs.store(raw).sha256, str(form)], salt=_salt(by))}


def _salt(by: User) -> str:
    return f"factcheck.handed-in.{by.pk}"


class HandInForm(WordsFields, DetailsFields):
    no_language = _("As found in the text")
    field_order = ["text", "markup", "file", "title", "byline", "date", "language", "url", "discreet"]


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
