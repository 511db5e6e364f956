"""The draft of an article from an archived page."""

import webencodings
from django.utils.translation import gettext as _

from factcheck.archive import blobs
from factcheck.archive.models import Capture, Engine, Rendering
from factcheck.articles.errors import UnreadableText
from factcheck.articles.formats import Format
from factcheck.articles.importing import Draft, read_draft

_FORMATS = {
    "text/html": Format.HTML,
    "application/xhtml+xml": Format.HTML,
    "text/plain": Format.TEXT,
    "text/markdown": Format.MARKDOWN,
    "application/pdf": Format.PDF,
}
_UTF8_MARK = b"\xef\xbb\xbf"


def original_of(capture: Capture) -> bytes:
    """The page as the site sent it, or as a browser's scripts left it where one was needed.

    Raises UnreadableText for a copy without a page, and BlobError.
    """
    if not capture.carries_evidence:
        raise UnreadableText(capture.sentence)
    drawn = None
    if capture.engine == Engine.BROWSER:
        drawn = Rendering.objects.filter(capture=capture, kind=Rendering.Kind.DOM).first()
    return blobs.read(drawn.sha256 if drawn else capture.body_sha256)


def read_page(capture: Capture, original: bytes) -> Draft:
    """Raises UnreadableText with a sentence for the desk."""
    form = _FORMATS.get(capture.media_type)
    if form is None:
        raise UnreadableText(_("What stands at this address is no text: there is no article to be read from it."))
    is_text = form is not Format.PDF
    if is_text and capture.charset and webencodings.lookup(capture.charset) is not None:
        # What the site's headers say of the charset does not stand in the page itself.
        text, _encoding = webencodings.decode(original, capture.charset, errors="replace")
        original = _UTF8_MARK + text.encode()
    return read_draft(original, form)
