"""What a proposal must say, who may be the source of what, and the review before publication."""

from typing import Any

import pytest

from exchange.model import acts, lifeacts
from exchange.registry.footprint import footprint
from tests.ledger.drafts import elements, resource_code
from tests.ledger.world import World, permitted


def proposed(world: World, dataset: str = "schools", by: str = "civil", **changed: object) -> bytes:
    return permitted(world.put(world.proposal(dataset, **changed), by=by))


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"elements": elements("schools", code="33/000001")}, ("CAT-02",)),
        ({"elements": elements("schools", code="307001/00A001")}, ("CAT-02",)),
        ({"elements": elements("schools", code="")}, ("CAT-01",)),
        ({"elements": elements("schools", provider_code="113300000024820076")}, ("CODE-01",)),
        ({"elements": elements("schools", provider_code="11330000MB12345679")}, ("CODE-01",)),
        ({"elements": elements("schools", provider_code="")}, ("CAT-01",)),
        ({"elements": elements("schools", mode="file")}, ("CAT-03",)),
        ({"elements": elements("schools", format="电子表格/xlsx", mode="table")}, ("CAT-03",)),
        ({"sharing": "refused", "basis_kind": "rule"}, ("NEG-01",)),
        ({"sharing": "refused", "basis_kind": "law", "basis": ""}, ("NEG-01",)),
        ({"sharing": "conditional", "scope": ()}, ("CON-01",)),
        ({"sharing": "conditional", "uses": ()}, ("CON-01",)),
        ({"sharing": "conditional", "uses": ("curiosity",)}, ("STATE-01",)),
        ({"sharing": "conditional", "scope": ("everybody",)}, ("STATE-01",)),
        ({"sharing": "conditional", "scope": ("330000",)}, ("STATE-01",)),
        ({"library": "licences", "core_item": True, "sharing": "conditional"}, ("BASE-01",)),
        ({"library": "credit", "price": "每次1元"}, ("FEE-01", "FEE-02")),
        ({"derived_from": ("nothing",)}, ("STATE-01",)),
    ],
)
def test_what_a_proposal_gets_wrong_is_named(
    world: World, changed: dict[str, Any], rules: tuple[str, ...]
) -> None:
    assert world.put(world.proposal("schools", **changed), by="civil").rules == rules


@pytest.mark.parametrize(
    "changed",
    [
        {"elements": elements("schools", mode="api")},
        {"elements": elements("schools", format="电子文件/ofd", mode="file")},
        {"elements": elements("schools", format="自描述格式", mode="file")},
        {"sharing": "refused", "basis_kind": "law", "basis": "统计法 第九条"},
        {"library": "licences", "core_item": True},
        {"library": "licences", "sharing": "conditional"},
        {"sharing": "conditional", "scope": ("health", "authorised", "3301")},
    ],
)
def test_what_is_right_is_proposed(world: World, changed: dict[str, Any]) -> None:
    assert world.put(world.proposal("schools", **changed), by="civil").rules == ("SELF-01",)


def test_a_review_comes_before_the_publication(world: World) -> None:
    proposal = proposed(world)
    publication = acts.PublishDataset(dataset="schools", proposal=proposal)
    assert world.put(publication).rules == ("CAT-04",)
    review = lifeacts.ReviewDataset(dataset="schools", proposal=proposal, approve=True)
    assert world.put(review, by="civil").rules == ("BASIS-01",)
    permitted(world.put(review))
    assert world.registry.proposals[proposal].status == "reviewed"
    permitted(world.put(publication))
    assert world.put(review).rules == ("STATE-01",)


def test_a_return_says_all_that_is_wrong_and_ends_the_proposal(world: World) -> None:
    proposal = proposed(world)

    def review(**said: object) -> lifeacts.ReviewDataset:
        return lifeacts.ReviewDataset.model_validate(
            {"dataset": "schools", "proposal": proposal, "approve": False, **said}
        )

    assert world.put(review()).rules == ("STATE-01",)
    assert world.put(review(approve=True, wanting=("abstract",))).rules == ("STATE-01",)
    assert world.put(review(proposal=bytes(32), wanting=("abstract",))).rules == ("STATE-01",)
    permitted(world.put(review(wanting=("abstract", "cycle"))))
    row = world.registry.proposals[proposal]
    assert (row.status, row.wanting) == ("returned", ("abstract", "cycle"))
    publication = acts.PublishDataset(dataset="schools", proposal=proposal)
    assert world.put(publication).rules == ("STATE-01",)
    better = proposed(world)
    assert world.registry.proposals[proposal].status == "replaced"
    world.review("schools", better)
    permitted(world.put(acts.PublishDataset(dataset="schools", proposal=better)))


def test_one_item_has_one_source(world: World) -> None:
    world.publish("civil", "schools", sources=("school-name", "school-code"))
    second = world.proposal("academies", sources=("school-name",))
    assert world.put(second, by="health").rules == ("SRC-01",)
    assert world.put(second, by="civil").rules == ("SRC-01",)
    permitted(world.put(world.proposal("academies", sources=("academy-name",)), by="health"))
    # Its own revision may keep an item, and frees the one that it leaves out.
    world.publish("civil", "schools", sources=("school-code",))
    assert world.registry.items["school-code"].dataset == "schools"
    world.publish("health", "academies", sources=("school-name",))
    assert world.registry.items["school-name"].dataset == "academies"


def test_a_source_that_was_published_meanwhile_came_first(world: World) -> None:
    late = proposed(world, "academies", by="health", sources=("school-name",))
    world.publish("civil", "schools", sources=("school-name",))
    world.review("academies", late)
    publication = acts.PublishDataset(dataset="academies", proposal=late)
    assert world.put(publication).rules == ("SRC-01",)
    permitted(world.put(acts.WithdrawDataset(dataset="schools", reason="merged"), by="civil"))
    permitted(world.put(publication))


def test_a_resource_code_names_one_dataset(world: World) -> None:
    taken = elements("schools", code=resource_code("villages"))
    folded = world.put(world.proposal("schools", elements=taken), by="health")
    assert folded.rules == ("SRC-01",)
    permitted(world.put(world.proposal("villages"), by="civil"))


def test_nobody_passes_data_on_without_its_provider(world: World) -> None:
    derived = world.proposal("digest", derived_from=("villages",))
    assert world.put(derived, by="health").rules == ("TP-01",)
    permitted(world.put(world.proposal("extract", derived_from=("villages",)), by="civil"))
    consent = lifeacts.ConsentOnward(dataset="villages", member="health")
    assert world.put(consent, by="health").rules == ("BASIS-01",)
    permitted(world.put(consent, by="civil"))
    proposal = permitted(world.put(derived, by="health"))
    assert world.put(derived, by="human-resources").rules == ("NAME-01", "TP-01")
    world.review("digest", proposal)
    no_more = lifeacts.ConsentOnward(dataset="villages", member="health", given=False)
    permitted(world.put(no_more, by="civil"))
    publication = acts.PublishDataset(dataset="digest", proposal=proposal)
    assert world.put(publication).rules == ("TP-01",)
    permitted(world.put(consent, by="civil"))
    permitted(world.put(publication))


def test_a_consent_is_about_what_there_is(world: World) -> None:
    for dataset, member in (("nothing", "health"), ("villages", "nobody")):
        consent = lifeacts.ConsentOnward(dataset=dataset, member=member)
        assert world.put(consent, by="civil").rules == ("STATE-01",)


def test_citizens_are_not_asked_for_what_is_shared(world: World) -> None:
    world.publish("civil", "schools", sources=("school-name",))
    refused: dict[str, object] = {"sharing": "refused", "basis": "某法", "basis_kind": "law"}
    world.publish("civil", "secrets", sources=("secret",), **refused)

    def declare(*items: str, matter: str = "330100-01", by: str = "health") -> tuple[str, ...]:
        body = lifeacts.DeclareCollection(matter=matter, items=items)
        return world.put(body, by=by).rules

    assert declare("school-name") == ("ONCE-01",)
    assert declare("photo", "school-name") == ("ONCE-01",)
    assert declare("photo", "secret") == ("SELF-01",)
    assert declare("school-name", by="civil") == ("SELF-01",)
    assert declare() == ("STATE-01",)
    assert declare("photo", matter="") == ("STATE-01",)
    assert declare("photo", by="audit-office") == ("BASIS-01",)
    rows = [(row.member, row.items) for row in world.registry.collections.values()]
    assert rows == [("health", ("photo", "secret")), ("civil", ("school-name",))]


def test_a_purpose_is_registered_once_by_the_authority(world: World) -> None:
    built_in = set(world.registry.purposes)
    assert built_in == {"admin-basis", "reference", "verification", "collaboration"}

    def register(by: str = "authority", **changed: str) -> tuple[str, ...]:
        stated = {"purpose": "benefits", "title_zh": "待遇核发", "title_en": "Benefits"}
        body = lifeacts.RegisterPurpose.model_validate(
            {**stated, "duty": "社会保险法 第八条", **changed}
        )
        return world.put(body, by=by).rules

    assert register(by="health") == ("BASIS-01",)
    assert register(title_en="") == ("STATE-01",)
    assert register(duty="") == ("STATE-01",)
    assert world.put(world.application(purpose="benefits"), by="health").rules == ("PURPOSE-01",)
    assert register() == ("AUTHORITY-01",)
    assert register(title_zh="另一名称") == ("STATE-01",)
    assert world.registry.purposes["benefits"].title_zh == "待遇核发"
    permitted(world.put(world.application(purpose="benefits"), by="health"))


def test_a_footprint_names_what_a_proposal_leans_on(world: World) -> None:
    body = world.proposal(
        "digest", sources=("name",), derived_from=("villages",), uses=("reference",)
    )
    keys = {key for key, _ in footprint(world.act(body, by="health"), world.registry)}
    assert keys == {
        *("p:rules", "m:health", "m:civil", "c:digest", "d:digest", "d:villages"),
        *(f"k:{resource_code('digest')}", "o:name", "w:villages/health", "u:reference"),
    }
    consent = lifeacts.ConsentOnward(dataset="villages", member="health")
    permitted(world.put(consent, by="civil"))
    proposal = permitted(world.put(body, by="health"))
    publish = acts.PublishDataset(dataset="digest", proposal=proposal)
    keys = {key for key, _ in footprint(world.act(publish), world.registry)}
    assert keys == {
        *("p:rules", "m:authority", "m:health", "m:civil", "c:digest", "d:digest", "d:villages"),
        *(f"k:{resource_code('digest')}", "o:name", "w:villages/health"),
    }


def test_a_consent_withdrawn_before_the_entry_stands_is_seen(world: World) -> None:
    """A proposal that was decided on a consent is decided anew where that has gone."""
    consent = lifeacts.ConsentOnward(dataset="villages", member="health")
    permitted(world.put(consent, by="civil"))
    body = world.proposal("digest", derived_from=("villages",))
    early = world.entry(world.sign(body, by="health"))
    assert early.statement.permit
    gone = lifeacts.ConsentOnward(dataset="villages", member="health", given=False)
    permitted(world.put(gone, by="civil"))
    folded = world.take(early)
    assert (folded.permit, folded.carried, folded.rules) == (False, False, ("TP-01",))
