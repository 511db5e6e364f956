"""What the desk shows of a picture, film or PDF: its words about itself, where it says it comes from, and where the
same was met before.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from factcheck.accounts.models import User
from factcheck.archive.media_facts import Likeness, alike, kind_of
from factcheck.archive.models import Capture, MediaFacts, PictureWithin
from factcheck.desk.selectors_captures import known_to

ALIKE_SHOWN = 20
_FAMILIAR = {
    "avc1": "H.264",
    "avc3": "H.264",
    "hvc1": "H.265",
    "hev1": "H.265",
    "av01": "AV1",
    "vp08": "VP8",
    "vp09": "VP9",
    "mp4v": "MPEG-4",
    "mp4a": "AAC",
    "ac-3": "AC-3",
    "ec-3": "E-AC-3",
    "Opus": "Opus",
    "apcn": "ProRes",
    "apch": "ProRes",
    "jpeg": "Motion JPEG",
    "sowt": "PCM",
    "lpcm": "PCM",
    "V_MPEG4/ISO/AVC": "H.264",
    "V_MPEGH/ISO/HEVC": "H.265",
    "V_VP8": "VP8",
    "V_VP9": "VP9",
    "V_AV1": "AV1",
    "A_OPUS": "Opus",
    "A_VORBIS": "Vorbis",
    "A_AAC": "AAC",
}


@dataclass(frozen=True)
class Alike:
    capture: Capture
    # How the two are alike, as a sentence without its full stop.
    how: str


@dataclass(frozen=True)
class MediaPanel:
    heading: str
    # Why there is less than there could be; "" where nothing is missing.
    problem: str
    # What the file is made of: plain facts, not its maker's claims.
    make: list[str]
    # What one should look at before one relies on the file.
    notes: list[str]
    # Sentences about the statement of origin, each with its tone.
    origin: list[tuple[str, str]]
    # The names in it are their own word.
    signed: list[tuple[str, str]]
    # Names and values from the file, hostile.
    said: list[tuple[str, str]]
    # What such words are worth, and what it means that there are none.
    said_heading: str
    said_worth: str
    said_none: str
    alike: list[Alike]
    # Why nothing can be compared, "" where it was.
    incomparable: str


def media_panel(capture: Capture, person: User) -> MediaPanel | None:
    """None for what is no such file. Alike are only copies that the person may know of."""
    row = MediaFacts.objects.select_related("facts_row").filter(capture=capture).first()
    if row is None:
        return None
    facts: dict[str, Any] = json.loads(row.facts_row.body) if row.facts_row.body else {}
    kind = facts.get("kind", "picture")
    manifest = facts.get("c2pa") or {"state": ""}
    within = PictureWithin.objects.filter(capture=capture).count()
    said_heading, said_worth, said_none = _about_words(kind)
    return MediaPanel(
        heading={"film": _("The film"), "pdf": _("The PDF"), "picture": _("The picture")}.get(kind, _("The file")),
        problem=_problem(facts.get("problem", ""), kind),
        make={"film": _film_make, "pdf": _pdf_make}.get(kind, _picture_make)(facts, row),
        notes={"film": _film_notes, "pdf": _pdf_notes}.get(kind, lambda _facts: [])(facts),
        origin=_origin(manifest),
        signed=_signed(manifest),
        said=_said(facts),
        said_heading=said_heading,
        said_worth=said_worth,
        said_none=said_none,
        alike=_known_alike(capture, person, kind),
        incomparable=_incomparable(facts, row, within),
    )


# --- what it is made of ----------------------------------------------------------------------


def _pixels(width: int | None, height: int | None) -> str:
    return _("%(width)s × %(height)s pixels") % {"width": width, "height": height} if width and height else ""


def _picture_make(facts: dict[str, Any], row: MediaFacts) -> list[str]:
    return _joined([[facts.get("format", ""), _pixels(row.width, row.height)]])


def _film_make(facts: dict[str, Any], row: MediaFacts) -> list[str]:
    lines = [[facts.get("format", ""), _length(facts.get("seconds")), _pixels(row.width, row.height)]]
    kinds = {"video": _("Picture"), "audio": _("Sound"), "text": _("Subtitles"), "data": _("Data")}
    for track in facts.get("tracks", []):
        name = kinds.get(track["kind"], _("Other track"))
        codec = _FAMILIAR.get(track["codec"], "")
        code = f"{codec} ({track['codec']})" if codec and codec != track["codec"] else track["codec"]
        channels = track.get("channels")
        lines.append(
            [
                f"{name}: {code}" if code else name,
                _pixels(track.get("width"), track.get("height")) if track["kind"] == "video" else "",
                ngettext("%(count)d channel", "%(count)d channels", channels) % {"count": channels} if channels else "",
                _("packed by %(name)s") % {"name": track["encoder"]} if track.get("encoder") else "",
            ]
        )
    return _joined(lines)


def _pdf_make(facts: dict[str, Any], _row: MediaFacts) -> list[str]:
    pages, size = facts.get("pages"), facts.get("page_size")
    return _joined(
        [
            [
                facts.get("format", ""),
                ngettext("%(count)d page", "%(count)d pages", pages) % {"count": pages} if pages else "",
                _("the first is %(width)s × %(height)s mm") % {"width": size[0], "height": size[1]}
                if size and size[0] and size[1]
                else "",
            ]
        ]
    )


def _joined(lines: Sequence[Sequence[str]]) -> list[str]:
    return [", ".join(part for part in parts if part) for parts in lines if any(parts)]


def _length(seconds: float | None) -> str:
    if not seconds:
        return ""
    whole = round(seconds)
    if not whole:
        return _("less than a second")
    hours, minutes = divmod(whole // 60, 60)
    clock = f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
    return _("%(clock)s long") % {"clock": clock}


# --- what to look at -------------------------------------------------------------------------


def _film_notes(facts: dict[str, Any]) -> list[str]:
    if not facts.get("fragmented"):
        return []
    return [_("It is packed in pieces, as live streams, screen recordings and films saved from a platform often are.")]


def _pdf_notes(facts: dict[str, Any]) -> list[str]:
    notes = []
    if facts.get("encrypted"):
        notes.append(_("It is encrypted, but opens without a password."))
    if updates := facts.get("updates"):
        notes.append(
            ngettext(
                "It was changed and saved on top of itself once: an earlier state is still in the file. Filling in a "
                "form or signing does that too.",
                "It was changed and saved on top of itself %(count)d times: earlier states are still in the file. "
                "Filling in a form or signing does that too.",
                updates,
            )
            % {"count": updates}
        )
    if signatures := facts.get("signatures"):
        notes.append(
            ngettext(
                "It holds a signature. Whose it is, and whether it holds, is not checked here.",
                "It holds %(count)d signatures. Whose they are, and whether they hold, is not checked here.",
                len(signatures),
            )
            % {"count": len(signatures)}
        )
        if not any(signature["to_the_end"] for signature in signatures):
            notes.append(_("No signature covers the file to its end: something was added after the last one."))
    if files := facts.get("files"):
        notes.append(_("Files lie in it: %(names)s.") % {"names": ", ".join(files)})
    actions = {
        "script": _("It holds a program (JavaScript), which is not run here."),
        "launch": _("It asks the reader's computer to open another program."),
        "submit": _("It can send what is filled in to an address."),
        "film": _("It holds film or sound, which is not shown here."),
    }
    return [*notes, *(actions[code] for code in facts.get("actions", []) if code in actions)]


# --- what it says ----------------------------------------------------------------------------


def _about_words(kind: str) -> tuple[str, str, str]:
    worth = _(
        "Anybody can write this into a file, and programs that send files on often take it out. Readers never see it."
    )
    if kind == "film":
        return (
            _("What the file says of itself"),
            worth
            + " "
            + _(
                "Times are those of the device's clock, often without its zone; platforms replace them by the time of "
                "upload. None of it shows that the scene is what it is said to be."
            ),
            _("The file says nothing of camera, time or place. Platforms take that out of what people upload."),
        )
    if kind == "pdf":
        return (
            _("What the file says of itself"),
            worth + " " + _("Author and dates are often those of a template, or of the computer it was made on."),
            _("The file says nothing of author, program or time."),
        )
    return (
        _("What the file says of itself (EXIF, XMP)"),
        worth,
        _("The file says nothing of camera, time or place (no EXIF, no XMP).") if kind == "picture" else "",
    )


def _said(facts: dict[str, Any]) -> list[tuple[str, str]]:
    labels = {
        "make": _("Maker of the device"),
        "model": _("Device"),
        "android": _("Android version"),
        "software": _("Program"),
        "producer": _("Written by the program"),
        "title": _("Title"),
        "author": _("Author"),
        "artist": _("Artist"),
        "comment": _("Comment"),
        "description": _("Description"),
        "copyright": _("Copyright"),
        "keywords": _("Keywords"),
        "location": _("Place"),
        "place": _("Place"),
        "recorded": _("Recorded"),
        "created": _("Created"),
        "changed": _("Changed"),
        "noted": _("These words changed"),
        "credit": _("Credit"),
        "source": _("Source"),
        "step": _("Step in its making"),
        "attachment": _("File that lies in it"),
        "document id": _("Number of the document"),
        "original document id": _("Number of the document it was made from"),
    }
    said: list[tuple[str, str]] = []
    gps = facts.get("gps")
    if gps:
        said.append((_("Place (GPS)"), f"{gps[0]}, {gps[1]}"))
    for name in ("created", "changed"):
        if facts.get(name):
            said.append((labels[name], facts[name]))
    for name, value in [*facts.get("words", []), *facts.get("exif", [])]:
        said.append((labels.get(name, name), value))
    for name, value in facts.get("xmp", []):
        said.append((f"{labels.get(name, name)} (XMP)", value))
    for track in facts.get("tracks", []):
        # What some programs write wherever nobody gave a name says nothing.
        if track.get("name") not in ("", None, "VideoHandler", "SoundHandler"):
            said.append((_("Name of a track"), track["name"]))
    for signature in facts.get("signatures", []):
        if words := " · ".join(part for part in (signature["when"], signature["reason"]) if part):
            said.append((_("Signature"), words))
    return list(dict.fromkeys(said))


# --- the same elsewhere ----------------------------------------------------------------------


def _known_alike(capture: Capture, person: User, kind: str) -> list[Alike]:
    found = alike(capture)
    known = known_to(person, [one.capture for one in found])
    return [Alike(one.capture, _how(one, kind)) for one in found if one.capture.pk in known][:ALIKE_SHOWN]


def _how(one: Likeness, kind: str) -> str:
    if one.same_file:
        return _("the same file, byte for byte")
    looks = _("looks nearly the same") if one.bits else _("looks the same")
    here = there = ""
    if kind == "film":
        here = _("a picture in it") if one.page else _("its cover picture")
    elif one.page:
        here = _("the picture on page %(page)d") % {"page": one.page}
    if one.other_page:
        in_film = kind_of(one.capture.media_type) == "film"
        there = _("as one in it") if in_film else _("as the one on page %(page)d there") % {"page": one.other_page}
    return " ".join(part for part in (here, looks, there) if part)


def _incomparable(facts: dict[str, Any], row: MediaFacts, within: int) -> str:
    match facts.get("kind", "picture"):
        case "picture" if not row.phash:
            return _("It cannot be compared: it could not be unpacked, or it is one even area.")
        case "film" if facts.get("unpacked"):
            return _("Whole files and some of its pictures were compared.")
        case "film" if not within:
            return _(
                "Only whole files were compared: nothing here unpacks films, so that single pictures are not known "
                "again."
            )
        case "film":
            return _("Whole files and the cover picture were compared. Nothing here unpacks films.")
        case "pdf" if facts.get("stopped"):
            return _("Not all pictures on its pages were compared: reading them went beyond the limits here.")
        case "pdf" if not within:
            return _("Only whole files were compared: no larger picture could be read from its first pages.")
        case "other":
            return _("Only whole files were compared.")
    return ""


# --- what is missing, and the statement of origin --------------------------------------------


def _problem(code: str, kind: str) -> str:
    if not code:
        return ""
    if kind == "picture":
        sentences = {
            "damaged": _("The picture is damaged or breaks off; only a part of it could be read."),
            "too_large": _("The picture has more pixels than can be unpacked here, so that it cannot be compared."),
            "limit": _("The picture took too much time or memory to read."),
        }
        return sentences.get(code) or _("The picture could not be read.")
    sentences = {
        "damaged": _("The file is damaged or breaks off; only a part of it could be read."),
        "encrypted": _("The file opens only with a password; little could be read."),
        "limit": _("The file has more parts, or takes more time or memory, than is spent on it here."),
        "too_large": _("The file took too much memory to read."),
    }
    return sentences.get(code) or _("The file could not be read.")


def _origin(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    if manifest["state"] != "found":
        sentences = {
            "none": _(
                "The file makes no statement of where it comes from (C2PA). Most make none; that speaks neither for "
                "nor against it."
            ),
            "elsewhere": _("Its statement of origin (C2PA) lies somewhere on the web and was not fetched."),
            "not_installed": _("Statements of origin (C2PA) are not read on this machine."),
            "not_read": _("Statements of origin (C2PA) are not read from files of this kind."),
            "unreadable": _("If it carries a statement of origin (C2PA), that could not be read."),
            "limit": _(
                "Whether it carries a statement of origin (C2PA) could not be found out within the limits here."
            ),
        }
        said = sentences.get(manifest["state"])
        return [(said, "neutral")] if said else []
    intact = (
        (_("Signature: the statement of origin is as it was signed."), "good")
        if manifest["intact"]
        else (_("Signature: the statement of origin is not as it was signed, or cannot be checked."), "mixed")
    )
    bound = (
        (_("File: it is the very one that the statement was made for."), "good")
        if manifest["bound"]
        else (_("File: it was saved anew or changed after the statement was made for it."), "mixed")
    )
    trusted = (
        (_("Signer: on our list."), "good")
        if manifest["trusted"]
        else (_("Signer: not on our list. Anybody can sign; the name is their own word."), "neutral")
    )
    return [intact, bound, trusted]


def _signed(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    named = (
        (_("Signed as"), manifest.get("signer")),
        (_("Certificate from"), manifest.get("issuer")),
        (_("Signed at"), manifest.get("signed_at")),
        (_("Made with"), manifest.get("made_with")),
    )
    return [(label, value) for label, value in named if value]
