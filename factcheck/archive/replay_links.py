"""Short-lived links to the archive host, which knows no person and asks for no sign-in.

The key is a part of the path, so that it holds for all that the page leads to below itself.
"""

from urllib.parse import quote

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner

from factcheck.archive.models import Capture

VALID_SECONDS = 600
_signer = TimestampSigner(salt="factcheck.archive.replay")


def public_replay_url(capture_id: str) -> str:
    return f"{settings.ARCHIVE_URL}/replay/{capture_id}/"


def replay_url(capture: Capture) -> str:
    """For somebody of the desk: opens the copy for ten minutes, whatever its visibility."""
    capture_id = capture.request.public_id
    return f"{public_replay_url(capture_id)}k/{_signer.sign(capture_id).split(':', 1)[1]}/"


def page_image_url(capture: Capture, number: int) -> str:
    """A page of a PDF as a picture, for the desk and as long."""
    return f"{replay_url(capture)}page-{number}.png"


def full_replay_url(wacz_url: str) -> str:
    """Where ReplayWeb.page opens a package with all its scripts, or "" where nobody has set it up."""
    where = settings.REPLAY_WEB_PAGE_URL
    return f"{where}/?source={quote(wacz_url, safe='')}" if where else ""


def is_key_for(key: str, capture_id: str) -> bool:
    try:
        _signer.unsign(f"{capture_id}:{key}", max_age=VALID_SECONDS)
    except BadSignature:
        return False
    return True
