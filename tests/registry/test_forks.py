"""Equivocation: two signed headers of one sequence prove themselves, whoever files them."""

import pytest

from exchange.audit.forks import stated
from exchange.audit.record import Search, row_of
from exchange.envelope.open import parse_bundle
from exchange.envelope.seal import Epoch, seal
from exchange.model import acts
from exchange.model.batch import Batch
from tests.ledger.drafts import HOUR_MS, ORIGIN, START_MS, contract
from tests.ledger.world import World, permitted


def header(world: World, stream: bytes, sequence: int, name: str, **changed: str) -> bytes:
    """A signed header of ``stream``, another for every ``name``."""
    (key,) = world.registry.dataset_keys("villages")
    epoch = Epoch.start(
        origin=ORIGIN,
        dataset="villages",
        contract_hash=contract().hash,
        provider="civil/main",
        stream=stream,
        region="3301",
        kid=key.kid,
        public=key.public,
        from_ms=START_MS,
        to_ms=START_MS + HOUR_MS // 4,
    )
    columns = {"code": ["330102001001"], "name": [name], "head": [""], "phone": [""]}
    sealed = seal(
        Batch(columns, None, [1]),
        contract(),
        epoch,
        sequence=sequence,
        previous=bytes(32) if sequence else stream,
        signer=world.signer(changed.get("signer", "adapter/civil/main")),
    )
    return parse_bundle(sealed.raw).statement.raw


def fork(world: World, stream: bytes, sequence: int) -> acts.ReportFork:
    first, second = (header(world, stream, sequence, name) for name in ("one", "two"))
    return acts.ReportFork(stream=stream, first=first, second=second)


@pytest.mark.parametrize("by", ["health/main", "audit-office/main", "civil/main"])
def test_any_active_instance_files_a_proof_and_nobody_reads_beyond_it(
    world: World, by: str
) -> None:
    stream, other = world.stream("civil"), world.stream("civil")
    grant = world.granted("human-resources")
    folded = world.put(fork(world, stream, 5), by=by)
    assert (folded.permit, folded.rules) == (True, ("FORK-01",))
    on_record = world.registry.forks[stream]
    assert (on_record.sequence, on_record.index) == (5, folded.index)
    items = [world.item(stream, sequence=sequence) for sequence in (4, 5, 6)]
    asked = world.put(
        world.ask(grant, *items, world.item(other, sequence=6)), by="human-resources/main"
    )
    assert asked.refused_items == ((1, ("STREAM-02",)), (2, ("STREAM-02",)))


def test_a_verdict_that_a_hub_carried_across_the_fork_yields_no_keys(world: World) -> None:
    """Keys asked for in a race with the proof: whichever stands first decides."""
    stream = world.stream("civil")
    grant = world.granted("human-resources")
    body = world.ask(grant, world.item(stream, sequence=5))
    asked = world.entry(world.sign(body, by="human-resources/main"))
    assert asked.statement.permit
    permitted(world.put(fork(world, stream, 5), by="health/main"))
    folded = world.take(asked)
    assert (folded.permit, folded.rules) == (False, ("STREAM-02",))


def test_what_proves_nothing_is_denied(world: World) -> None:
    stream, other = world.stream("civil"), world.stream("civil")
    one, two = (header(world, stream, 5, name) for name in ("one", "two"))
    for first, second in (
        (one, one),
        (one, header(world, stream, 6, "two")),
        (one, header(world, other, 5, "two")),
        (header(world, other, 5, "one"), header(world, other, 5, "two")),
        (one, header(world, stream, 5, "two", signer="adapter/health/main")),
        (one, two[:-1] + bytes([two[-1] ^ 1])),
        (one, b""),
    ):
        body = acts.ReportFork(stream=stream, first=first, second=second)
        assert world.put(body, by="health/main").rules == ("HEADER-01",)
    body = acts.ReportFork(stream=bytes(32), first=one, second=two)
    assert world.put(body, by="health/main").rules == ("STATE-01",)
    assert world.registry.forks == {}


def test_only_a_lower_fork_changes_what_is_on_record(world: World) -> None:
    stream = world.stream("civil")
    permitted(world.put(fork(world, stream, 5), by="health/main"))
    for sequence in (5, 7):
        assert world.put(fork(world, stream, sequence), by="health/main").rules == ("STATE-01",)
    permitted(world.put(fork(world, stream, 3), by="human-resources/main"))
    assert world.registry.forks[stream].sequence == 3


def test_an_officer_files_none(world: World) -> None:
    body = fork(world, world.stream("civil"), 5)
    folded = world.take(world.entry(world.sign(body, by="health"), permit=True))
    assert (folded.fresh, folded.reason) == (False, "kind")


def test_the_stolen_key_of_a_stopped_instance_proves_nothing(world: World) -> None:
    stream = world.stream("civil")
    body = fork(world, stream, 5)
    permitted(world.put(acts.RetireInstance(member="civil", instance="main"), by="civil"))
    assert world.put(body, by="health/main").rules == ("STREAM-01",)
    assert stream not in world.registry.forks


def test_an_auditor_sees_what_each_header_claims(world: World) -> None:
    stream = world.stream("civil")
    folded = world.put(fork(world, stream, 5), by="health/main")
    row = row_of(folded)
    assert (row.kind, row.subject) == ("stream.fork", stream.hex())
    assert Search(kind="stream.fork", subject=stream.hex()).matches(row)
    assert row.parsed is not None
    assert isinstance(row.parsed.body, acts.ReportFork)
    said = stated(row.parsed.body)
    assert (said["first_sequence"], said["second_sequence"]) == (5, 5)
    assert said["first_hash"] != said["second_hash"]
    junk = acts.ReportFork(stream=stream, first=b"", second=row.parsed.body.second)
    assert stated(junk)["first_hash"] is None
