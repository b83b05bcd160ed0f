"""Who may speak: each reason for which an act is void, at a hub and in the fold."""

import pytest

from exchange.errors import ActRefused
from exchange.ledger.entry import Entry
from exchange.ledger.verdict import Folded
from exchange.limits import CLOCK_SKEW_MS_MAX
from exchange.model import acts
from exchange.model.actcodec import Body
from exchange.registry.statehash import state_hash
from tests.ledger.drafts import ORIGIN
from tests.ledger.world import World, permitted, sign_it

WITHDRAWAL = acts.WithdrawRequest(request=bytes(32))


def let_through(world: World, raw: bytes) -> Folded:
    """The leaf of an act that a careless hub entered with a permit."""
    return world.take(world.entry(raw, permit=True, rules=("SELF-01",)))


def void_everywhere(world: World, raw: bytes, reason: str) -> None:
    """A hub refuses the act; if one lets it through, it is a leaf without effect."""
    with pytest.raises(ActRefused) as refused:
        world.fold.authenticate(raw, world.now_ms)
    assert refused.value.failure == reason
    before, time_ms = state_hash(world.registry), world.registry.time_ms
    size = world.registry.size
    folded = let_through(world, raw)
    assert (folded.fresh, folded.permit, folded.reason) == (False, False, reason)
    assert folded.index == size
    assert world.registry.time_ms == time_ms
    world.registry.size = size
    assert state_hash(world.registry) == before
    world.registry.size = size + 1


def signed(world: World, body: Body, *, by: str, label: str, origin: str = ORIGIN) -> bytes:
    member, _, instance = by.partition("/")
    return sign_it(
        body,
        member=member,
        instance=instance or None,
        signer=world.signer(label),
        now_ms=world.now_ms,
        lifetime_ms=60_000,
        nonce=world.nonce(),
        origin=origin,
    )


def test_an_act_for_another_log_is_void(world: World) -> None:
    raw = signed(world, WITHDRAWAL, by="health", label="office/health", origin="elsewhere")
    void_everywhere(world, raw, "wrong-origin")


def test_an_act_under_a_key_nobody_enrolled_is_void(world: World) -> None:
    world.custody.generate_signing("stranger")
    raw = signed(world, WITHDRAWAL, by="health", label="stranger")
    void_everywhere(world, raw, "unknown-key")


def test_nobody_speaks_for_another_member_or_instance(world: World) -> None:
    for by, label in (
        ("civil", "office/health"),
        ("health/main", "office/health"),
        ("health", "adapter/health/main"),
        ("civil/main", "adapter/health/main"),
    ):
        void_everywhere(world, signed(world, WITHDRAWAL, by=by, label=label), "unknown-key")


def test_an_officer_does_not_sign_what_an_adapter_says_and_the_other_way_round(
    world: World,
) -> None:
    stream = world.stream("civil")
    progress = acts.ReportProgress(anchors=(world.anchor(stream, 1),))
    void_everywhere(world, world.sign(progress, by="civil"), "kind")
    void_everywhere(world, world.sign(WITHDRAWAL, by="health/main"), "kind")


def test_a_suspended_member_and_its_adapters_are_silent(world: World) -> None:
    assert world.put(acts.SuspendMember(member="health", reason="merged")).permit
    void_everywhere(world, world.sign(WITHDRAWAL, by="health"), "inactive")
    receipt = acts.FileReceipt(grant=bytes(32), purpose="x", sink="csv", items=())
    void_everywhere(world, world.sign(receipt, by="health/main"), "inactive")


def test_a_retired_adapter_is_silent_even_after_its_name_has_new_keys(world: World) -> None:
    receipt = acts.FileReceipt(grant=bytes(32), purpose="x", sink="csv", items=())
    old = world.sign(receipt, by="health/main")
    assert world.put(acts.RetireInstance(member="health", instance="main"), by="health").permit
    void_everywhere(world, old, "inactive")
    assert world.put(world.registration("health", fresh=True), by="health").permit
    void_everywhere(world, old, "inactive")
    assert world.act(receipt, by="health/main").instance == "main"


def test_an_act_out_of_its_time_is_void(world: World) -> None:
    now_ms = world.now_ms
    early = world.sign(WITHDRAWAL, by="health", now_ms=now_ms + CLOCK_SKEW_MS_MAX + 1)
    void_everywhere(world, early, "not-yet")
    late = world.sign(WITHDRAWAL, by="health", now_ms=now_ms - 300_000)
    void_everywhere(world, late, "expired")
    in_time = world.sign(WITHDRAWAL, by="health", now_ms=now_ms + CLOCK_SKEW_MS_MAX)
    assert world.fold.authenticate(in_time, now_ms).member == "health"


def test_an_act_is_examined_once_whatever_came_of_it(world: World) -> None:
    denied = world.sign(WITHDRAWAL, by="health")
    assert not world.take(world.entry(denied)).permit
    void_everywhere(world, denied, "seen-before")
    raw = world.sign(world.enrolment("justice"))
    assert world.take(world.entry(raw)).permit
    void_everywhere(world, raw, "seen-before")


def test_seen_acts_are_forgotten_when_they_have_expired_and_stay_void(world: World) -> None:
    raw = world.sign(WITHDRAWAL, by="health")
    world.take(world.entry(raw))
    seen = len(world.registry.seen)
    world.advance(300_000)
    world.put(WITHDRAWAL, by="health")
    assert len(world.registry.seen) < seen
    void_everywhere(world, raw, "expired")


def test_garbage_and_a_second_genesis_are_void_leaves(world: World) -> None:
    for raw in (b"garbage", world.sign(world.genesis_body())):
        folded = let_through(world, raw)
        assert (folded.fresh, folded.reason, folded.act) == (False, "malformed", None)


def test_a_signature_that_does_not_match_is_void(world: World) -> None:
    raw = world.sign(WITHDRAWAL, by="health")
    bent = raw[:-1] + bytes([raw[-1] ^ 1])
    void_everywhere(world, bent, "signature")


def test_an_act_that_was_verified_before_is_not_taken_for_another(world: World) -> None:
    raw = world.sign(WITHDRAWAL, by="health")
    known = world.fold.authenticate(raw, world.now_ms)
    other = world.sign(WITHDRAWAL, by="civil")
    assert world.fold.authenticate(other, world.now_ms, known).member == "civil"
    assert world.fold.authenticate(raw, world.now_ms, known) is known


def test_a_known_act_whose_key_has_moved_on_is_verified_again(world: World) -> None:
    """The same kid never names two keys; a registry that says so is not believed blindly."""
    raw = world.sign(WITHDRAWAL, by="health")
    known = world.fold.authenticate(raw, world.now_ms)
    keys = world.registry.signing_keys
    row = keys[known.kid]
    keys[known.kid] = type(row)(row.kid, world.public("office/civil"), row.member, row.instance)
    with pytest.raises(ActRefused) as refused:
        world.fold.authenticate(raw, world.now_ms, known)
    assert refused.value.failure == "signature"


def test_one_wrong_hub_clock_does_not_run_ledger_time(world: World) -> None:
    """Attack 15: an entry a year ahead holds an act that nobody signed for then."""
    year_ms = 365 * 86_400_000
    before = world.registry.time_ms
    raw = world.sign(WITHDRAWAL, by="health")
    ahead: Entry = world.entry(raw, permit=True, rules=("SELF-01",), time_ms=world.now_ms + year_ms)
    assert world.take(ahead).reason == "expired"
    assert world.registry.time_ms == before
    permitted(world.put(world.enrolment("justice")))


def test_ledger_time_never_runs_back(world: World) -> None:
    world.advance(60_000)
    world.put(WITHDRAWAL, by="health")
    reached = world.registry.time_ms
    raw = world.sign(WITHDRAWAL, by="civil")
    folded = world.take(world.entry(raw, permit=False, time_ms=reached - 50_000))
    assert (folded.time_ms, world.registry.time_ms) == (reached, reached)
