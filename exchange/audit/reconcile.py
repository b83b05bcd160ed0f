"""Line up releases, receipts and anchors: who read without saying so, who holds what back. Pure.

::

    tally = Tally(as_of_ms=now_ms, due=Due())
    view.listen(tally.take)  # every leaf, in order
    found = reconcile(tally, registry)

What it can know: a key request names the bundle that an epoch begins with for its reader, a receipt
runs of bundles, an anchor the newest bundle of a stream. So a receipt answers a key if its run has
that bundle and all sections asked for; and a run needs a key asked for at or before its beginning,
and one for every epoch that an anchor places inside it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from exchange.audit.findings import Finding, FindingKind
from exchange.audit.ledgerlines import Hole, Line, without
from exchange.audit.tally import Anchored, Tally
from exchange.model.regions import contains
from exchange.registry.rows import Grant, Stream
from exchange.registry.state import Registry

_READERS: Final = {
    "key-without-receipt",
    "receipt-without-release",
    "receipt-gap",
    "not-delivered",
}
"""What a reader has to explain; everything else its provider."""
_NO_LINE: Final = Line()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The findings, oldest first, and what they were found in."""

    as_of_ms: int
    size: int
    """Entries that were looked at, from the first on."""
    keys: int
    receipts: int
    anchors: int
    findings: tuple[Finding, ...]


def reconcile(tally: Tally, registry: Registry) -> Reconciled:
    """What does not line up, in a state that has folded at least the leaves of ``tally``."""
    found = [
        *_unanswered(tally, registry),
        *_unreleased(tally, registry),
        *_undelivered(tally, registry),
        *_of_streams(tally, registry),
    ]
    found.sort(key=lambda one: (one.since_ms, one.kind, one.stream, one.grant, one.first))
    return Reconciled(
        as_of_ms=tally.as_of_ms,
        size=tally.size,
        keys=tally.keys,
        receipts=tally.receipts,
        anchors=tally.anchors,
        findings=tuple(found),
    )


def _unanswered(tally: Tally, registry: Registry) -> Iterator[Finding]:
    """Keys without receipt, and holes between receipts."""
    due_ms = tally.as_of_ms - tally.due.receipt_ms
    for (grant, stream), line in tally.lines.items():
        late = [key for key in line.open if key.time_ms <= due_ms]
        if late:
            yield _finding(
                tally,
                "key-without-receipt",
                registry,
                stream,
                since_ms=late[0].time_ms,
                grant=grant,
                first=min(key.sequence for key in late),
                last=max(key.sequence for key in late),
                entries=sorted({key.entry for key in late}),
            )
        for runs in line.sinks.values():
            for hole in _undeclared(tally, stream, runs.holes):
                yield _finding(
                    tally,
                    "receipt-gap",
                    registry,
                    stream,
                    since_ms=hole.time_ms,
                    grant=grant,
                    first=hole.first,
                    last=hole.last,
                    entries=[hole.entry],
                )


def _undeclared(tally: Tally, stream: bytes, holes: list[Hole]) -> list[Hole]:
    """What of the holes no gap of the provider explains."""
    for gap in tally.gaps.get(stream, ()):
        holes = [left for hole in holes for left in without(hole, gap.first, gap.last)]
    return holes


def _unreleased(tally: Tally, registry: Registry) -> Iterator[Finding]:
    for grant, run, index, time_ms in tally.strays:
        yield _finding(
            tally,
            "receipt-without-release",
            registry,
            run.stream,
            since_ms=time_ms,
            grant=grant,
            first=run.first,
            last=run.last,
            entries=[index],
        )


def _undelivered(tally: Tally, registry: Registry) -> Iterator[Finding]:
    """Anchors that the receipts of a standing grant do not reach, though they should by now."""
    due_ms = tally.as_of_ms - tally.due.delivery_ms
    for grant in registry.grants.values():
        if not _stands(tally, grant, registry) or tally.begun[grant.id] > due_ms:
            continue
        for stream in registry.streams_of(grant.dataset):
            anchor = tally.settled.get(stream.id)
            if anchor is None or not _covers(grant, stream, anchor):
                continue
            line = tally.lines.get((grant.id, stream.id), _NO_LINE)
            if line.open or line.reach >= anchor.sequence:
                continue  # with keys outstanding it is their receipts that lack
            yield _finding(
                tally,
                "withheld" if line.sinks else "not-delivered",
                registry,
                stream.id,
                since_ms=max(anchor.time_ms, tally.begun[grant.id]),
                grant=grant.id,
                first=line.reach + 1,
                last=anchor.sequence,
                entries=[anchor.index],
            )


def _stands(tally: Tally, grant: Grant, registry: Registry) -> bool:
    """Whether a grant was in force at the end of what was looked at."""
    dataset = registry.datasets[grant.dataset]
    return (
        grant.granted < tally.size
        and (grant.revoked is None or grant.revoked >= tally.size)
        and tally.as_of_ms < grant.expires_ms
        and dataset.status == "published"
        and registry.active(grant.consumer)
    )


def _of_streams(tally: Tally, registry: Registry) -> Iterator[Finding]:
    """What concerns a stream whoever reads it."""
    due_ms = tally.as_of_ms - tally.due.delivery_ms
    for stream, ahead in tally.ahead.items():
        if ahead.since_ms <= due_ms:
            newest = tally.newest.get(stream)
            yield _finding(
                tally,
                "anchor-behind",
                registry,
                stream,
                since_ms=ahead.since_ms,
                first=newest.sequence + 1 if newest else 0,
                last=ahead.last,
                entries=[ahead.index],
            )
    for stream, gaps in tally.gaps.items():
        for gap in gaps:
            yield _finding(
                tally,
                "gap-declared",
                registry,
                stream,
                since_ms=gap.time_ms,
                first=gap.first,
                last=gap.last,
                entries=[gap.entry],
            )
    for (stream, sequence), (one, other, time_ms) in tally.clashes.items():
        yield _finding(
            tally,
            "head-mismatch",
            registry,
            stream,
            since_ms=time_ms,
            first=sequence,
            last=sequence,
            entries=[one, other],
        )
    for stream, (index, time_ms) in tally.forked.items():
        sequence = registry.forks[stream].sequence
        yield _finding(
            tally,
            "fork",
            registry,
            stream,
            since_ms=time_ms,
            first=sequence,
            last=sequence,
            entries=[index],
        )


def _finding(
    tally: Tally,
    kind: FindingKind,
    registry: Registry,
    stream: bytes,
    *,
    since_ms: int,
    first: int,
    last: int,
    entries: Iterable[int],
    grant: bytes = b"",
) -> Finding:
    row = registry.streams[stream]
    consumer = registry.grants[grant].consumer if grant else ""
    return Finding(
        kind=kind,
        since_ms=since_ms,
        age_ms=tally.as_of_ms - since_ms,
        responsible=consumer if kind in _READERS else row.member,
        dataset=row.dataset,
        provider=row.member,
        consumer=consumer,
        grant=grant,
        stream=stream,
        first=first,
        last=last,
        entries=tuple(entries),
    )


def _covers(grant: Grant, stream: Stream, anchor: Anchored) -> bool:
    """Whether what ``anchor`` names is within the regions and the period of the grant."""
    inside = any(contains(region, stream.region) for region in grant.regions)
    return inside and grant.from_ms <= anchor.time_ms <= grant.to_ms
