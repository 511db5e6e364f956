"""The frozen content of a publication: its JSON, and what goes into it.

docs/publication-format.md gives the shape. Whatever is off the record or for the desk only is
left out here, so that nothing downstream can show it.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from factcheck.archive.models import Capture, Engine
from factcheck.archive.package_checks import findings_about
from factcheck.archive.selectors import layer_text
from factcheck.articles.models import Revision
from factcheck.evidence.models import SourceKind, Visibility
from factcheck.evidence.passages import in_context
from factcheck.evidence.selectors import Standing
from factcheck.lib.canonical_json import dumps
from factcheck.verdicts.models import Rating
from factcheck.verdicts.selectors import Checked

if TYPE_CHECKING:
    from factcheck.accounts.models import User
    from factcheck.publications.models import Override

FORMAT = 1


def build_content(
    revision: Revision,
    checks: Sequence[Checked],
    *,
    newsroom: str,
    version: int,
    published_at: datetime,
    published_by: "User | None",
    change_note: dict[str, str] | None,
    overrides: "Sequence[Override]",
    ratings: Sequence[Rating],
) -> bytes:
    """The canonical JSON of everything that readers of this version are shown."""
    article = revision.article
    text = revision.text
    placed = [checked for checked in checks if checked.placed.is_placed]
    covered = _union([span for checked in placed for span in checked.placed.spans])
    return dumps(
        {
            "v": FORMAT,
            "newsroom": newsroom,
            "article": {
                "id": article.public_id,
                "slug": article.slug,
                "title": article.title,
                "byline": article.byline,
                "date": _day(article.date),
                "language": article.language,
                "url": article.url,
            },
            "version": version,
            "published_at": _moment(published_at),
            "published_by": {"name": str(published_by)} if published_by else None,
            "revision": {"number": revision.number, "sha256": revision.sha256},
            "change_note": change_note,
            "blocks": [
                {"id": block.id, "kind": block.kind.value, "text": block.text, "start": block.start, "end": block.end}
                for block in revision.blocks
            ],
            "claims": [_claim(number, checked) for number, checked in enumerate(placed, start=1)],
            "overrides": [
                {
                    "claim": override.claim_id or None,
                    "sentence": override.sentence,
                    "reason": override.reason_row.body,
                    "by": str(override.written_by) if override.written_by else "",
                }
                for override in overrides
            ],
            "coverage": {
                "claims": len(placed),
                "words_total": len(text.split()),
                "words_in_claims": sum(len(text[start:end].split()) for start, end in covered),
            },
            "ratings": [_rating(rating) | {"order": rating.order} for rating in ratings],
        }
    )


def parse_content(body: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(body)
    return content


def _claim(number: int, checked: Checked) -> dict[str, Any]:
    claim, verdict, approval = checked.claim, checked.verdict, checked.sign_off
    if checked.stale:
        # A verdict about other words is none about these.
        verdict = approval = None
    return {
        "id": claim.public_id,
        "number": number,
        "kind": claim.kind,
        "speaker": claim.speaker,
        "passages": [
            {"start": start, "end": end, "text": words}
            for (start, end), words in zip(checked.placed.spans, checked.placed.words, strict=True)
        ],
        "attribution": {"answer": verdict.attribution} if verdict and verdict.attribution else None,
        "rating": _rating(verdict.rating) if verdict and verdict.rating else None,
        "not_rated_reason": verdict.not_rated_reason if verdict else "",
        "reason": verdict.reason if verdict else "",
        "decided_at": _moment(verdict.decided_at) if verdict else None,
        "decided_by": {"name": str(verdict.decided_by)} if verdict else None,
        "signed_off_at": _moment(approval.signed_at) if approval else None,
        "signed_off_by": {"name": str(approval.signed_by)} if approval else None,
        "evidence": [_evidence(item) for item in checked.evidence if _is_public(item)],
    }


def _is_public(item: Standing) -> bool:
    return not item.evidence.off_record and item.evidence.source.visibility != Visibility.DESK


def _evidence(item: Standing) -> dict[str, Any]:
    evidence = item.evidence
    source = evidence.source
    capture = item.capture
    return {
        "id": evidence.public_id,
        "stance": evidence.stance,
        "kind": source.kind,
        "primary": evidence.primary,
        "confirms_said": evidence.confirms_said,
        "confirms_so": evidence.confirms_so,
        "visibility": source.visibility,
        "title": source.title or (capture.title if capture else "") or source.name,
        "note": evidence.note,
        "url": source.url,
        "publisher": source.publisher,
        "interview": {
            "who": source.contact,
            "when": _day(source.spoken_on),
            "how": source.spoken_how,
            "heard_by": source.heard_by,
        }
        if source.kind == SourceKind.INTERVIEW
        else None,
        "work": {
            "title": source.title,
            "author": source.author,
            "edition": source.edition,
            "page": source.page,
        }
        if source.kind == SourceKind.WORK
        else None,
        "quote": evidence.quote,
        "secured": item.secured,
        "passage": _passage(item),
        "capture": _capture(item),
    }


def _passage(item: Standing) -> dict[str, Any] | None:
    check = item.check
    if not item.secured or check is None or check.layer is None or not check.spans:
        return None
    if item.confirmation is not None and len(check.spans) > 1:
        # Several candidates, of which a person chose: which one is not on record.
        return None
    passage = in_context(layer_text(check.layer), check.spans)
    return {
        "before": passage.before,
        "exact": passage.exact,
        "after": passage.after,
        "outcome": "confirmed" if item.confirmation else check.outcome,
        "layer": check.layer.kind,
        "layer_sha256": check.layer.sha256,
        "spans": [list(span) for span in check.spans],
    }


def _capture(item: Standing) -> dict[str, Any] | None:
    capture = item.capture
    if capture is None or not capture.carries_evidence:
        return None
    return {
        "id": capture.public_id,
        "outcome": capture.outcome,
        "sentence": capture.sentence,
        "title": capture.title,
        "url": capture.url,
        "final_url": capture.final_url,
        "http_status": capture.http_status,
        "media_type": capture.media_type,
        "started_at": _moment(capture.started_at),
        "sealed_at": _moment(capture.sealed_at),
        "sha256": capture.body_sha256,
        "warc_sha256": capture.warc_sha256,
        "wire_bytes": capture.wire_bytes,
        "records": capture.records,
        "ip": capture.ip,
        "tls": {key: capture.tls.get(key) for key in ("version", "cipher", "verified")} if capture.tls else None,
        "truncated": capture.truncated,
        "visibility": item.evidence.source.visibility,
        "engine": capture.engine,
        "uploaded": _uploaded(capture) if capture.engine == Engine.UPLOAD else None,
    }


def _uploaded(capture: Capture) -> dict[str, Any]:
    """Who handed in a copy that we did not fetch, and when; of a package, whether it fits together."""
    request = capture.request
    by = request.requested_by
    return {
        "by": {"name": str(by)} if by else None,
        "at": _moment(request.created_at),
        "package": [{"text": finding.text, "tone": finding.tone} for finding in findings_about(capture)],
    }


def _rating(rating: Rating) -> dict[str, Any]:
    return {
        "slug": rating.slug,
        "label": rating.label,
        "meaning": rating.meaning,
        "shape": rating.shape,
        "tone": rating.tone,
        "truth_value": rating.truth_value,
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _union(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
