"""Which rows an act reads, and at which versions; exchange/ledger/SPEC.md section 8.

Hub and fold both call `footprint`: equal results mean that nothing the verdict rests on has changed
between the state the hub decided on and the position of the entry.
"""

from collections.abc import Iterable

from exchange.ledger.act import Act
from exchange.ledger.verdict import Footprint
from exchange.model import acts, evidenceacts, lawacts
from exchange.registry.dutyfootprint import of_duty
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
        return f"o:{code}", row.version if row else 0

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
        case acts.EnrolMember() | acts.SuspendMember():
            yield reads.member(act.body.member)
        case lawacts.AssignRole() | lawacts.EndRole():
            yield reads.member(act.body.member)
            yield reads.holder(act.body.holder)
        case acts.RegisterInstance():
            yield reads.instance(act.member, act.body.instance)
        case acts.RetireInstance():
            yield reads.member(act.body.member)
            yield reads.instance(act.body.member, act.body.instance)
        case acts.ProposeDataset() | acts.PublishDataset():
            yield reads.proposal(act.body.dataset)
            yield from reads.dataset(act.body.dataset)
            yield from _proposer(act.body, reads)
        case acts.WithdrawDataset():
            yield from reads.dataset(act.body.dataset)
        case acts.DatasetKey():
            yield "h:hubs", reads.registry.hubs_version
            yield from reads.dataset(act.body.dataset)
        case acts.OpenStream() | acts.ReportProgress() | acts.DeclareGap() | acts.ReportFork():
            yield from _of_stream(act.body, reads)
        case _:
            yield from _of_exchange(act, reads)


def _proposer(body: acts.ProposeDataset | acts.PublishDataset, reads: _Reads) -> Iterable[Pair]:
    newest = reads.registry.proposed.get(body.dataset)
    if newest is not None:
        yield reads.member(reads.registry.proposals[newest].provider)


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
        case acts.AnswerRequest() | acts.WithdrawRequest():
            yield from reads.request(act.body.request)
        case acts.RevokeGrant():
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
        case _:
            yield from of_duty(act, reads)


def _key(letter: str, name: bytes) -> str:
    return f"{letter}:{name.hex()[:_NAME_HEX]}"
