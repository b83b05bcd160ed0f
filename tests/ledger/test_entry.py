"""Entries and genesis: one spelling, everything else refused by its class."""

from typing import Any

import pytest

from exchange.errors import ConfigurationInvalid, EntryRefused, LedgerBroken
from exchange.ledger.entry import (
    ENTRY_DOMAIN,
    Entry,
    Statement,
    leaf_hash,
    parse_entry,
    sign_entry,
    verify_entry,
)
from exchange.ledger.genesis import Root, check_genesis, make_genesis, parse_pin, read_genesis
from exchange.limits import LEAF_BYTES_MAX
from exchange.model import acts
from keys import cbor, cose
from keys.custody import MemoryCustody
from tests.ledger.drafts import ORIGIN, START_MS
from tests.ledger.world import World

CUSTODY = MemoryCustody(lambda size: bytes(range(size)))
PUBLIC = CUSTODY.generate_signing("hub")
SIGNER = CUSTODY.signer("hub")
FULL = Statement(
    ORIGIN,
    "hub-1",
    START_MS,
    b"act",
    permit=True,
    rules=("GRANT-01",),
    refused_items=((0, ("PUR-01",)), (3, ("EXP-01", "PUR-01"))),
    footprint=(("d:villages", 7), ("g:00", 0)),
    valid_until_ms=START_MS + 1,
)


def payload(**changed: object) -> dict[int, object]:
    names: tuple[str, ...] = ("version", "origin", "hub", "time", "act", "permit", "rules")
    names += ("refused", "footprint", "until", "extra")
    stated: dict[int, object] = {
        0: 1,
        1: ORIGIN,
        2: "hub-1",
        3: START_MS,
        4: b"act",
        5: True,
        6: ["GRANT-01"],
        7: [[0, ["PUR-01"]]],
        8: [["d:villages", 7]],
        9: START_MS,
    }
    stated |= {names.index(name): value for name, value in changed.items()}
    return {key: value for key, value in stated.items() if value is not ...}


def raw(content: object, domain: str = ENTRY_DOMAIN) -> bytes:
    return cose.sign1(cbor.encode(content), domain, SIGNER)


@pytest.mark.parametrize(
    "statement", [FULL, Statement(ORIGIN, "hub-1", START_MS, b"act", permit=False, rules=())]
)
def test_an_entry_comes_back_as_it_was_signed(statement: Statement) -> None:
    made = sign_entry(statement, SIGNER)
    entry = verify_entry(parse_entry(made), PUBLIC.raw)
    assert entry.statement == statement
    assert (entry.raw, entry.leaf_hash, entry.kid) == (made, leaf_hash(made), PUBLIC.kid)


@pytest.mark.parametrize(
    ("failure", "content"),
    [
        ("fields", payload(version=2)),
        ("fields", payload(version=True)),
        ("fields", payload(origin=...)),
        ("fields", payload(hub=1)),
        ("fields", payload(time=-1)),
        ("fields", payload(time=1 << 60)),
        ("fields", payload(time=True)),
        ("fields", payload(act="text")),
        ("fields", payload(permit=1)),
        ("fields", payload(rules="GRANT-01")),
        ("fields", payload(footprint=...)),
        ("fields", payload(until=-1)),
        ("fields", payload(until=True)),
        ("fields", payload(extra=1)),
        ("fields", "text"),
        ("rules", payload(rules=[1])),
        ("refused-items", payload(refused=[])),
        ("refused-items", payload(refused=7)),
        ("refused-items", payload(refused=[[0, []]])),
        ("refused-items", payload(refused=[[-1, ["PUR-01"]]])),
        ("refused-items", payload(refused=[[True, ["PUR-01"]]])),
        ("refused-items", payload(refused=[[1, ["PUR-01"]], [1, ["PUR-01"]]])),
        ("refused-items", payload(refused=[[2, ["PUR-01"]], [1, ["PUR-01"]]])),
        ("rules", payload(refused=[[0, [7]]])),
        ("footprint", payload(footprint=[["d:villages"]])),
        ("footprint", payload(footprint=[["d:villages", -1]])),
        ("footprint", payload(footprint=[["d:villages", True]])),
        ("footprint", payload(footprint=[["d:b", 1], ["d:a", 1]])),
        ("footprint", payload(footprint=[["d:a", 1], ["d:a", 1]])),
    ],
)
def test_an_entry_that_is_not_well_formed_is_refused(failure: str, content: object) -> None:
    with pytest.raises(EntryRefused) as refused:
        parse_entry(raw(content))
    assert refused.value.failure == failure


def test_bytes_that_are_no_statement_are_refused_by_the_class_of_what_is_wrong() -> None:
    with pytest.raises(EntryRefused) as refused:
        parse_entry(b"garbage")
    assert refused.value.failure
    with pytest.raises(EntryRefused) as refused:
        parse_entry(bytes(LEAF_BYTES_MAX + 1))
    assert refused.value.failure == "too-large"


def test_an_entry_larger_than_a_leaf_is_not_signed() -> None:
    with pytest.raises(EntryRefused) as refused:
        sign_entry(FULL._replace(act=bytes(LEAF_BYTES_MAX)), SIGNER)
    assert refused.value.failure == "too-large"


def test_an_act_is_no_entry_and_another_hub_did_not_sign_it() -> None:
    for made, public in (
        (raw(payload(), "exchange/v1/act"), PUBLIC.raw),
        (raw(payload()), MemoryCustody().generate_signing("other").raw),
    ):
        with pytest.raises(EntryRefused) as refused:
            verify_entry(parse_entry(made), public)
        assert refused.value.failure == "signature"


def test_only_verification_makes_an_entry_or_a_root() -> None:
    entry = verify_entry(parse_entry(sign_entry(FULL, SIGNER)), PUBLIC.raw)
    with pytest.raises(TypeError):
        Entry(entry.kid, entry.statement, entry.leaf_hash, entry.raw, object())
    root = World().root
    with pytest.raises(TypeError):
        Root(root.origin, root.body, root.act, root.entry, object())


def test_genesis_names_everything_that_trust_begins_with() -> None:
    world = World(hubs=("hub-1", "hub-2"))
    root = check_genesis(world.genesis, world.pin)
    assert (root.origin, root.authority, root.pin) == (ORIGIN, "authority", world.pin)
    assert [hub.hub for hub in root.hubs] == ["hub-1", "hub-2"]
    assert (root.ca, root.rules) == (root.body.ca, root.body.rules)


def test_a_pin_is_64_hex_digits() -> None:
    assert parse_pin("00" * 32) == bytes(32)
    for wrong in ("", "00", "0x" + "0" * 62, "A" * 64):
        with pytest.raises(ConfigurationInvalid):
            parse_pin(wrong)


def test_other_bytes_than_the_pinned_ones_are_no_genesis() -> None:
    world = World()
    with pytest.raises(LedgerBroken) as broken:
        check_genesis(world.genesis, bytes(32))
    assert broken.value.failure == "wrong-genesis"


def genesis_with(world: World, body: acts.Genesis, **changed: Any) -> bytes:
    """Entry 0 over ``body``, each part changed as told, signed as a hub would."""
    said: dict[str, Any] = {
        "origin": ORIGIN,
        "hub": "hub-1",
        "time_ms": START_MS,
        "act": world.sign(body),
        "permit": True,
        "rules": (),
    }
    return sign_entry(Statement(**{**said, **changed}), world.signer("hub/hub-1"))


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "another"},
        {"permit": False},
        {"rules": ("SELF-01",)},
        {"footprint": (("m:a", 0),)},
        {"valid_until_ms": START_MS},
        {"time_ms": START_MS + 86_400_000},
        {"hub": "hub-2"},
        {"act": b"no act"},
    ],
)
def test_a_genesis_whose_parts_disagree_is_refused(changed: dict[str, Any]) -> None:
    world = World()
    with pytest.raises(LedgerBroken) as broken:
        read_genesis(genesis_with(world, world.genesis_body(), **changed))
    assert broken.value.failure == "wrong-genesis"


def test_a_genesis_with_doubtful_keys_is_refused() -> None:
    world = World()
    officer = world.public("office/authority")
    identity = bytes([1, *bytes(31)])
    for changed in (
        {"recovery": officer},
        {"recovery": identity},
        {"hubs": ()},
        {"hubs": world.genesis_body().hubs * 2},
        {"authority": "somebody"},
        {"officer": world.public("recovery")},
    ):
        with pytest.raises(LedgerBroken):
            read_genesis(genesis_with(world, world.genesis_body(**changed)))


def test_two_hubs_never_share_a_checkpoint_key() -> None:
    world = World(hubs=("hub-1", "hub-2"))
    first, second = world.genesis_body().hubs
    shared = second.model_copy(update={"checkpoint_mldsa": first.checkpoint_mldsa})
    with pytest.raises(LedgerBroken):
        read_genesis(genesis_with(world, world.genesis_body(hubs=(first, shared))))
    older = tuple(hub.model_copy(update={"checkpoint_mldsa": None}) for hub in (first, second))
    whole = read_genesis(genesis_with(world, world.genesis_body(hubs=older)))
    assert [hub.checkpoint_mldsa for hub in whole.hubs] == [None, None]


def test_an_act_that_is_no_genesis_begins_no_ledger() -> None:
    world = World()
    act = world.sign(acts.SuspendMember(member="authority", reason=""))
    with pytest.raises(LedgerBroken):
        read_genesis(genesis_with(world, world.genesis_body(), act=act))


def test_a_genesis_signed_by_a_hub_it_does_not_name_is_never_made() -> None:
    world = World()
    with pytest.raises(LedgerBroken):
        make_genesis(
            world.genesis_body(),
            origin=ORIGIN,
            officer=world.signer("office/authority"),
            hub="hub-2",
            entry_signer=world.signer("hub/hub-1"),
            now_ms=START_MS,
        )
