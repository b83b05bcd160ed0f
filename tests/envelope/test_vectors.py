"""The frozen vectors: what was sealed once opens for ever, and what was refused stays refused."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from exchange.envelope.open import Expected, parse_bundle, verify_bundle
from exchange.errors import BundleRefused
from exchange.model.contract import Contract
from tests.envelope import generate_vectors
from tests.envelope.forging import CUSTODY, VECTORS
from tests.envelope.reading import grant, read

GOOD = sorted(VECTORS.glob("good-*.json"))
BAD = sorted(VECTORS.glob("bad-*.json"))


def loaded(path: Path) -> dict[str, Any]:
    """A vector with its bytes as bytes."""
    vector: dict[str, Any] = json.loads(path.read_text("utf-8"))
    vector["bundle"] = base64.b64decode(vector["bundle"])
    vector["contract"] = Contract.decode(base64.b64decode(vector["contract"]))
    vector["public"] = bytes.fromhex(vector["public"])
    vector["keys"] = {int(level): bytes.fromhex(key) for level, key in vector["keys"].items()}
    if vector["epoch_secret"]:
        vector["epoch_secret"] = bytes.fromhex(vector["epoch_secret"])
    return vector


def test_there_are_enough() -> None:
    assert len(GOOD) >= 5
    assert len(BAD) >= 40


def test_the_code_makes_them_again_byte_for_byte() -> None:
    assert generate_vectors.main(["--check"]) == 0


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_vector_opens(path: Path) -> None:
    vector = loaded(path)
    batch = read(
        vector["bundle"],
        public=vector["public"],
        contract=vector["contract"],
        keys=vector["keys"],
    )
    assert generate_vectors.opened(batch) == json.loads(vector["opens_to"])
    verified = verify_bundle(parse_bundle(vector["bundle"]), vector["public"])
    assert verified.header.hash.hex() == vector["header_hash"]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_custody_unwraps_the_frozen_secret_and_it_gives_the_keys(path: Path) -> None:
    vector = loaded(path)
    header = parse_bundle(vector["bundle"]).header
    secret = bytes(CUSTODY.unwrap(header.kid, header.wrapped, header.epoch_context))
    assert secret == vector["epoch_secret"]
    keys = grant(vector["bundle"], public=vector["public"], epoch_secret=secret)
    assert {level: bytes(keys[level]) for level in vector["keys"]} == vector["keys"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_vector_is_refused_by_its_class(path: Path) -> None:
    vector = loaded(path)
    expected = vector["expected"]
    with pytest.raises(BundleRefused) as caught:
        if vector["epoch_secret"]:
            grant(vector["bundle"], public=vector["public"], epoch_secret=vector["epoch_secret"])
        read(
            vector["bundle"],
            public=vector["public"],
            contract=vector["contract"],
            keys=vector["keys"],
            expected=Expected(**{**expected, "stream": bytes.fromhex(expected["stream"])}),
        )
    assert caught.value.failure == vector["failure"]
    assert all((*caught.value.text, *caught.value.remedy))
