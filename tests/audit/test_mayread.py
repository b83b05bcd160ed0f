"""Whether a member may read, and what exactly is missing if not."""

from typing import Any

import pytest

from exchange.audit import lacking
from exchange.audit.mayread import Reading, Wanted, may_read
from exchange.model import acts
from exchange.model.contract import Contract
from exchange.registry import requests
from tests.ledger.drafts import DAY_MS, HOUR_MS, VILLAGES
from tests.ledger.world import World, exchange_world, permitted

_NOTE = "  - {name: note, type: text, level: 1}\nkey:"
WIDER = Contract.from_yaml(VILLAGES.replace("key:", _NOTE).encode()).encoded


def asked(world: World, member: str = "health", **changed: Any) -> Reading:
    """Whether ``member`` may read two sections of one city, for the usual purpose."""
    stated = {
        "dataset": "villages",
        "purpose": world.application().purpose,
        "fields": ("code", "name", "head"),
        "regions": ("3301",),
    }
    wanted = Wanted(member, **{**stated, **changed})
    return may_read(world.registry, world.fold.engine, wanted, world.now_ms + HOUR_MS)


def lacks(reading: Reading) -> list[str]:
    assert not reading.permit
    assert all(one.text.en and one.text.zh and one.remedy.en for one in reading.missing)
    assert all(one.remedy.zh for one in reading.missing)
    return [one.what for one in reading.missing]


@pytest.fixture
def world() -> World:
    return exchange_world()


def test_a_grant_that_covers_it_is_named_with_its_rule(world: World) -> None:
    grant = world.granted("health")
    found = asked(world)
    assert (found.permit, found.grant, found.rules, found.missing) == (
        True,
        grant,
        ("GRANT-01",),
        (),
    )
    assert asked(world, regions=("330102",)).permit


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"purpose": "工作参考"}, ["purpose"]),
        ({"fields": ("code", "phone")}, ["fields"]),
        ({"fields": ()}, ["fields"]),
        ({"regions": ("3302",)}, ["regions"]),
        ({"regions": ("33",)}, ["regions"]),
        ({"regions": ("",)}, ["regions"]),
        ({"regions": ("3301", "11"), "fields": ("phone",)}, ["fields", "regions"]),
    ],
)
def test_each_part_that_a_grant_lacks_is_named(
    world: World, changed: dict[str, Any], what: list[str]
) -> None:
    grant = world.granted("health")
    found = asked(world, **changed)
    assert lacks(found) == what
    assert found.grant == grant
    assert found.rules == ("PUR-01",)


def test_the_nearest_of_several_grants_is_compared(world: World) -> None:
    world.granted("health", regions=("3302",), fields=("code", "name"))
    near = world.granted("health", regions=("3302",))
    found = asked(world)
    assert found.grant == near
    assert lacks(found) == ["regions"]


def test_a_grant_that_ended_says_how(world: World) -> None:
    grant = world.granted("health")
    assert world.put(acts.RevokeGrant(grant=grant, reason=""), by="civil").permit
    found = asked(world)
    assert lacks(found) == ["revoked"]
    assert found.rules == ("REV-01",)
    world.granted("human-resources")
    world.advance(61 * DAY_MS)
    assert lacks(asked(world, "human-resources")) == ["expired"]
    world.advance(30 * DAY_MS)
    assert lacks(asked(world, "human-resources")) == ["expired", "period"]


def test_a_revised_contract_and_a_withdrawn_dataset_are_named(world: World) -> None:
    world.granted("health")
    world.publish("civil", contract=WIDER)
    assert lacks(asked(world)) == ["contract"]
    assert world.put(acts.WithdrawDataset(dataset="villages", reason="x"), by="civil").permit
    assert lacks(asked(world)) == ["dataset", "contract"]


def test_an_application_that_was_returned_says_what_it_lacks_and_whose_turn_it_is(
    world: World,
) -> None:
    body = world.application(scenario="", manner="")
    assert world.put(body, by="health").rules == ("REQ-01",)
    found = asked(world)
    assert lacks(found) == ["grant", "completion"]
    last = found.missing[-1]
    assert last.text.en.endswith("it lacks the scenario, the manner of provision")
    assert last.text.zh.endswith("缺少使用场景、提供方式")
    assert "exchange request complete" in last.remedy.en


def test_every_part_that_an_application_may_lack_has_words() -> None:
    assert set(lacking._PARTS) == set(requests.PARTS)


def test_a_dataset_that_is_no_longer_shared_says_on_which_basis(world: World) -> None:
    world.granted("health")
    world.publish("civil", sharing="refused", basis="统计法 第九条", basis_kind="law")
    found = asked(world)
    assert lacks(found) == ["class"]
    assert "统计法 第九条" in found.missing[0].text.en
    assert found.rules == ("CLASS-01",)
    assert lacks(asked(world, "human-resources", duty="社会保险法")) == ["grant", "class"]


def test_a_suspended_member_reads_nothing(world: World) -> None:
    world.granted("health")
    assert world.put(acts.SuspendMember(member="health", reason="x")).permit
    found = asked(world)
    assert lacks(found) == ["member"]
    assert "MEM-01" in found.rules


def test_who_and_what_is_not_there_is_said_first(world: World) -> None:
    assert lacks(asked(world, "nobody")) == ["member"]
    assert lacks(asked(world, dataset="nothing")) == ["dataset"]
    assert lacks(asked(world, fields=("code", "colour"))) == ["fields"]
    world.put(world.proposal("schools"), by="health")
    found = asked(world, dataset="schools")
    assert lacks(found) == ["dataset"]
    assert "not published" in found.missing[0].text.en


def test_without_a_grant_the_rules_say_what_an_application_would_meet(world: World) -> None:
    assert lacks(asked(world, duty="社会保险法 第七条")) == ["grant", "application"]
    bare = asked(world)
    assert lacks(bare) == ["grant", "duty"]
    assert bare.rules == ("DUTY-01",)
    auditor = asked(world, "audit-office", duty="审计法")
    assert lacks(auditor)[0] == "grant"
    assert "BASIS-01" in auditor.rules


def test_what_became_of_an_application_is_told(world: World) -> None:
    world.publish("civil", "schools", sharing="conditional", conditions=("每季度一次",))
    request = permitted(world.put(world.application("schools"), by="health"))
    assert lacks(asked(world, dataset="schools")) == ["grant", "answer"]
    body = acts.AnswerRequest(
        request=request, approve=False, basis="档案法 第三十条", reason="law-forbids"
    )
    refused = world.put(body, by="civil")
    assert refused.permit, refused.rules
    assert lacks(asked(world, dataset="schools")) == ["grant", "refused"]
