"""What a capture can end as, and what that means for the editor: a sentence and the next steps."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factcheck.archive.browser.driving import browser_available


class Outcome(models.TextChoices):
    CAPTURED = "captured", gettext_lazy("Captured")
    CAPTURED_PARTIAL = "captured_partial", gettext_lazy("Captured in part")
    NEEDS_BROWSER = "needs_browser", gettext_lazy("Needs a browser")
    BLOCKED = "blocked", gettext_lazy("Blocked")
    GONE = "gone", gettext_lazy("Gone")
    REFUSED = "refused", gettext_lazy("Refused by us")
    TLS_ERROR = "tls_error", gettext_lazy("No safe connection")
    UNREACHABLE = "unreachable", gettext_lazy("Out of reach")
    FAILED = "failed", gettext_lazy("Failed")

    @staticmethod
    def with_evidence() -> tuple[Outcome, ...]:
        """Only a page that we really have can carry evidence; the second with a warning."""
        return Outcome.CAPTURED, Outcome.CAPTURED_PARTIAL


class NextStep(StrEnum):
    """What an editor can do about a result; the desk knows the form for each."""

    CHECK_PASSAGE = "check_passage"
    RETRY = "retry"
    CAPTURE_IN_BROWSER = "capture_in_browser"
    WAIT = "wait"
    CORRECT_URL = "correct_url"
    CAPTURE_DESPITE_TLS = "capture_despite_tls"
    ASK_INTERNET_ARCHIVE = "ask_internet_archive"
    UPLOAD_OWN_COPY = "upload_own_copy"
    FIND_OTHER_SOURCE = "find_other_source"
    TAKE_FILE_OR_WORK = "take_file_or_work"

    @property
    def label(self) -> str:
        return {
            NextStep.CHECK_PASSAGE: _("Look at the passage"),
            NextStep.RETRY: _("Try again now"),
            NextStep.CAPTURE_IN_BROWSER: _("Open it in a browser and archive what it shows"),
            NextStep.WAIT: _("Wait: it is tried again by itself"),
            NextStep.CAPTURE_DESPITE_TLS: _("Archive it all the same, marked for ever"),
            NextStep.CORRECT_URL: _("Correct the address"),
            NextStep.ASK_INTERNET_ARCHIVE: _("Ask the Internet Archive"),
            NextStep.UPLOAD_OWN_COPY: _("Upload my own copy"),
            NextStep.FIND_OTHER_SOURCE: _("Find another page that says it"),
            NextStep.TAKE_FILE_OR_WORK: _("Enter it as a work, with its edition and page"),
        }[self]


def sentence(outcome: Outcome | str, reason: str = "") -> str:
    """What happened, in one full sentence for the desk."""
    by_reason = {
        (Outcome.CAPTURED, ""): _("The page is archived as it was sent."),
        (Outcome.CAPTURED, "upload"): _("A person's own copy is on file. It was not fetched by us."),
        (Outcome.CAPTURED_PARTIAL, "upload_other"): _(
            "A person's own recording is on file. It holds no page of this address; another one was taken out of it."
        ),
        (Outcome.CAPTURED_PARTIAL, "upload_cut"): _(
            "A person's own recording is on file. It says itself that it holds only a part of the page."
        ),
        (Outcome.CAPTURED_PARTIAL, "upload_unsound"): _(
            "A person's own recording is on file. It contradicts itself: its index, its list of pages or its signature "
            "is not right."
        ),
        (Outcome.CAPTURED_PARTIAL, "upload_damaged"): _(
            "A person's own copy is on file, but it is damaged or breaks off."
        ),
        (Outcome.FAILED, "upload"): _("A file was uploaded, but no page could be taken out of it."),
        (Outcome.CAPTURED_PARTIAL, "length"): _("Only the first part is archived: the page is larger than our limit."),
        (Outcome.CAPTURED_PARTIAL, "decoded"): _(
            "The bytes are archived, but unpacked they are larger than our limit: only the first part was read."
        ),
        (Outcome.CAPTURED_PARTIAL, "time"): _("Only a part is archived: the site sent too slowly."),
        (Outcome.CAPTURED_PARTIAL, "disconnect"): _("Only a part is archived: the site broke off while sending."),
        (Outcome.CAPTURED_PARTIAL, "damaged"): _(
            "The bytes are archived, but the site sent them damaged: only the part before the damage was read."
        ),
        (Outcome.CAPTURED_PARTIAL, "coding"): _("The bytes are archived, but packed in a way that we cannot read."),
        (Outcome.CAPTURED_PARTIAL, "browser"): _(
            "The page is archived as it was sent, but the browser could not show it to its end."
        ),
        (Outcome.CAPTURED_PARTIAL, "no_words"): _(
            "The page is archived, but its scripts showed no words in our browser either. Look at the pictures of it."
        ),
        (Outcome.CAPTURED_PARTIAL, ""): _("Only a part of the page is archived."),
        (Outcome.NEEDS_BROWSER, ""): _("The page shows its words only to a browser that runs its script."),
        (Outcome.BLOCKED, "bot_wall"): _("The site asks visitors to prove that they are human, and sent no article."),
        (Outcome.BLOCKED, "login"): _("The site shows this page only to people who have signed in."),
        (Outcome.BLOCKED, "paywall"): _("The site shows this page only to subscribers."),
        (Outcome.BLOCKED, "geo"): _("The site does not show this page in the country that we ask from."),
        (Outcome.BLOCKED, "rate"): _("The site says that we ask too often."),
        (Outcome.BLOCKED, ""): _("The site does not let us see this page."),
        (Outcome.GONE, "404"): _("The site says that there is no such page (404)."),
        (Outcome.GONE, "410"): _("The site says that the page was removed for good (410)."),
        (Outcome.GONE, "soft404"): _("The site answers, but what it shows says that the page is not there."),
        (Outcome.GONE, ""): _("The page is not there."),
        (Outcome.REFUSED, "ssrf"): _("We do not open this address: it leads into a private network."),
        (Outcome.REFUSED, "scheme"): _("We do not open this address: only http and https pages can be archived."),
        (Outcome.REFUSED, "policy"): _("We do not open this address: its form or its port is not allowed here."),
        (Outcome.REFUSED, "loop"): _("The address leads on and on to others without ever showing a page."),
        (Outcome.REFUSED, ""): _("We do not open this address."),
        (Outcome.TLS_ERROR, ""): _("The site's certificate is not valid, so nobody could say who sent the page."),
        (Outcome.UNREACHABLE, "dns"): _("No server is known under this name."),
        (Outcome.UNREACHABLE, "connect"): _("The server does not accept connections."),
        (Outcome.UNREACHABLE, "timeout"): _("The server did not answer in time."),
        (Outcome.UNREACHABLE, "disconnect"): _("The server broke off before it had answered."),
        (Outcome.UNREACHABLE, "protocol"): _("The server's answer is not a web page that can be read."),
        (Outcome.UNREACHABLE, "server"): _("The site itself reports a fault on its side."),
        (Outcome.UNREACHABLE, ""): _("The site cannot be reached."),
        (Outcome.FAILED, "cancelled"): _("The capture was cancelled before it was made; nothing was kept."),
        (Outcome.FAILED, "browser"): _("The page shows its words only in a browser, and ours could not open it."),
        (Outcome.FAILED, "no_browser"): _("The page was to be opened in a browser, and there is none here any more."),
        (Outcome.FAILED, ""): _("Archiving failed here, on our side; the page itself may be fine."),
    }
    kind = Outcome(outcome)
    return by_reason.get((kind, reason)) or by_reason[(kind, "")]


# Where somebody else may have seen the page that we did not get to see.
_OTHERS_MAY_HAVE_IT = frozenset((Outcome.NEEDS_BROWSER, Outcome.BLOCKED, Outcome.GONE, Outcome.UNREACHABLE))


# What may look otherwise to a browser: an empty frame, or a wall against what is none.
_OTHERWISE_IN_A_BROWSER = frozenset(
    ((Outcome.NEEDS_BROWSER, ""), (Outcome.BLOCKED, "bot_wall"), (Outcome.BLOCKED, "status"))
)


def next_steps(outcome: Outcome | str, reason: str = "") -> tuple[NextStep, ...]:
    steps = _steps(outcome, reason)
    if (outcome, reason) in _OTHERWISE_IN_A_BROWSER and browser_available():
        steps = (NextStep.CAPTURE_IN_BROWSER, *steps)
    if settings.WITNESS_IA_URL and outcome in _OTHERS_MAY_HAVE_IT:
        place = steps.index(NextStep.FIND_OTHER_SOURCE)
        return *steps[:place], NextStep.ASK_INTERNET_ARCHIVE, *steps[place:]
    return steps


def _steps(outcome: Outcome | str, reason: str) -> tuple[NextStep, ...]:
    match Outcome(outcome):
        case Outcome.CAPTURED:
            return (NextStep.CHECK_PASSAGE,)
        case Outcome.CAPTURED_PARTIAL:
            return NextStep.CHECK_PASSAGE, NextStep.RETRY, NextStep.UPLOAD_OWN_COPY
        case Outcome.TLS_ERROR:
            return (
                NextStep.RETRY,
                NextStep.CAPTURE_DESPITE_TLS,
                NextStep.UPLOAD_OWN_COPY,
                NextStep.FIND_OTHER_SOURCE,
                NextStep.TAKE_FILE_OR_WORK,
            )
        case Outcome.REFUSED:
            return NextStep.CORRECT_URL, NextStep.UPLOAD_OWN_COPY, NextStep.FIND_OTHER_SOURCE
        case Outcome.GONE:
            return NextStep.CORRECT_URL, NextStep.RETRY, NextStep.UPLOAD_OWN_COPY, NextStep.FIND_OTHER_SOURCE
        case Outcome.UNREACHABLE if reason == "dns":
            return NextStep.CORRECT_URL, NextStep.RETRY, NextStep.UPLOAD_OWN_COPY, NextStep.FIND_OTHER_SOURCE
        case Outcome.BLOCKED if reason in ("paywall", "geo"):
            return NextStep.UPLOAD_OWN_COPY, NextStep.TAKE_FILE_OR_WORK, NextStep.FIND_OTHER_SOURCE
        case Outcome.UNREACHABLE | Outcome.FAILED | Outcome.BLOCKED:
            return NextStep.RETRY, NextStep.UPLOAD_OWN_COPY, NextStep.FIND_OTHER_SOURCE, NextStep.TAKE_FILE_OR_WORK
        case _:
            return NextStep.UPLOAD_OWN_COPY, NextStep.FIND_OTHER_SOURCE, NextStep.TAKE_FILE_OR_WORK
