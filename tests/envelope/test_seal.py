"""Sealing: what comes out opens again, and what cannot be opened is not sealed."""

import random
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.envelope import seal as sealing
from exchange.envelope.commitments import section_keys
from exchange.envelope.open import parse_bundle, verify_header
from exchange.envelope.seal import Epoch
from exchange.errors import BundleRefused
from exchange.limits import EPOCH_BUNDLES_MAX, EPOCH_BYTES_MAX
from exchange.model.batch import Batch
from exchange.model.contract import Contract
from keys.errors import KeyRejected
from tests.envelope.forging import (
    CUSTODY,
    EXAMS,
    FROM_MS,
    KEM,
    MIXED,
    SIGNING,
    STRANGER,
    THREE_RESULTS,
    TO_MS,
    TWO_VILLAGES,
    VERSION,
    VILLAGES,
    batch,
    epoch,
    keys_of,
    parts,
    sealed,
)
from tests.envelope.reading import read

INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
NOTES = st.none() | st.text(max_size=30)
STEPS = st.integers(1, 3)


def refused(
    records: Batch, contract: Contract = VILLAGES, live: Epoch | None = None, **place: Any
) -> str:
    with pytest.raises(BundleRefused) as caught:
        sealed(contract, records, live or epoch(contract), **place)
    assert all(caught.value.text)
    return caught.value.failure


def started(**changes: Any) -> Epoch:
    context = epoch(VILLAGES).context
    given: dict[str, Any] = {
        "origin": context.origin,
        "dataset": context.dataset,
        "contract_hash": context.contract,
        "provider": context.provider,
        "stream": context.stream,
        "region": context.region,
        "kid": KEM.kid,
        "public": KEM.raw,
        "from_ms": FROM_MS,
        "to_ms": TO_MS,
    }
    return Epoch.start(**(given | changes))


@given(st.lists(st.tuples(INTEGERS, NOTES, STEPS, st.integers(0, 1)), min_size=1, max_size=30))
def test_what_is_sealed_is_what_is_opened(rows: list[tuple[int, str | None, int, int]]) -> None:
    versions = [VERSION + sum(step for _, _, step, _ in rows[: at + 1]) for at in range(len(rows))]
    operations = [operation for *_, operation in rows]
    given = Batch(
        columns={"id": [row[0] for row in rows], "note": [row[1] for row in rows]},
        operations=operations if any(operations) else None,
        versions=versions,
    )
    live = epoch(MIXED)
    made = sealed(MIXED, given, live)
    keys = keys_of(live, MIXED)
    assert read(made.raw, public=SIGNING.raw, contract=MIXED, keys=keys) == given


def test_operations_that_are_all_upserts_are_none() -> None:
    live = epoch(VILLAGES)
    made = sealed(VILLAGES, replace(TWO_VILLAGES, operations=[0, 0]), live)
    opened = read(made.raw, public=SIGNING.raw, contract=VILLAGES, keys=keys_of(live, VILLAGES))
    assert opened == TWO_VILLAGES


def test_a_bundle_says_what_is_in_it_and_nothing_of_it() -> None:
    made = sealed(EXAMS, THREE_RESULTS)
    header = made.header
    assert (header.records, header.levels, header.sequence) == (3, (1, 2, 3), 0)
    assert (header.version_first, header.version_last) == (VERSION, VERSION + 2)
    assert made.plain_bytes == sum(section.plain_bytes for section in header.sections)
    assert parse_bundle(made.raw).header == header
    assert verify_header(parts(made.raw)[0], SIGNING.raw).hash == made.header_hash
    for value in (b"3302", b"498", b"A1"):
        assert value not in made.raw


def test_bundles_of_few_records_have_one_size() -> None:
    lengths = {
        len(parts(sealed(VILLAGES, batch(VILLAGES, [["1", "x" * size]])).raw)[1][0])
        for size in (1, 100, 3000)
    }
    assert lengths == {4096 + 16}


def test_the_same_entropy_makes_the_same_bundle_and_other_entropy_another() -> None:
    assert sealed(VILLAGES, TWO_VILLAGES).raw == sealed(VILLAGES, TWO_VILLAGES).raw
    assert sealed(VILLAGES, TWO_VILLAGES, name="other").raw != sealed(VILLAGES, TWO_VILLAGES).raw


def test_bulk_rows_cost_less_than_a_sixth_of_plain_json() -> None:
    choice = random.Random(7)
    rows = [
        [f"33{number:010d}", "".join(choices(choice)) + "社区居委会"] for number in range(20_000)
    ]
    made = sealed(VILLAGES, batch(VILLAGES, rows))
    plain = sum(len(orjson.dumps(dict(zip(VILLAGES.names, row, strict=True)))) + 1 for row in rows)
    assert len(made.raw) <= 0.15 * plain


def choices(choice: random.Random) -> list[str]:
    return choice.choices("清波门劳动路涌金定安望江湖滨长庆", k=2)


def test_a_fresh_epoch_opens_through_custody() -> None:
    live = started()
    made = sealed(VILLAGES, TWO_VILLAGES, live)
    secret = CUSTODY.unwrap(live.kid, made.header.wrapped, made.header.epoch_context)
    keys = section_keys(made.header, secret)
    assert read(made.raw, public=SIGNING.raw, contract=VILLAGES, keys=keys) == TWO_VILLAGES
    assert started().id != live.id


def test_an_epoch_is_not_started_for_a_key_under_another_name() -> None:
    with pytest.raises(BundleRefused) as caught:
        started(kid=bytes(16))
    assert caught.value.failure == "kid"


def test_an_epoch_is_not_started_for_a_key_nobody_may_enrol() -> None:
    with pytest.raises(KeyRejected):
        started(public=STRANGER.raw)


def test_an_epoch_ends_with_its_time() -> None:
    live = epoch(VILLAGES)
    assert not live.used_up(FROM_MS)
    assert not live.used_up(TO_MS - 1)
    assert live.used_up(TO_MS)
    assert live.used_up(FROM_MS - 1), "the clock went back before the epoch"


def test_an_epoch_counts_what_it_seals_and_ends_with_it() -> None:
    live = epoch(VILLAGES)
    made = sealed(VILLAGES, TWO_VILLAGES, live)
    assert (live.bundles, live.sealed_bytes) == (1, len(made.raw))
    live.bundles = EPOCH_BUNDLES_MAX
    assert live.used_up(FROM_MS)
    assert refused(TWO_VILLAGES, live=live) == "epoch-used-up"
    live.bundles, live.sealed_bytes = 0, EPOCH_BYTES_MAX
    assert live.used_up(FROM_MS)


def test_an_epoch_does_not_show_its_secret() -> None:
    live = epoch(VILLAGES)
    assert bytes(live.secret).hex() not in repr(live)
    assert "secret" not in repr(live)


@pytest.mark.parametrize(
    ("failure", "changes"),
    [
        ("batch-empty", {"columns": {"code": [], "name": []}, "versions": []}),
        ("batch-columns", {"columns": {"code": ["1", "2"]}}),
        ("batch-columns", {"columns": {"code": ["1", "2"], "name": ["a", "b"], "x": [1, 2]}}),
        ("batch-columns", {"columns": {"code": ["1", "2"], "name": ["a"]}}),
        ("batch-versions", {"versions": [VERSION, VERSION]}),
        ("batch-versions", {"versions": [VERSION + 1, VERSION]}),
        ("batch-versions", {"versions": [1.0, 2.0]}),
        ("batch-versions", {"versions": ["1", "2"]}),
        ("field-versions", {"versions": [-1, 5]}),
        ("batch-operations", {"operations": [0]}),
        ("batch-operations", {"operations": [0, 2]}),
        ("batch-operations", {"operations": [False, True]}),
        ("batch-values", {"columns": {"code": ["1", "2"], "name": ["a", 1.5]}}),
        ("batch-values", {"columns": {"code": ["1", "2"], "name": ["a", ["b"]]}}),
        ("batch-values", {"columns": {"code": ["1", "2"], "name": ["a", b"b"]}}),
        ("batch-values", {"columns": {"code": ["1", "2"], "name": ["a", 1 << 64]}}),
        ("batch-values", {"columns": {"code": ["1", "2"], "name": ["a", "\ud800"]}}),
    ],
    ids=ascii,
)
def test_a_batch_that_nobody_could_read_is_not_sealed(
    failure: str, changes: dict[str, Any]
) -> None:
    assert refused(replace(TWO_VILLAGES, **changes)) == failure


def test_a_batch_of_another_contract_is_not_sealed() -> None:
    assert refused(THREE_RESULTS, EXAMS, epoch(VILLAGES)) == "contract"


def test_a_negative_sequence_is_not_sealed() -> None:
    assert refused(TWO_VILLAGES, sequence=-1) == "sequence"


def test_too_many_records_are_to_be_split() -> None:
    rows = [[str(number), "x"] for number in range(20_001)]
    assert refused(batch(VILLAGES, rows)) == "batch-large"
    assert sealed(VILLAGES, batch(VILLAGES, rows[1:])).header.records == 20_000


def test_too_much_plaintext_is_to_be_split() -> None:
    rows = [[str(number), "x" * (1 << 20)] for number in range(17)]
    assert refused(batch(VILLAGES, rows)) == "batch-large"


def test_too_many_sealed_bytes_are_to_be_split(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(3).randbytes(4 << 20).hex()
    records = batch(VILLAGES, [["1", noise]])
    live = epoch(VILLAGES)
    monkeypatch.setattr(sealing, "BUNDLE_BYTES_MAX", 6000)
    assert refused(records, live=live) == "batch-large"
    assert live.bundles == 0, "what is not made is not counted"
