"""The tree against RFC 6962's vectors, against its definition, and against forged proofs."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import CheckFailed
from exchange.ledger.entry import leaf_hash
from exchange.ledger.merkle import (
    EMPTY_ROOT,
    Extended,
    Included,
    Tree,
    check_consistency,
    check_inclusion,
    node_hash,
)

INPUTS = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The eight leaves and nine roots of the Certificate Transparency test suites (Go, C++, Java)."""


def tree_of(leaves: tuple[bytes, ...]) -> Tree:
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    return tree


def defined_root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node_hash(defined_root(hashes[:k]), defined_root(hashes[k:]))


def test_hashes_are_those_of_rfc_6962() -> None:
    assert leaf_hash(b"L123456").hex().startswith("395aa064aa4c29f7010acfe3f25db948")
    assert node_hash(b"N123", b"N456").hex().startswith("aa217fe888e47007fa15edab33c2b492")


def test_roots_of_all_prefixes_are_the_official_ones() -> None:
    tree = tree_of(INPUTS)
    assert [tree.root(size).hex() for size in range(9)] == list(ROOTS)


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_inclusion_paths_are_the_official_ones(index: int, size: int, path: list[str]) -> None:
    tree = tree_of(INPUTS)
    assert [step.hex() for step in tree.inclusion(index, size)] == path


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_consistency_paths_are_the_official_ones(old: int, new: int, path: list[str]) -> None:
    tree = tree_of(INPUTS)
    assert [step.hex() for step in tree.consistency(old, new)] == path


@given(st.integers(0, 130))
def test_the_root_is_what_the_definition_says(size: int) -> None:
    hashes = [hashlib.sha256(bytes([index])).digest() for index in range(size)]
    tree = Tree()
    for one in hashes:
        tree.append(one)
    assert tree.root() == defined_root(hashes)
    assert [tree.leaf(index) for index in range(size)] == hashes


@given(st.data())
def test_every_proof_of_every_prefix_checks(data: st.DataObject) -> None:
    tree = tree_of(tuple(bytes([index]) for index in range(70)))
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root = tree.root(size)
    proof = tree.inclusion(index, size)
    assert isinstance(check_inclusion(tree.leaf(index), index, size, proof, root), Included)
    grown = tree.consistency(old, size)
    assert isinstance(check_consistency(old, tree.root(old), size, root, grown), Extended)


@given(st.data())
def test_a_proof_changed_anywhere_is_refused(data: st.DataObject) -> None:
    tree = tree_of(tuple(bytes([index]) for index in range(70)))
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    root, leaf = tree.root(size), tree.leaf(index)
    proof = list(tree.inclusion(index, size))
    step = data.draw(st.integers(0, len(proof) - 1))
    bent = [*proof[:step], bytes(32), *proof[step + 1 :]]
    for forged in (bent, proof[:-1], [*proof, bytes(32)], [*proof[:-1], proof[-1][:31]]):
        with pytest.raises(CheckFailed, match="inclusion"):
            check_inclusion(leaf, index, size, forged, root)
    with pytest.raises(CheckFailed):
        check_inclusion(leaf, size, size, proof, root)


@given(st.data())
def test_a_consistency_proof_changed_anywhere_is_refused(data: st.DataObject) -> None:
    tree = tree_of(tuple(bytes([index]) for index in range(70)))
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    proof = list(tree.consistency(old, new))
    step = data.draw(st.integers(0, len(proof) - 1))
    bent = [*proof[:step], bytes(32), *proof[step + 1 :]]
    for forged in (bent, proof[:-1], [*proof, bytes(32)], [b"short", *proof[1:]]):
        with pytest.raises(CheckFailed, match="consistency"):
            check_consistency(old, tree.root(old), new, tree.root(new), forged)


def test_sizes_that_make_no_sense_are_refused() -> None:
    tree = tree_of(INPUTS)
    root = tree.root()
    for old, new, proof in ((0, 8, ()), (9, 8, ()), (8, 8, (bytes(32),))):
        with pytest.raises(CheckFailed):
            check_consistency(old, root, new, root, proof)
    with pytest.raises(CheckFailed):
        check_consistency(8, EMPTY_ROOT, 8, root, ())
    with pytest.raises(CheckFailed):
        check_consistency(6, tree.root(6), 8, root, ())
    for wrong in (lambda: tree.root(9), lambda: tree.inclusion(8), lambda: tree.inclusion(3, 2)):
        with pytest.raises(IndexError):
            wrong()
    for wrong in (lambda: tree.consistency(0), lambda: tree.leaf(8), lambda: tree.leaf(-1)):
        with pytest.raises(IndexError):
            wrong()


def test_only_the_checks_make_their_results() -> None:
    with pytest.raises(TypeError):
        Included(bytes(32), 0, 1, bytes(32), object())
    with pytest.raises(TypeError):
        Extended(1, bytes(32), 1, bytes(32), object())


def test_a_growing_tree_is_consistent_with_itself_at_every_step() -> None:
    tree = tree_of(tuple(index.to_bytes(2, "big") for index in range(200)))
    for old, new in pairwise(range(1, 201)):
        check_consistency(old, tree.root(old), new, tree.root(new), tree.consistency(old, new))
