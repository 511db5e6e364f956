"""What the desk shows of a picture: its words about itself, its statement of origin, and where it was met before."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from factcheck.accounts.models import User
from factcheck.archive.media_facts import alike
from factcheck.archive.models import Capture, MediaFacts
from factcheck.desk.selectors_captures import find_capture

ALIKE_SHOWN = 20


@dataclass(frozen=True)
class Alike:
    capture: Capture
    # Of 64 bits; 0 where the two look the same.
    bits: int


@dataclass(frozen=True)
class PicturePanel:
    width: int | None
    height: int | None
    format: str
    # Why there is less than there could be; "" where nothing is missing.
    problem: str
    # Names and values from the file, hostile.
    exif: list[tuple[str, str]]
    # "60.17, 24.94", or ""
    place: str
    # Sentences about the statement of origin, each with its tone.
    origin: list[tuple[str, str]]
    # The names in it are their own word.
    signed: list[tuple[str, str]]
    alike: list[Alike]
    comparable: bool


def picture_panel(capture: Capture, person: User) -> PicturePanel | None:
    """None for what is no picture. Alike are only copies that the person may know of."""
    row = MediaFacts.objects.select_related("facts_row").filter(capture=capture).first()
    if row is None:
        return None
    facts: dict[str, Any] = json.loads(row.facts_row.body) if row.facts_row.body else {}
    manifest = facts.get("c2pa") or {"state": ""}
    gps = facts.get("gps")
    return PicturePanel(
        width=row.width,
        height=row.height,
        format=facts.get("format", ""),
        problem=_problem(facts.get("problem", "")),
        exif=[(name, value) for name, value in facts.get("exif", [])],
        place=f"{gps[0]}, {gps[1]}" if gps else "",
        origin=_origin(manifest),
        signed=_signed(manifest),
        alike=_known_alike(capture, person),
        comparable=bool(row.phash),
    )


def _known_alike(capture: Capture, person: User) -> list[Alike]:
    shown: list[Alike] = []
    for other, bits in alike(capture):
        if len(shown) == ALIKE_SHOWN:
            break
        if (known := find_capture(other.public_id, person)) is not None:
            shown.append(Alike(known, bits))
    return shown


def _problem(code: str) -> str:
    if not code:
        return ""
    sentences = {
        "damaged": _("The picture is damaged or breaks off; only a part of it could be read."),
        "too_large": _("The picture has more pixels than can be unpacked here, so that it cannot be compared."),
        "limit": _("The picture took too much time or memory to read."),
    }
    return sentences.get(code) or _("The picture could not be read.")


def _origin(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    if manifest["state"] != "found":
        sentences = {
            "none": _(
                "The picture makes no statement of where it comes from (C2PA). Most make none; that speaks neither for "
                "nor against it."
            ),
            "elsewhere": _("Its statement of origin (C2PA) lies somewhere on the web and was not fetched."),
            "not_installed": _("Statements of origin (C2PA) are not read on this machine."),
            "unreadable": _("It carries a statement of origin (C2PA) that could not be read."),
        }
        said = sentences.get(manifest["state"])
        return [(said, "neutral")] if said else []
    intact = (
        (_("Signature: the statement of origin is as it was signed."), "good")
        if manifest["intact"]
        else (_("Signature: the statement of origin is not as it was signed, or cannot be checked."), "mixed")
    )
    bound = (
        (_("Picture: it is the very one that the statement was made for."), "good")
        if manifest["bound"]
        else (_("Picture: it was saved anew or changed after the statement was made for it."), "mixed")
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
