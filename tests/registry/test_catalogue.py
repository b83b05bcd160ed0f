"""The catalogue: proposals, publication, revision, withdrawal, dataset keys."""

from exchange.model import acts
from exchange.registry.possession import POSSESSION_DOMAIN
from keys import cbor, cose
from tests.ledger.drafts import DAY_MS, ORIGIN, contract, elements
from tests.ledger.world import World, permitted


def test_a_published_dataset_is_what_was_proposed(world: World) -> None:
    row = world.registry.datasets["villages"]
    assert (row.provider, row.status, row.topic) == ("civil", "published", "data.villages")
    assert row.contract_hash == contract().hash
    assert world.registry.contracts[row.contract_hash] == contract().encoded
    assert world.registry.proposals[row.proposal].status == "published"


def test_the_authority_publishes_and_the_provider_does_not(world: World) -> None:
    proposal = permitted(world.put(world.proposal("schools"), by="civil"))
    body = acts.PublishDataset(dataset="schools", proposal=proposal)
    assert world.put(body).rules == ("CAT-04",)
    world.review("schools", proposal)
    assert world.put(body, by="civil").rules == ("BASIS-01",)
    permitted(world.put(body))
    assert world.put(body).rules == ("STATE-01",)


def test_only_the_newest_proposal_can_be_published(world: World) -> None:
    first = permitted(world.put(world.proposal("schools"), by="civil"))
    second = permitted(world.put(world.proposal("schools", partitions=2), by="civil"))
    assert not world.put(acts.PublishDataset(dataset="schools", proposal=first)).permit
    assert not world.put(acts.PublishDataset(dataset="villages", proposal=second)).permit
    assert not world.put(acts.PublishDataset(dataset="schools", proposal=bytes(32))).permit
    world.review("schools", second)
    permitted(world.put(acts.PublishDataset(dataset="schools", proposal=second)))
    assert world.registry.datasets["schools"].partitions == 2


def test_a_name_belongs_to_whoever_proposed_it_first(world: World) -> None:
    assert world.put(world.proposal("villages"), by="health").rules == ("NAME-01",)
    permitted(world.put(world.proposal("schools"), by="civil"))
    assert world.put(world.proposal("schools"), by="health").rules == ("NAME-01",)


def test_what_the_catalogue_refuses_is_named(world: World) -> None:
    for changed, rule in (
        ({"secrecy": "state"}, "SEC-01"),
        ({"price": "1 yuan"}, "FEE-01"),
        ({"elements": elements("schools", abstract="")}, "CAT-01"),
        ({"contract": b"none"}, "CONTRACT-01"),
        ({"contract": contract("other-name").encoded}, "CONTRACT-01"),
        ({"topic": ""}, "CONTRACT-01"),
        ({"topic": "../data"}, "CONTRACT-01"),
        ({"topic": "data villages"}, "CONTRACT-01"),
        ({"partitions": 0}, "CONTRACT-01"),
    ):
        folded = world.put(world.proposal("schools", **changed), by="civil")
        assert not folded.permit
        assert rule in folded.rules


def test_related_codes_may_be_missing_and_nothing_else(world: World) -> None:
    permitted(
        world.put(world.proposal("schools", elements=elements("schools", related=())), by="civil")
    )
    row = world.registry.proposals[world.registry.proposed["schools"]]
    assert row.missing == ()


def test_a_revised_contract_leaves_old_grants_with_the_old_one(world: World) -> None:
    """Attack 6: what moves into a granted section is not granted."""
    grant = world.granted("health")
    old = world.registry.datasets["villages"].contract_hash
    wider = contract().encoded
    moved = contract(split=False).encoded
    assert moved != wider
    world.publish("civil", contract=moved)
    assert world.registry.grants[grant].contract_hash == old
    assert world.registry.datasets["villages"].contract_hash != old
    assert old in world.registry.shapes


def test_what_is_classed_as_not_shared_opens_nothing_from_the_next_key_on(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    ask = world.ask(grant, world.item(stream))
    permitted(world.put(ask, by="health/main"))
    before = world.registry.revocations("villages")
    world.publish("civil", sharing="refused", basis="统计法 第九条", basis_kind="law")
    assert world.registry.revocations("villages") > before  # providers begin another epoch
    assert world.put(ask, by="health/main").rules == ("CLASS-01",)
    assert world.put(world.application(), by="human-resources").rules == ("CLASS-01",)
    assert world.registry.grants[grant].revoked is None
    world.publish("civil")
    permitted(world.put(ask, by="health/main"))


def test_a_class_without_a_law_closes_nothing(world: World) -> None:
    """Otherwise a provider could take back what it owes by writing another word."""
    grant, stream = world.granted("health"), world.stream("civil")
    revision = world.proposal(sharing="refused", basis="某厅规定", basis_kind="rule")
    assert world.put(revision, by="civil").rules == ("NEG-01",)
    permitted(world.put(world.ask(grant, world.item(stream)), by="health/main"))


def test_provider_and_authority_withdraw_a_dataset(world: World) -> None:
    body = acts.WithdrawDataset(dataset="villages", reason="merged")
    before = world.registry.revocations("villages")
    assert world.put(body, by="health").rules == ("BASIS-01",)
    permitted(world.put(body, by="civil"))
    assert world.registry.datasets["villages"].status == "withdrawn"
    assert world.registry.revocations("villages") > before
    assert world.put(body).rules == ("STATE-01",)
    assert world.put(world.dataset_key()).rules == ("STATE-01",)


def test_a_dataset_key_needs_a_hub_that_holds_it(world: World) -> None:
    """Attack 1: no key gets on record on anybody's word."""
    good = world.dataset_key()
    kid = cbor.encode([ORIGIN, "villages", bytes(16), bytes(32)])
    signer = world.signer("hub/hub-1")
    for proof in (
        b"none",
        cose.sign1(kid, POSSESSION_DOMAIN, signer),
        cose.sign1(cbor.encode("text"), POSSESSION_DOMAIN, signer),
        cose.sign1(kid, POSSESSION_DOMAIN, world.signer("office/authority")),
        world.dataset_key("villages").proof,
    ):
        body = good.model_copy(update={"proof": proof})
        assert world.put(body).rules == ("PROOF-01",)
    assert world.put(good.model_copy(update={"public": bytes(1216)})).rules == ("PROOF-01",)
    assert world.put(good, by="civil").rules == ("BASIS-01",)
    permitted(world.put(good))
    assert world.put(good).rules == ("PROOF-01",)


def test_a_dataset_key_is_valid_in_its_period_and_the_newest_wins(world: World) -> None:
    registry, now_ms = world.registry, world.now_ms
    assert world.put(world.dataset_key(valid_to_ms=now_ms)).rules == ("STATE-01",)
    first = registry.dataset_key_at("villages", now_ms)
    permitted(world.put(world.dataset_key(valid_from_ms=now_ms + DAY_MS)))
    assert registry.dataset_key_at("villages", now_ms) == first
    later = registry.dataset_key_at("villages", now_ms + DAY_MS)
    assert later is not None
    assert first is not None
    assert later.index > first.index
    assert registry.dataset_key_at("villages", now_ms - 1) is None
    assert registry.dataset_key_at("nothing", now_ms) is None
    assert len(registry.dataset_keys("villages")) == 2


def test_a_provider_shares_its_own_topics_only(world: World) -> None:
    shared = world.put(world.proposal("schools", topic="data.villages"), by="civil")
    assert shared.permit
    other = world.put(world.proposal("clinics", topic="data.villages"), by="health")
    assert other.rules == ("CONTRACT-01",)
