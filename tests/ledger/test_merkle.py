import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcheck.ledger import merkle
from tests.ledger import naive_merkle

# The eight leaves and the roots of their beginnings with which Certificate Transparency's own implementations
# are tested (google/certificate-transparency, merkletree/merkle_tree_test.cc).
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.hash_leaf(str(number).encode()) for number in range(64)]
SIZES = range(1, 65)


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def test_roots_are_those_of_certificate_transparency():
    hashes = [merkle.hash_leaf(leaf) for leaf in CT_LEAVES]

    assert [merkle.root(hashes[:size]).hex() for size in range(1, 9)] == CT_ROOTS


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert merkle.root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_proofs_are_those_of_the_definition(size):
    hashes = LEAVES[:size]

    assert merkle.root(hashes) == naive_merkle.mth(hashes)
    for index in range(size):
        assert merkle.inclusion_proof(hashes, index) == naive_merkle.path(index, hashes)
    for m in range(1, size + 1):
        assert merkle.consistency_proof(hashes, m) == naive_merkle.proof(m, hashes)


@pytest.mark.parametrize("size", SIZES)
def test_every_proof_verifies_and_none_verifies_for_another_leaf_place_or_root(size):
    hashes = LEAVES[:size]
    root = merkle.root(hashes)
    for index, leaf in enumerate(hashes):
        proof = merkle.inclusion_proof(hashes, index)
        assert merkle.verify_inclusion(leaf, index, size, proof, root)
        assert not merkle.verify_inclusion(flipped(leaf), index, size, proof, root)
        assert not merkle.verify_inclusion(leaf, index, size, proof, flipped(root))
        assert not merkle.verify_inclusion(leaf, index, size, [*proof, leaf], root)
        assert not merkle.verify_inclusion(leaf, size, size, proof, root)
        if proof:
            assert not merkle.verify_inclusion(leaf, index, size, proof[:-1], root)
            assert not merkle.verify_inclusion(leaf, index, size, [flipped(proof[0]), *proof[1:]], root)
            assert not merkle.verify_inclusion(leaf, index ^ 1, size, proof, root)


@pytest.mark.parametrize("n", SIZES)
def test_a_beginning_is_consistent_and_a_rewritten_one_is_not(n):
    root_n = merkle.root(LEAVES[:n])
    for m in range(1, n + 1):
        root_m = merkle.root(LEAVES[:m])
        proof = merkle.consistency_proof(LEAVES[:n], m)
        rewritten = merkle.root([*LEAVES[: m - 1], flipped(LEAVES[m - 1])])
        assert merkle.verify_consistency(m, n, root_m, root_n, proof)
        assert not merkle.verify_consistency(m, n, rewritten, root_n, proof)
        assert not merkle.verify_consistency(m, n, root_m, flipped(root_n), proof)
        assert not merkle.verify_consistency(m, n, root_m, root_n, [*proof, root_m])
        if proof:
            assert not merkle.verify_consistency(m, n, root_m, root_n, proof[:-1])
            assert not merkle.verify_consistency(m, n, root_m, root_n, [*proof[:-1], flipped(proof[-1])])


@pytest.mark.parametrize(("m", "size"), [(0, 0), (0, 4), (5, 4), (-1, 4)])
def test_no_consistency_proof_begins_at_nothing_or_beyond_the_end(m, size):
    with pytest.raises(ValueError, match="No consistency proof"):
        merkle.consistency_proof(LEAVES[:size], m)


def test_consistency_from_nothing_is_never_true():
    assert not merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])
    assert not merkle.verify_consistency(0, 2, merkle.EMPTY_ROOT, merkle.root(LEAVES[:2]), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (4, 4), (-1, 4)])
def test_there_is_no_inclusion_proof_for_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="There is no leaf"):
        merkle.inclusion_proof(LEAVES[:size], index)


@settings(deadline=None, max_examples=200)
@given(
    size=st.integers(1, 64),
    index=st.integers(-2, 70),
    proof=st.lists(st.sampled_from([*LEAVES[:8], b"", b"short"]), max_size=8),
)
def test_a_made_up_proof_never_verifies_and_never_raises(size, index, proof):
    hashes = LEAVES[:size]
    genuine = merkle.inclusion_proof(hashes, index) if 0 <= index < size else None

    verified = merkle.verify_inclusion(LEAVES[index % 64], index, size, proof, merkle.root(hashes))

    assert verified == (proof == genuine)


def test_the_frontier_knows_the_root_of_every_size_on_the_way():
    frontier = merkle.Frontier()
    for size in SIZES:
        frontier.append(LEAVES[size - 1])
        assert frontier.root() == naive_merkle.mth(LEAVES[:size])
        assert frontier.size == size
