"""Words that somebody typed or pasted, found in the article's text."""

import re

from django.utils.translation import gettext as _

from factcheck.articles.canonical import clean_lines, paragraphs
from factcheck.claims.errors import PassageRefused
from factcheck.claims.wording import Span
from factcheck.lib.matching import locate

_SHOWN = 60


def spans_of_words(text: str, words: str, *, place: int | None) -> list[Span]:
    """The span of each passage of ``words``, which a blank line parts.

    Words that stand in several places need ``place``, counted from 1; only a single passage may have
    one. Raises PassageRefused with what to do for words that are not in the text exactly.
    """
    passages = paragraphs(clean_lines(words))
    if not passages:
        raise PassageRefused(_("Select some words of the article, or write them out."))
    if place is not None and len(passages) > 1:
        raise PassageRefused(_("A place can be chosen for one passage only. Write more words of each instead."))
    return [_span(text, passage, place) for passage in passages]


def _span(text: str, passage: str, place: int | None) -> Span:
    found = [(match.start(), match.end()) for match in re.finditer(re.escape(passage), text)]
    if not found:
        raise PassageRefused(_not_there(text, passage))
    if place is None and len(found) > 1:
        raise PassageRefused(
            _("“%(words)s” stands in %(count)s places of the article. Say which, or write more words of it.")
            % {"words": _short(passage), "count": len(found)}
        )
    if place is not None and place > len(found):
        raise PassageRefused(
            _("“%(words)s” stands in %(count)s places of the article; there is no place %(place)s.")
            % {"words": _short(passage), "count": len(found), "place": place}
        )
    return found[(place or 1) - 1]


def _not_there(text: str, passage: str) -> str:
    match = locate(passage, text)
    if match.outcome == "normalised" and len(match.spans) == 1:
        [(start, end)] = match.spans
        # Only the person can say that the words with other signs are the ones that are meant.
        return _("These words are not in the article exactly. It has them as “%(words)s”: copy those.") % {
            "words": text[start:end]
        }
    return _("“%(words)s” is not in the article. Copy the words from the text, letter for letter.") % {
        "words": _short(passage)
    }


def _short(words: str) -> str:
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
