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


def read_page(capture: Capture) -> tuple[bytes, Draft]:
    """The page as the site sent it, or as a browser's scripts left it where one was needed, and what it was read as.

    Raises UnreadableText with a sentence for the desk, and BlobError.
    """
    if not capture.carries_evidence:
        raise UnreadableText(capture.sentence)
    drawn = None
    if capture.engine == Engine.BROWSER:
        drawn = Rendering.objects.filter(capture=capture, kind=Rendering.Kind.DOM).first()
    form = Format.HTML if drawn else _FORMATS.get(capture.media_type)
    if form is None:
        raise UnreadableText(_("What stands at this address is no text: there is no article to be read from it."))
    original = blobs.read(drawn.sha256 if drawn else capture.body_sha256)
    # A browser writes UTF-8. What the site's headers say of the charset does not stand in the page itself.
    charset = "utf-8" if drawn else capture.charset
    if form is not Format.PDF and charset and webencodings.lookup(charset) is not None:
        text, _encoding = webencodings.decode(original, charset, errors="replace")
        return original, read_draft(_UTF8_MARK + text.encode(), form)
    return original, read_draft(original, form)
