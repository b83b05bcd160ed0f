"""A refusal says which field, item or source it is about."""

import pytest

from exchange.errors import RuleRefused
from exchange.model.contract import Contract
from exchange.wiring.hints import about_application, about_proposal, hinted
from tests.ledger.drafts import VILLAGES, elements
from tests.ledger.world import World, exchange_world


@pytest.fixture(scope="module")
def world() -> World:
    """Villages whose heads are persons, the source of their names."""
    world = exchange_world()
    text = VILLAGES.replace("type: text, level: 2", "type: text, level: 2, personal: general")
    encoded = Contract.from_yaml(text.encode()).encoded
    world.publish("civil", contract=encoded, sources=("village-name",))
    return world


def refused(*rules: str) -> RuleRefused:
    return RuleRefused("no", "否", rules=rules, remedy=("see entry 7", "见条目 7"))


def test_a_proposal_hears_what_is_missing_claimed_or_without_consent(world: World) -> None:
    body = world.proposal(
        "digest",
        elements=elements("digest", abstract="", format="CSV"),
        sources=("village-name",),
        derived_from=("villages",),
    )
    hints = about_proposal(body, "health", world.registry)
    said = hinted(refused("CAT-01", "CAT-03", "SRC-01", "TP-01"), hints)
    assert said.rules == ("CAT-01", "CAT-03", "SRC-01", "TP-01")
    assert said.remedy.en == (
        "missing: abstract; CSV is exchanged by: file; another dataset has: village-name;"
        " no consent for: villages; see entry 7"
    )
    assert said.remedy.zh.startswith("缺少：abstract；")


def test_what_is_on_no_ledger_is_named(world: World) -> None:
    body = world.proposal("digest", derived_from=("nothing",), uses=("curiosity",))
    hints = about_proposal(body, "health", world.registry)
    assert hinted(refused("STATE-01"), hints).remedy.en == (
        "not on the ledger: nothing, curiosity; see entry 7"
    )


def test_an_application_hears_which_fields_are_personal(world: World) -> None:
    body = world.application(purpose="curiosity")
    shape = world.registry.shapes[world.registry.datasets["villages"].contract_hash]
    hints = about_application(body, shape, world.registry)
    en = hinted(refused("PI-01", "PI-02", "PURPOSE-01"), hints).remedy.en
    assert "not stated as necessary: head (--necessary)" in en
    assert "personal fields: head; give --assessment" in en
    assert "purposes: admin-basis, reference, verification, collaboration" in en


def test_what_is_not_known_better_stays_as_it_was(world: World) -> None:
    body = world.application()
    shape = world.registry.shapes[body.contract]
    error = refused("DUTY-01")
    assert hinted(error, about_application(body, shape, world.registry)) is error
