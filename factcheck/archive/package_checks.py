"""What is said of a package that a person handed in: whether index, pages and signature fit what is in it.

Looked at in a child of its own, after the page was taken out: what cannot be looked at does not cost the page.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from factcheck.archive.children import run_child
from factcheck.archive.models import Capture, PackageChecks
from factcheck.archive.public_keys import is_of_the_newsroom

START = "import sys; sys.path.append(sys.argv.pop(1)); from extraction.package_checks import main; main()"
_FOLDER = Path(__file__).resolve().parent
_ANSWER_MAX_BYTES = 64 * 1024
_PARTS = ("signature", "pages", "index")
_WRONG = {
    "pages": ("unreadable", "time"),
    "index": (
        "unreadable",
        "file",
        "offset",
        "length",
        "url",
        "key",
        "time",
        "digest",
        "status",
        "record",
        "part",
    ),
}
_MISSING = {"pages": ("pages", "page", "main"), "index": ("index", "record", "order")}
_FORMS = ("none", "anonymous", "domain", "unknown")
_RESULTS = ("", "good", "list", "other", "time", "bad", "name", "unreadable")
_COUNT_MAX = 1_000_000


@dataclass(frozen=True)
class Finding:
    """A sentence, and how it is meant: "good", "bad", "mixed" or "neutral"."""

    text: str
    tone: str


def check_package(file: IO[bytes]) -> dict[str, Any]:
    """Facts about an uploaded WACZ, with a part missing where it could not be looked at."""
    file.seek(0)
    command = [sys.executable, "-I", "-c", START, str(_FOLDER)]
    answer = run_child(command, file.fileno(), output_max_bytes=_ANSWER_MAX_BYTES)
    facts: dict[str, Any] = {}
    for line in answer.output.split(b"\n")[:-1]:
        try:
            ((part, said),) = json.loads(line).items()
            if part == "signature":
                facts[part] = _signature(said)
            elif part in _PARTS:
                facts[part] = _counts(part, said)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # The child has read hostile bytes: what it says in another way than it should, it did not say.
            continue
    return facts


def _signature(said: Mapping[str, Any]) -> dict[str, Any]:
    form, result = str(said["form"]), str(said["result"])
    if form not in _FORMS or result not in _RESULTS:
        raise ValueError(form)
    return {
        "form": form,
        "result": result,
        **{name: str(said[name])[:300] for name in ("fingerprint", "domain", "created") if name in said},
        **({"trusted": said["trusted"] is True} if "trusted" in said else {}),
    }


def _counts(part: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "lines": _count(said["lines"]),
        "wrong": {code: _count(said["wrong"][code]) for code in _WRONG[part] if code in said["wrong"]},
        "missing": {code: _count(said["missing"][code]) for code in _MISSING[part] if code in said["missing"]},
    }


def _count(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("not a number")
    return min(max(value, 0), _COUNT_MAX)


def is_unsound(facts: Mapping[str, Any]) -> bool:
    """Whether the package contradicts itself. What is missing in it, or could not be looked at, does not."""
    signature = facts.get("signature", {})
    return (
        signature.get("result") not in (None, "", "good")
        or any(facts.get("index", {}).get("wrong", {}).values())
        or any(facts.get("pages", {}).get("wrong", {}).values())
    )


def findings_about(capture: Capture) -> list[Finding]:
    """Empty for what is no uploaded package, and once it is erased."""
    row = PackageChecks.objects.select_related("facts_row").filter(capture=capture).first()
    if row is None or row.facts is None:
        return []
    return findings(row.facts, ours=is_of_the_newsroom(row.facts.get("signature", {}).get("fingerprint", "")))


def findings(facts: Mapping[str, Any], *, ours: bool = False) -> list[Finding]:
    """What was found, in sentences. ``ours``: the key that signed is known as the newsroom's."""
    return [
        *_of_signature(facts.get("signature"), ours=ours),
        *_of_index(facts.get("index")),
        *_of_pages(facts.get("pages")),
    ]


def _of_signature(signature: Mapping[str, Any] | None, *, ours: bool) -> list[Finding]:
    if signature is None:
        return [Finding(_("Its signature could not be looked at: the package took too much time or memory."), "mixed")]
    result, domain = signature["result"], signature.get("domain", "")
    if result not in ("", "good"):
        said = {
            "list": _("Its list of files is not the one that its digest is of: it was changed afterwards."),
            "other": _("Its signature is of another package."),
            "time": _("Its signature names another time than the package does."),
            "bad": _("Its signature is broken: the key beside it did not sign this package."),
            "name": _("Its signature names a domain that its certificate does not."),
        }
        return [Finding(said.get(result) or _("Its signature is in a form that cannot be read."), "bad")]
    if signature["form"] == "none":
        return [Finding(_("It is not signed: nobody can tell whether it was changed since it was made."), "neutral")]
    if signature["form"] == "anonymous":
        if ours:
            return [Finding(_("It is signed with a key of this newsroom, and was not changed since."), "good")]
        whole = _(
            "It is signed, and was not changed since. Whose key it is the signature does not say: %(fingerprint)s"
        )
        return [Finding(whole % {"fingerprint": signature.get("fingerprint", "–")}, "good")]
    when = _("It names %(created)s as its time; the time-stamp beside it was not checked.") % {
        "created": signature.get("created", "–")
    }
    if signature.get("trusted"):
        known = _("It is signed for %(domain)s, by a certificate that browsers trusted at that time.")
        return [Finding(known % {"domain": domain}, "good"), Finding(when, "neutral")]
    unknown = _("It is signed for %(domain)s, but by a certificate that no authority known here vouches for.")
    return [Finding(unknown % {"domain": domain}, "mixed"), Finding(when, "neutral")]


def _of_index(index: Mapping[str, Any] | None) -> list[Finding]:
    if index is None:
        return [Finding(_("Its index could not be looked at: the package took too much time or memory."), "mixed")]
    found = [Finding(_index_sentence(code, number), "bad") for code, number in index["wrong"].items() if number]
    missing = index["missing"]
    if missing.get("index"):
        return [*found, Finding(_("It has no index: replay tools find nothing in it."), "neutral")]
    if number := missing.get("record"):
        said = ngettext(
            "Its index leaves out %(number)d answer that is in the recording.",
            "Its index leaves out %(number)d answers that are in the recording.",
            number,
        )
        found.append(Finding(said % {"number": number}, "neutral"))
    if missing.get("order"):
        found.append(Finding(_("The lines of its index are not in order: a replay tool may miss some."), "neutral"))
    if not found:
        said = ngettext(
            "Its index is right: its %(number)d line says what the record says.",
            "Its index is right: each of its %(number)d lines says what its record says.",
            index["lines"],
        )
        found.append(Finding(said % {"number": index["lines"]}, "good"))
    return found


def _index_sentence(code: str, number: int) -> str:
    sentences = {
        "unreadable": ngettext(
            "%(number)d line of its index cannot be read.", "%(number)d lines of its index cannot be read.", number
        ),
        "file": ngettext(
            "%(number)d line of its index names a file that is not there.",
            "%(number)d lines of its index name a file that is not there.",
            number,
        ),
        "offset": ngettext(
            "%(number)d line of its index points to where no record begins.",
            "%(number)d lines of its index point to where no record begins.",
            number,
        ),
        "length": ngettext(
            "%(number)d line of its index gives another length than the record has.",
            "%(number)d lines of its index give another length than the record has.",
            number,
        ),
        "url": ngettext(
            "%(number)d line of its index gives a record another address than it has.",
            "%(number)d lines of its index give a record another address than it has.",
            number,
        ),
        "key": ngettext(
            "%(number)d line of its index puts a record under another site than its own.",
            "%(number)d lines of its index put a record under another site than its own.",
            number,
        ),
        "time": ngettext(
            "%(number)d line of its index gives a record another time than it has.",
            "%(number)d lines of its index give a record another time than it has.",
            number,
        ),
        "digest": ngettext(
            "%(number)d line of its index gives a page another digest than the record does.",
            "%(number)d lines of its index give a page another digest than the record does.",
            number,
        ),
        "status": ngettext(
            "%(number)d line of its index says another status than the site's answer.",
            "%(number)d lines of its index say another status than the site's answer.",
            number,
        ),
        "record": ngettext(
            "%(number)d line of its index has the hash of other bytes than the record's.",
            "%(number)d lines of its index have the hash of other bytes than the record's.",
            number,
        ),
        "part": ngettext(
            "%(number)d line above its packed index does not fit it.",
            "%(number)d lines above its packed index do not fit it.",
            number,
        ),
    }
    return sentences[code] % {"number": number}


def _of_pages(pages: Mapping[str, Any] | None) -> list[Finding]:
    if pages is None:
        return [Finding(_("Its list of pages could not be looked at: it took too much time or memory."), "mixed")]
    found: list[Finding] = []
    wrong, missing = pages["wrong"], pages["missing"]
    if number := wrong.get("unreadable"):
        said = ngettext(
            "%(number)d line of its list of pages cannot be read.",
            "%(number)d lines of its list of pages cannot be read.",
            number,
        )
        found.append(Finding(said % {"number": number}, "bad"))
    if number := wrong.get("time"):
        said = ngettext(
            "Its list of pages dates %(number)d page to another day than the recording does.",
            "Its list of pages dates %(number)d pages to another day than the recording does.",
            number,
        )
        found.append(Finding(said % {"number": number}, "bad"))
    if missing.get("pages"):
        return [*found, Finding(_("It has no list of pages."), "neutral")]
    if number := missing.get("page"):
        said = ngettext(
            "Its list names %(number)d page that is not in the recording.",
            "Its list names %(number)d pages that are not in the recording.",
            number,
        )
        found.append(Finding(said % {"number": number}, "neutral"))
    if missing.get("main"):
        found.append(Finding(_("The page that it calls its main one is not in the recording."), "neutral"))
    if not found:
        found.append(Finding(_("Every page that it lists is in the recording."), "good"))
    return found
