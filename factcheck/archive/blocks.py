"""A text layer in blocks, so that one of them can be proved alone later.

A block is a line of the layer with anything but white space in it, as it stands, in UTF-8. The root
is that of RFC 6962 over the blocks in their order; it stands in the capture's ledger entry.
"""

from factcheck.ledger.merkle import Frontier, hash_leaf


def blocks(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def blocks_root(text: str) -> str:
    """64 hex digits; the root of the empty tree for a text without a block."""
    frontier = Frontier()
    for block in blocks(text):
        frontier.append(hash_leaf(block.encode()))
    return frontier.root().hex()
