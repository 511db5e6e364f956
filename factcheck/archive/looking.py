"""A light look at a page: what it says now. It is read as a capture is, and nothing of it is kept."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field

from django.conf import settings

from factcheck.archive.capturing import (
    EXTRACTING_SECONDS,
    SLACK_SECONDS,
    classified,
    limits_for,
    read_text,
    verdict_of,
    write_body,
)
from factcheck.archive.outcomes import Outcome, sentence
from factcheck.outbound.recording import fetch_document

# On the network, and then with the reader.
LOOK_SECONDS = settings.CAPTURE_TIMEOUT_SECONDS + EXTRACTING_SECONDS + SLACK_SECONDS


@dataclass(frozen=True)
class Look:
    """``outcome`` and ``reason`` are those that a capture of the page would have been sealed with."""

    outcome: Outcome
    reason: str = ""
    body: bytes = b""
    # The words of each text layer that has some, by its kind.
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return sentence(self.outcome, self.reason)


def look_at(url: str, *, discreet: bool, seconds: float) -> Look:
    """Fetch a page through the address rule and read it; whatever happens, it is an outcome. Tried once."""
    limits = limits_for(seconds)
    agent = settings.ARCHIVE_DISCREET_USER_AGENT if discreet else settings.ARCHIVE_USER_AGENT
    with fetch_document(url, limits=limits, user_agent=agent) as fetched:
        if fetched.final is None:
            assert fetched.error is not None
            verdict = verdict_of(fetched.error)
            return Look(Outcome(verdict.outcome), verdict.reason)
        with tempfile.TemporaryFile() as file:
            body = write_body(fetched.final, limits, file)
            extracted = read_text(file, body)
            file.seek(0)
            data = file.read()
        verdict = classified(fetched, fetched.final, body, extracted)
    return Look(
        outcome=Outcome(verdict.outcome),
        reason=verdict.reason,
        body=data,
        texts={layer.kind: layer.text for layer in extracted.layers if layer.text},
    )
