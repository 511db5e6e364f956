"""How much of a page is taken, known to the child that takes it and to the parent that does not trust its word."""

from __future__ import annotations

VIEW_WIDTH, VIEW_HEIGHT = 1280, 900
PAGE_MAX_HEIGHT = 20_000
PICTURE_MAX_BYTES = 25 * 1024 * 1024
PRINT_MAX_BYTES = 30 * 1024 * 1024
PRINT_MAX_PAGES = 200
DOM_MAX_CHARS = 30 * 1024 * 1024
# As of every other text layer.
TEXT_MAX_CHARS = 20_000_000
ADDRESS_MAX_CHARS = 8_000
TITLE_MAX_CHARS = 1_000
MAX_HOPS = 40
MAX_NOTES = 20
MAX_HIDDEN = 20
WORDS_MAX_CHARS = 200
STAGES = ("opening", "scrolling", "photographing", "printing")
