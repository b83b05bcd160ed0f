"""Streams: opening them, anchoring how far they came, admitting what is lost."""

from collections.abc import Iterable

from exchange.model import acts
from exchange.model.text import Text
from exchange.registry import busrules, facts
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.rows import Dataset
from exchange.registry.state import Registry
from exchange.registry.tracks import Track
from keys.errors import UnknownSuite
from keys.suite import NATIONAL, suite
from policies.facts import ContextValue, Question

_EMPTY = Track(0)


def examine_open(body: acts.OpenStream, asked: Asked) -> Case | Denied:
    """A place that the catalogue gives this dataset, and a region its contract splits by."""
    row = asked.registry.datasets.get(body.dataset)
    if row is None or row.status != "published":
        return nothing_there(
            f"{body.dataset} is not in the catalogue", f"{body.dataset} 不在目录中"
        )
    if body.topic != row.topic or not 0 <= body.partition < row.partitions:
        return _wrong("the catalogue names another place", "与目录登记的主题或分区不符")
    try:
        suite(body.suite)
    except UnknownSuite as error:
        return Denied(busrules.STREAM, Text(*error.text))
    if len(body.region) != asked.registry.shapes[row.contract_hash].region_digits:
        return _wrong("the contract splits by another region level", "区划级别与合约不符")
    if body.predecessor is not None:
        before = asked.registry.streams.get(body.predecessor)
        line = (body.dataset, asked.act.member, body.region)
        if before is None or (before.dataset, before.member, before.region) != line:
            return _wrong("its predecessor is no stream of this line", "前序流不属于同一序列")
    owner = row.provider == asked.act.member
    return Case((_question(asked, row, owner=owner, sm=body.suite in NATIONAL),))


def examine_progress(body: acts.ReportProgress, asked: Asked) -> Case | Denied:
    """Anchors that only move forward, of streams that are all on the ledger."""
    if not body.anchors:
        return nothing_there("it anchors nothing", "未包含任何锚点")
    newest: dict[bytes, tuple[int, bytes, int]] = {}
    for anchor in body.anchors:
        if anchor.stream not in asked.registry.streams:
            return nothing_there("it anchors an unknown stream", "锚定的流不存在")
        last = newest.get(anchor.stream) or _last(asked.registry, anchor.stream)
        denied = _backward(anchor, last)
        if denied:
            return denied
        newest[anchor.stream] = (anchor.sequence, anchor.head, anchor.version)
    return Case(_questions(asked, newest))


def examine_gap(body: acts.DeclareGap, asked: Asked) -> Case | Denied:
    """A run of bundles of a known stream that does not contradict what is on record."""
    if body.stream not in asked.registry.streams:
        return nothing_there("the stream is unknown", "该流不存在")
    if not 0 <= body.first <= body.last:
        return _wrong("the run is empty", "缺失区间为空")
    track = asked.registry.tracks.get(body.stream, _EMPTY)
    if any(gap.first <= body.last and body.first <= gap.last for gap in track.gaps):
        return _wrong("the run overlaps a gap on record", "与已登记的缺失区间重叠")
    if any(row.sequence == body.last and row.head != body.head for row in track.anchors):
        return _fork()
    return Case(_questions(asked, (body.stream,)))


def _last(registry: Registry, stream: bytes) -> tuple[int, bytes, int] | None:
    row = registry.newest_anchor(stream)
    return (row.sequence, row.head, row.version) if row else None


def _backward(anchor: acts.Anchor, last: tuple[int, bytes, int] | None) -> Denied | None:
    if min(anchor.sequence, anchor.records, anchor.version) < 0:
        return _wrong("an anchor has a negative number", "锚点含负数")
    if last is None:
        return None
    sequence, head, version = last
    if anchor.sequence < sequence or anchor.version < version:
        return _wrong("an anchor lies behind the newest one", "锚点落后于最新锚点")
    if anchor.sequence == sequence and anchor.head != head:
        return _fork()
    return None


def _questions(asked: Asked, streams: Iterable[bytes]) -> tuple[Question, ...]:
    """One question a dataset; ``owner`` is whether all its streams are this registration's."""
    owned: dict[str, bool] = {}
    for stream in streams:
        row = asked.registry.streams[stream]
        mine = row.kid == asked.act.kid
        owned[row.dataset] = owned.get(row.dataset, True) and mine
    datasets = asked.registry.datasets
    return tuple(_question(asked, datasets[name], owner=mine) for name, mine in owned.items())


def _question(asked: Asked, row: Dataset, *, owner: bool, **context: ContextValue) -> Question:
    related = facts.related_facts(asked.registry, row)[1:]
    return asked.question(facts.dataset_facts(row), related, owner=owner, **context)


def _wrong(en: str, zh: str) -> Denied:
    return Denied(busrules.STREAM, Text(en, zh))


def _fork() -> Denied:
    return Denied(busrules.FORK, Text("one sequence has two heads", "同一序号出现两个链头"))
