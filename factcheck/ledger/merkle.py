"""The Merkle tree of RFC 6962, section 2.1 (the same as RFC 9162, section 2.1).

Hashes are 32 bytes, leaf hashes in the order of the log. Asking for a proof that cannot exist
raises ValueError; verifying never raises, it says False.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def hash_leaf(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the full subtrees so far, largest first: a root of any size in 64 hashes of memory."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def append(self, leaf_hash: bytes) -> None:
        node, full = leaf_hash, self.size
        while full & 1:
            node = hash_node(self._subtrees.pop(), node)
            full >>= 1
        self._subtrees.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self._subtrees:
            return EMPTY_ROOT
        node = self._subtrees[-1]
        for subtree in reversed(self._subtrees[:-1]):
            node = hash_node(subtree, node)
        return node


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    frontier = Frontier()
    for leaf_hash in leaf_hashes:
        frontier.append(leaf_hash)
    return frontier.root()


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of the leaf, from its sibling upwards."""
    if not 0 <= index < len(leaf_hashes):
        raise ValueError(f"There is no leaf {index} in a tree of {len(leaf_hashes)}.")
    start, end = 0, len(leaf_hashes)
    path: list[bytes] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root(leaf_hashes[middle:end]))
            end = middle
        else:
            path.append(root(leaf_hashes[start:middle]))
            start = middle
    return path[::-1]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    if not 0 <= index < size or not _well_formed(leaf_hash, root, *proof):
        return False
    # RFC 9162, 2.1.3.2
    node, last = index, size - 1
    computed = leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = hash_node(sibling, computed)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            computed = hash_node(computed, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and computed == root


def consistency_proof(leaf_hashes: Sequence[bytes], m: int) -> list[bytes]:
    """That the tree of the first ``m`` leaves is a beginning of this one.

    A tree of nothing has no proof, not even to itself: m from 1 to the number of leaves.
    """
    if not 1 <= m <= len(leaf_hashes):
        raise ValueError(f"No consistency proof leads from size {m} to size {len(leaf_hashes)}.")
    start, end, known = 0, len(leaf_hashes), True
    path: list[bytes] = []
    # RFC 6962, 2.1.2; ``known`` is its b: whether the subtree is all of the old tree.
    while m != end:
        middle = start + _split(end - start)
        if m <= middle:
            path.append(root(leaf_hashes[middle:end]))
            end = middle
        else:
            path.append(root(leaf_hashes[start:middle]))
            start, known = middle, False
    if not known:
        path.append(root(leaf_hashes[start:end]))
    return path[::-1]


def verify_consistency(m: int, n: int, root_m: bytes, root_n: bytes, proof: Sequence[bytes]) -> bool:
    if not 1 <= m <= n or not _well_formed(root_m, root_n, *proof):
        return False
    if m == n:
        return not proof and root_m == root_n
    # RFC 9162, 2.1.4.2
    path = list(proof)
    if not m & (m - 1):
        path.insert(0, root_m)
    if not path:
        return False
    old_node, new_node = m - 1, n - 1
    while old_node & 1:
        old_node >>= 1
        new_node >>= 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if new_node == 0:
            return False
        if old_node & 1 or old_node == new_node:
            old_root = hash_node(sibling, old_root)
            new_root = hash_node(sibling, new_root)
            while not old_node & 1 and old_node:
                old_node >>= 1
                new_node >>= 1
        else:
            new_root = hash_node(new_root, sibling)
        old_node >>= 1
        new_node >>= 1
    return new_node == 0 and old_root == root_m and new_root == root_n


def _split(size: int) -> int:
    """The largest power of two smaller than the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _well_formed(*hashes: bytes) -> bool:
    return all(len(each) == HASH_BYTES for each in hashes)
