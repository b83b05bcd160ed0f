"""A ledger in miniature: an authority, hubs, departments with keys, and the acts they sign.

No bus: `World.put` signs an act, lets a hub decide, makes the entry and folds it. Tests that are
about the bus take `World.sign` and the keys from here and bring hubs of their own (hubs.py).
"""

from exchange.ledger.act import Act, parse_act, sign_act
from exchange.ledger.entry import Entry, Statement, leaf_hash, parse_entry, sign_entry, verify_entry
from exchange.ledger.genesis import Root, check_genesis, make_genesis
from exchange.ledger.verdict import Folded
from exchange.model import acts, lifeacts
from exchange.model.actcodec import Body
from exchange.model.acttypes import MemberKind
from exchange.registry.state import Registry
from exchange.wiring.lawbook import follow_rules
from keys.cose import Signer
from tests.ledger.drafts import ORIGIN, OWN_CODE, START_MS, Drafts, credit_code


class World(Drafts):
    """Keys of everybody, and one fold of the ledger they make."""

    def __init__(
        self, *, seed: int = 0, hubs: tuple[str, ...] = ("hub-1",), now_ms: int = START_MS
    ) -> None:
        super().__init__(seed=seed, hubs=hubs)
        self.now_ms = now_ms
        self.genesis = self._genesis()
        self.pin = leaf_hash(self.genesis)
        self.fold = follow_rules()
        self.root: Root = check_genesis(self.genesis, self.pin)
        self.entries: list[Entry] = [self.root.entry]
        self.folded: list[Folded] = [self.fold.begin(self.root)]

    def _genesis(self) -> bytes:
        return make_genesis(
            self.genesis_body(),
            origin=ORIGIN,
            officer=self.signer("office/authority"),
            hub=self.hubs[0],
            entry_signer=self.signer(f"hub/{self.hubs[0]}"),
            now_ms=self.now_ms,
            nonce=self.nonce(),
        )

    @property
    def registry(self) -> Registry:
        """The state after everything that was put."""
        return self.fold.registry

    def advance(self, by_ms: int) -> None:
        """Let time pass for everybody."""
        self.now_ms += by_ms

    def sign(
        self,
        body: Body,
        *,
        by: str = "authority",
        now_ms: int | None = None,
        lifetime_ms: int = 300_000,
        nonce: bytes | None = None,
        label: str | None = None,
    ) -> bytes:
        """An act of ``by``: a member's officer, or ``member/instance``."""
        member, _, instance = by.partition("/")
        kind = "adapter" if instance else "office"
        return sign_it(
            stated_by(member, body),
            member=member,
            instance=instance or None,
            signer=self.signer(label or f"{kind}/{by}"),
            now_ms=self.now_ms if now_ms is None else now_ms,
            lifetime_ms=lifetime_ms,
            nonce=nonce or self.nonce(),
        )

    def entry(self, act: bytes, *, hub: str = "", **changed: object) -> Entry:
        """The entry a hub makes of an act on the state as it stands; ``changed`` overrides."""
        hub = hub or self.hubs[0]
        stated: dict[str, object] = {
            "origin": ORIGIN,
            "hub": hub,
            "time_ms": self.now_ms,
            "act": act,
            "permit": False,
            "rules": (),
        }
        if "permit" not in changed:
            stated |= self._proposed(act)
        statement = Statement(**{**stated, **changed})  # type: ignore[arg-type]
        parsed = parse_entry(sign_entry(statement, self.signer(f"hub/{hub}")))
        return verify_entry(parsed, self.public(f"hub/{hub}"))

    def _proposed(self, raw: bytes) -> dict[str, object]:
        act = self.fold.authenticate(raw, self.now_ms)
        proposal = self.fold.propose(act, self.now_ms, {})
        return {
            "permit": proposal.verdict.permit,
            "rules": proposal.verdict.rules,
            "refused_items": proposal.verdict.refused_items,
            "footprint": proposal.footprint,
            "valid_until_ms": proposal.valid_until_ms,
        }

    def take(self, entry: Entry) -> Folded:
        """Fold an entry that was made before."""
        folded = self.fold.fold(entry)
        self.entries.append(entry)
        self.folded.append(folded)
        return folded

    def put(self, body: Body, *, by: str = "authority", hub: str = "") -> Folded:
        """Sign, decide, enter and fold; whatever the verdict."""
        return self.take(self.entry(self.sign(body, by=by), hub=hub))

    def act(self, body: Body, *, by: str = "authority") -> Act:
        """An authentic act that nobody has entered."""
        return self.fold.authenticate(self.sign(body, by=by), self.now_ms)

    def join(self, member: str, kind: MemberKind = "department") -> None:
        """Enrol a member and register its adapter ``main``."""
        assert self.put(self.enrolment(member, kind)).permit
        assert self.put(self.registration(member), by=member).permit

    def publish(self, provider: str, dataset: str = "villages", **changed: object) -> None:
        """Propose, review, publish and key a dataset."""
        proposal = permitted(self.put(self.proposal(dataset, **changed), by=provider))
        self.review(dataset, proposal)
        body = acts.PublishDataset(dataset=dataset, proposal=proposal)
        assert self.put(body).permit
        assert self.put(self.dataset_key(dataset)).permit

    def review(self, dataset: str, proposal: bytes) -> None:
        """The authority finds a proposal fit to be published."""
        body = lifeacts.ReviewDataset(dataset=dataset, proposal=proposal, approve=True)
        assert self.put(body).permit

    def granted(self, consumer: str, dataset: str = "villages", **changed: object) -> bytes:
        """The id of a grant on an unconditional dataset."""
        folded = self.put(self.application(dataset, **changed), by=consumer)
        return permitted(folded)

    def stream(
        self, provider: str, dataset: str = "villages", region: str = "3301", **changed: object
    ) -> bytes:
        """The id of a stream that the provider's adapter ``main`` opens."""
        body = self.opening(dataset, region, **changed)
        folded = self.put(body, by=f"{provider}/main")
        return permitted(folded)


def stated_by(member: str, body: Body) -> Body:
    """The body with the credit code of its signer where a draft left that open."""
    if not isinstance(body, acts.ProposeDataset) or body.elements.provider_code != OWN_CODE:
        return body
    elements = body.elements.model_copy(update={"provider_code": credit_code(member)})
    return body.model_copy(update={"elements": elements})


def sign_it(
    body: Body,
    *,
    member: str,
    instance: str | None,
    signer: Signer,
    now_ms: int,
    lifetime_ms: int,
    nonce: bytes,
    origin: str = ORIGIN,
) -> bytes:
    """`sign_act` for this world's origin."""
    return sign_act(
        body,
        origin=origin,
        member=member,
        instance=instance,
        signer=signer,
        now_ms=now_ms,
        lifetime_ms=lifetime_ms,
        nonce=nonce,
    )


def permitted(folded: Folded) -> bytes:
    """The id of an act that is permitted."""
    assert folded.permit, (folded.rules, folded.reason)
    assert folded.act_id is not None
    return folded.act_id


def act_id(raw: bytes) -> bytes:
    """The id of an act."""
    return parse_act(raw).id


def exchange_world(*, seed: int = 0, hubs: tuple[str, ...] = ("hub-1",)) -> World:
    """Civil affairs provides villages, human resources and health may ask, an auditor watches."""
    world = World(seed=seed, hubs=hubs)
    world.join("civil")
    world.join("human-resources")
    world.join("health")
    world.join("audit-office", "auditor")
    world.publish("civil")
    return world
