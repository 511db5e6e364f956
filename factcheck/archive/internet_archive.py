"""What the Internet Archive is asked and what it answers: Save Page Now 2 and the CDX index.

Written after its published description of 2025-10-22 and never tried against the live service. That description has
changed often, so nothing here counts on a limit of theirs: what is left is read from them, and what they say of waiting
is obeyed. Whatever they send is hostile until it is read.
"""

import hashlib
import re
import secrets
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from factcheck.lib.errors import FactcheckError
from factcheck.outbound.api import call, json_of
from factcheck.outbound.decoding import decoded
from factcheck.outbound.errors import AddressRefused, LimitReached, OutboundError
from factcheck.outbound.exchanges import Exchange, Limits, entity

_JOB_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_TIMESTAMP = re.compile(r"[0-9]{14}")
_SHA1 = re.compile(r"[A-Z2-7]{32}")
_MAX_ROWS = 20
_SAID_MAX_CHARS = 300
# A service that asks for a week is asked again after a day.
WAIT_LEAST, WAIT_MOST = timedelta(seconds=10), timedelta(days=1)

_TOMORROW = frozenset(
    {"too-many-daily-captures", "max-daily-bandwidth", "max-daily-bandwidth-host", "max-daily-bandwidth-from-ip"}
)
_FINAL = frozenset(
    {
        "blocked-url",
        "blocked",
        "blocked-client-ip",
        "invalid-url-syntax",
        "invalid-host-resolution",
        "no-access",
        "unauthorized",
        "not-found",
        "method-not-allowed",
        "filesize-limit",
        "too-many-redirects",
        "ftp-access-denied",
        "network-authentication-required",
    }
)


class AskLater(FactcheckError):
    """They cannot now. ``after`` is how long they asked us to wait, None if they did not say.

    ``job_over`` says that the job that we asked about has ended, so that only a new one can help.
    """

    def __init__(
        self, code: str, sentence: str, *, after: timedelta | None = None, job_over: bool = False, said: str = ""
    ) -> None:
        super().__init__(sentence)
        self.code, self.after, self.job_over, self.said = code, after, job_over, said

    @property
    def tomorrow(self) -> bool:
        return self.code in _TOMORROW


class NeverHere(FactcheckError):
    """They will not, however often they are asked."""

    def __init__(self, code: str, sentence: str, *, said: str = "") -> None:
        super().__init__(sentence)
        self.code, self.said = code, said


@dataclass(frozen=True)
class Saving:
    """How far a job of theirs is: "pending", "success", or "unknown" where they have forgotten it.

    ``original`` is the address after redirects, and may be as they please.
    """

    state: str
    timestamp: str = ""
    original: str = ""


@dataclass(frozen=True)
class Copy:
    """A copy in their index. ``sha1`` is base32 over the payload as they received it, "" where they give none."""

    timestamp: str
    original: str
    sha1: str


@dataclass(frozen=True)
class Raw:
    """A copy's bytes, hashed as they came and unpacked; "" for what could not be unpacked."""

    received_sha1: str
    decoded_sha1: str


def can_look_up() -> bool:
    return bool(settings.WITNESS_IA_URL)


def can_save() -> bool:
    return bool(settings.WITNESS_IA_URL and settings.WITNESS_IA_ACCESS_KEY and settings.WITNESS_IA_SECRET)


def saves_left() -> int | None:
    """How many pages we may have saved at this moment; None if they do not say."""
    said = _ask_json("GET", f"/save/status/user?_t={secrets.token_hex(8)}")
    left = said.get("available") if isinstance(said, dict) else None
    return left if isinstance(left, int) and not isinstance(left, bool) else None


def save(url: str) -> str:
    """Ask for a copy now; the id of their job. Raises AskLater or NeverHere."""
    said = _ask_json("POST", "/save", form={"url": url, "skip_first_archive": "1"})
    job_id = said.get("job_id") if isinstance(said, dict) else None
    if not isinstance(job_id, str) or not _JOB_ID.fullmatch(job_id):
        raise _unreadable()
    return job_id


def saving(job_id: str) -> Saving:
    """How far their job is. Raises AskLater (see ``job_over``) or NeverHere."""
    try:
        said = _ask_json("GET", f"/save/status/{job_id}")
    except _NotThere:
        return Saving("unknown")
    state = said.get("status") if isinstance(said, dict) else None
    if state == "pending":
        return Saving("pending")
    if state == "success":
        timestamp, original = said.get("timestamp"), said.get("original_url")
        if not isinstance(timestamp, str) or not _TIMESTAMP.fullmatch(timestamp) or moment_of(timestamp) is None:
            raise _unreadable()
        return Saving("success", timestamp, original if isinstance(original, str) else "")
    return Saving("unknown")


def copies(url: str, *, since: str = "", until: str = "") -> list[Copy]:
    """Copies of an address in their index, the oldest first, between two timestamps; empty if there is none."""
    asked = {
        "url": url,
        "output": "json",
        "fl": "timestamp,original,statuscode,digest",
        "limit": str(-_MAX_ROWS if not since else _MAX_ROWS),
        **({"from": since} if since else {}),
        **({"to": until} if until else {}),
    }
    try:
        said = _ask_json("GET", f"/cdx/search/cdx?{urlencode(asked)}", key=False)
    except _NotThere:
        return []
    if not isinstance(said, list):
        raise _unreadable()
    rows = [row for row in said[1 : _MAX_ROWS + 1] if isinstance(row, list) and all(isinstance(v, str) for v in row)]
    return [
        Copy(row[0], row[1], row[3] if _SHA1.fullmatch(row[3]) else "")
        for row in rows
        # A revisit has the digest of the copy that it repeats, and no status of its own.
        if len(row) == 4 and _TIMESTAMP.fullmatch(row[0]) and moment_of(row[0]) and row[2] in ("200", "-")
    ]


def raw(timestamp: str, original: str, *, seconds: float) -> Raw | None:
    """The copy of exactly this moment, as it was received; None if they do not have it."""
    most = settings.CAPTURE_MAX_BYTES
    try:
        exchange = _call("GET", f"/web/{timestamp}id_/{original}", key=False, seconds=seconds, max_bytes=most)
    except _NotThere:
        return None
    # They answer with a redirect to the nearest copy that they have: that is another one.
    if exchange.status != 200:
        return None
    limits = Limits(most, settings.CAPTURE_MAX_DECODED_BYTES, seconds)
    unpacked = decoded(exchange, limits)
    return Raw(sha1_of(entity(exchange, most)), sha1_of(unpacked.bytes) if unpacked.truncated is None else "")


def memento_url(timestamp: str, original: str) -> str:
    return f"{settings.WITNESS_IA_URL}/web/{timestamp}/{original}"


def moment_of(timestamp: str) -> datetime | None:
    """14 digits, UTC; None for what is no moment."""
    try:
        return datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def timestamp_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def sha1_of(data: bytes) -> str:
    """As their index writes it. It says that two copies are the same bytes, not who sent them."""
    return b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii")


# --- the wire --------------------------------------------------------------------------------


class _NotThere(Exception):
    """404: what we asked about is not known to them."""


def _call(
    method: str,
    path: str,
    *,
    form: Mapping[str, str] | None = None,
    key: bool = True,
    seconds: float = 30.0,
    max_bytes: int = 1024 * 1024,
) -> Exchange:
    headers = {"Accept": "application/json", "User-Agent": settings.ARCHIVE_USER_AGENT}
    if key:
        headers["Authorization"] = f"LOW {settings.WITNESS_IA_ACCESS_KEY}:{settings.WITNESS_IA_SECRET}"
    try:
        exchange = call(
            method, f"{settings.WITNESS_IA_URL}{path}", headers=headers, form=form, seconds=seconds, max_bytes=max_bytes
        )
    except AddressRefused as error:
        raise NeverHere("address", str(error)) from error
    except LimitReached as error:
        raise AskLater("limit", str(error)) from error
    except OutboundError as error:
        raise AskLater("unreachable", str(error)) from error
    if exchange.status == 404:
        raise _NotThere
    if exchange.status in (401, 403):
        raise _problem("unauthorized")
    if exchange.status == 429:
        raise _problem("too-many-requests", after=_retry_after(exchange))
    if exchange.status >= 500:
        raise _problem("service-unavailable", after=_retry_after(exchange))
    return exchange


def _ask_json(method: str, path: str, *, form: Mapping[str, str] | None = None, key: bool = True) -> Any:
    exchange = _call(method, path, form=form, key=key)
    try:
        said = json_of(exchange)
    except OutboundError as error:
        raise _unreadable() from error
    if isinstance(said, dict):
        _raise_what_it_says(said, _retry_after(exchange))
    return said


def _raise_what_it_says(said: dict[str, Any], after: timedelta | None) -> None:
    """Refusals and throttling come with status 200 as well, and then only the words tell."""
    extended, message = said.get("status_ext"), said.get("message")
    words = message[:_SAID_MAX_CHARS] if isinstance(message, str) else ""
    if said.get("status") == "error" or isinstance(extended, str):
        code = extended.removeprefix("error:") if isinstance(extended, str) else ""
        raise _problem(code, after=after, job_over="job_id" in said, said=words)
    if words and not {"job_id", "status", "available"} & said.keys():
        raise _problem("too-many-requests", after=after, said=words)


def _problem(
    code: str, *, after: timedelta | None = None, job_over: bool = False, said: str = ""
) -> AskLater | NeverHere:
    if code in _FINAL:
        return NeverHere(code, problem_sentence(code), said=said)
    known = code if re.fullmatch(r"[a-z0-9-]{1,40}", code) else "unknown"
    return AskLater(known, problem_sentence(known), after=after, job_over=job_over, said=said)


def _unreadable() -> AskLater:
    return AskLater("unreadable", problem_sentence("unreadable"))


def _retry_after(exchange: Exchange) -> timedelta | None:
    """How long they ask us to wait, in seconds or until a date (RFC 9110, 10.2.3)."""
    value = (exchange.header("retry-after") or "").strip()
    if not value:
        return None
    try:
        wait = (
            timedelta(seconds=int(value[:9]))
            if value.isascii() and value.isdigit()
            else parsedate_to_datetime(value).astimezone(UTC) - timezone.now()
        )
    except (ValueError, OverflowError):
        return None
    return min(max(wait, WAIT_LEAST), WAIT_MOST)


def problem_sentence(code: str) -> str:
    """What their word for it means, in a full sentence for the desk."""
    sentences = {
        "blocked-url": _("The Internet Archive does not copy this site, at its owner’s wish or by its own rules."),
        "blocked": _("The site does not let the Internet Archive in."),
        "blocked-client-ip": _("The Internet Archive does not accept requests from this server."),
        "invalid-url-syntax": _("The Internet Archive cannot read this address."),
        "invalid-host-resolution": _("The Internet Archive finds no server under this name."),
        "no-access": _("The site shows the Internet Archive no more than a refusal (403)."),
        "unauthorized": _("The Internet Archive does not accept the newsroom’s key, or the page asks for a password."),
        "not-found": _("The Internet Archive was told that there is no such page (404)."),
        "method-not-allowed": _("The site does not answer the Internet Archive’s kind of request."),
        "filesize-limit": _("The file is larger than the Internet Archive takes."),
        "too-many-redirects": _("The address leads on more often than the Internet Archive follows."),
        "ftp-access-denied": _("The Internet Archive may not read this address."),
        "network-authentication-required": _("The site asks the Internet Archive to sign in to a network first."),
        "too-many-daily-captures": _("The Internet Archive has copied this page often enough today."),
        "max-daily-bandwidth": _("The Internet Archive takes no more from us today."),
        "max-daily-bandwidth-host": _("The Internet Archive takes no more of this site today."),
        "max-daily-bandwidth-from-ip": _("The Internet Archive takes no more from us today."),
        "too-many-requests": _("The Internet Archive, or the site it asks, wants fewer requests."),
        "user-session-limit": _("As many of our pages as the Internet Archive allows are being copied."),
        "unreadable": _("The Internet Archive’s answer could not be read."),
        "unreachable": _("The Internet Archive could not be reached."),
        "limit": _("The Internet Archive answered more than we read."),
        "address": _(
            "The address set for the Internet Archive may not be opened. Whoever runs this server can correct it."
        ),
        "unconfirmed": _("The Internet Archive said that it had a copy, but it could not be found there in a day."),
        "stopped": _("We stopped before the Internet Archive was asked."),
        "stopped-late": _(
            "We stopped asking. The Internet Archive may have been told of the page before, and may have a copy."
        ),
        "forgotten": _("The Internet Archive lost track of the request, and no copy could be found there in a day."),
    }
    return sentences.get(code) or _("The Internet Archive could not copy the page this time.")
