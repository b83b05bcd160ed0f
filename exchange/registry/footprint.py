"""Which rows an act reads, and at which versions; exchange/ledger/SPEC.md section 8.

Hub and fold both call `footprint`: equal results mean that nothing the verdict rests on has changed
between the state the hub decided on and the position of the entry.
"""

from collections.abc import Iterable

from exchange.ledger.act import Act
from exchange.ledger.verdict import Footprint
from exchange.model import acts, evidenceacts, lawacts, lifeacts
from exchange.registry.dutyfootprint import of_duty
from exchange.registry.liferows import Claim, Consent, Purpose
from exchange.registry.state import Registry

_NAME_HEX = 24

Pair = tuple[str, int]


def footprint(act: Act, registry: Registry) -> Footprint:
    """The pairs of key and version, ascending."""
    reads = _Reads(registry)
    pairs = {("p:rules", registry.rules_version), reads.member(act.member)}
    if act.instance is not None:
        pairs.add(reads.instance(act.member, act.instance))
    pairs.update(_of_body(act, reads))
    return tuple(sorted(pairs))


class _Reads:
    """Pairs by kind of row; what is not there has version 0."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def member(self, member: str) -> Pair:
        row = self.registry.members.get(member)
        return f"m:{member}", row.version if row else 0

    def instance(self, member: str, instance: str) -> Pair:
        row = self.registry.instances.get((member, instance))
        return f"i:{member}/{instance}", row.version if row else 0

    def organisation(self, credit_code: str) -> Pair:
        """The newest member under a credit code."""
        member = self.registry.organisations.get(credit_code)
        version = self.registry.members[member].version if member is not None else 0
        return f"b:{credit_code}", version

    def proposal(self, dataset: str) -> Pair:
        newest = self.registry.proposed.get(dataset)
        version = self.registry.proposals[newest].version if newest else 0
        return f"c:{dataset}", version

    def dataset(self, dataset: str) -> Iterable[Pair]:
        """The dataset and its provider."""
        row = self.registry.datasets.get(dataset)
        yield f"d:{dataset}", row.version if row else 0
        if row:
            yield self.member(row.provider)

    def holder(self, code: str) -> Pair:
        """The roles of one person."""
        row = self.registry.holders.get(code)
        return f"n:{code}", row.version if row else 0

    def request(self, request: bytes) -> Iterable[Pair]:
        """An application, its applicant and its dataset."""
        row = self.registry.requests.get(request)
        yield _key("r", request), row.version if row else 0
        if row:
            yield self.member(row.consumer)
            yield from self.dataset(row.dataset)

    def grant(self, grant: bytes) -> Iterable[Pair]:
        """A grant, its consumer and its dataset."""
        row = self.registry.grants.get(grant)
        yield _key("g", grant), row.version if row else 0
        if row:
            yield self.member(row.consumer)
            yield from self.dataset(row.dataset)

    def claims(self, code: str, items: Iterable[str]) -> Iterable[Pair]:
        """Who has a resource code, and who is the source of items."""
        yield f"k:{code}", _version(self.registry.codes.get(code))
        for item in items:
            yield f"o:{item}", _version(self.registry.items.get(item))

    def promised(self, dataset: str) -> Iterable[Pair]:
        """Who must register a dataset under this name."""
        for name in self.registry.duties_register.get(dataset, ()):
            yield f"t:{name}", self.registry.duties[name].version

    def purpose(self, purpose: str) -> Pair:
        return f"u:{purpose}", _version(self.registry.purposes.get(purpose))

    def consent(self, dataset: str, member: str) -> Iterable[Pair]:
        """A dataset that ``member`` would pass on, and its provider's word on that."""
        yield from self.dataset(dataset)
        yield f"w:{dataset}/{member}", _version(self.registry.consents.get((dataset, member)))

    def stream(self, stream: bytes) -> Pair:
        row = self.registry.streams.get(stream)
        return _key("s", stream), row.opened + 1 if row else 0

    def stream_and_instance(self, stream: bytes) -> Iterable[Pair]:
        """A stream and the instance whose headers it carries."""
        yield self.stream(stream)
        row = self.registry.streams.get(stream)
        if row:
            yield self.instance(row.member, row.instance)
            yield self.member(row.member)

    def fork(self, stream: bytes) -> Iterable[Pair]:
        """What is on record of a fork, the stream with its instance, and its dataset."""
        fork = self.registry.forks.get(stream)
        yield _key("f", stream), fork.index + 1 if fork else 0
        yield from self.stream_and_instance(stream)
        row = self.registry.streams.get(stream)
        if row:
            yield from self.dataset(row.dataset)

    def track(self, stream: bytes) -> Iterable[Pair]:
        """Anchors and gaps of a stream, and its dataset."""
        track = self.registry.tracks.get(stream)
        yield _key("a", stream), track.version if track else 0
        row = self.registry.streams.get(stream)
        if row:
            yield from self.dataset(row.dataset)


def _of_body(act: Act, reads: _Reads) -> Iterable[Pair]:
    match act.body:
        case acts.EnrolMember():
            yield reads.member(act.body.member)
            yield reads.organisation(act.body.credit_code)
        case acts.SuspendMember():
            yield reads.member(act.body.member)
        case lawacts.AssignRole() | lawacts.EndRole():
            yield reads.member(act.body.member)
            yield reads.holder(act.body.holder)
        case acts.RegisterInstance():
            yield reads.instance(act.member, act.body.instance)
        case acts.RetireInstance():
            yield reads.member(act.body.member)
            yield reads.instance(act.body.member, act.body.instance)
        case acts.ProposeDataset() | acts.PublishDataset() | lifeacts.ReviewDataset():
            yield from _of_entry(act.body, act.member, reads)
        case acts.WithdrawDataset():
            yield from reads.dataset(act.body.dataset)
        case acts.DatasetKey():
            yield "h:hubs", reads.registry.hubs_version
            yield from reads.dataset(act.body.dataset)
        case acts.OpenStream() | acts.ReportProgress() | acts.DeclareGap() | acts.ReportFork():
            yield from _of_stream(act.body, reads)
        case _:
            yield from _of_exchange(act, reads)


def _of_entry(
    body: acts.ProposeDataset | acts.PublishDataset | lifeacts.ReviewDataset,
    member: str,
    reads: _Reads,
) -> Iterable[Pair]:
    """The proposal, the dataset, and whatever its statements lean on."""
    yield reads.proposal(body.dataset)
    yield from reads.dataset(body.dataset)
    newest = reads.registry.proposed.get(body.dataset)
    row = reads.registry.proposals[newest] if newest is not None else None
    if row is not None:
        yield reads.member(row.provider)
    match body:
        case acts.ProposeDataset():
            yield from reads.claims(body.elements.code, body.sources)
            yield from reads.promised(body.dataset)
            for use in body.uses:
                yield reads.purpose(use)
            for source in body.derived_from:
                yield from reads.consent(source, member)
        case acts.PublishDataset() if row is not None:
            yield from reads.claims(row.said.code, row.said.sources)
            for source in row.said.derived_from:
                yield from reads.consent(source, row.provider)
        case _:
            pass


def _of_stream(
    body: acts.OpenStream | acts.ReportProgress | acts.DeclareGap | acts.ReportFork, reads: _Reads
) -> Iterable[Pair]:
    match body:
        case acts.OpenStream():
            yield from reads.dataset(body.dataset)
            if body.predecessor is not None:
                yield reads.stream(body.predecessor)
        case acts.ReportProgress():
            for anchor in body.anchors:
                yield from reads.track(anchor.stream)
        case acts.DeclareGap():
            yield from reads.track(body.stream)
        case acts.ReportFork():
            yield from reads.fork(body.stream)


def _of_exchange(act: Act, reads: _Reads) -> Iterable[Pair]:
    match act.body:
        case acts.Apply():
            yield from reads.dataset(act.body.dataset)
            yield reads.proposal(act.body.dataset)
            yield reads.purpose(act.body.purpose)
        case acts.AnswerRequest() | acts.WithdrawRequest() | lifeacts.CompleteRequest():
            yield from reads.request(act.body.request)
        case acts.RevokeGrant() | lifeacts.RenewGrant():
            yield from reads.grant(act.body.grant)
        case acts.AskKeys():
            yield from reads.grant(act.body.grant)
            for stream in {item.stream for item in act.body.items}:
                yield from reads.stream_and_instance(stream)
        case acts.FileReceipt():
            yield from reads.grant(act.body.grant)
            for stream in {run.stream for run in act.body.items}:
                yield reads.stream(stream)
        case evidenceacts.AuditQuery():
            for member in act.body.members:
                yield reads.member(member)
            for dataset in act.body.datasets:
                yield from reads.dataset(dataset)
            yield reads.purpose(act.body.purpose)
        case _:
            yield from _of_sharing(act, reads)


def _of_sharing(act: Act, reads: _Reads) -> Iterable[Pair]:
    match act.body:
        case lifeacts.ConsentOnward():
            yield from reads.dataset(act.body.dataset)
            yield reads.member(act.body.member)
        case lifeacts.DeclareCollection():
            for item in act.body.items:
                claim = reads.registry.items.get(item)
                yield f"o:{item}", _version(claim)
                if claim is not None:
                    yield from reads.dataset(claim.dataset)
        case lifeacts.RegisterPurpose():
            yield reads.purpose(act.body.purpose)
        case _:
            yield from of_duty(act, reads)


def _version(row: Claim | Consent | Purpose | None) -> int:
    return row.version if row is not None else 0


def _key(letter: str, name: bytes) -> str:
    return f"{letter}:{name.hex()[:_NAME_HEX]}"
