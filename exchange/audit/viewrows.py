"""What the search view keeps of one entry, and the words it can be found by. Pure.

Codes, names and ids only: what an act says beyond them stays on the ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from exchange.audit.record import Row, row_of
from exchange.ledger.verdict import Folded
from exchange.model import acts
from exchange.model.actcodec import Body
from exchange.model.regions import parents
from exchange.registry.state import Registry

WITHIN: Final = "region"
"""Word of an entry for every division that holds one of its regions, that region included."""
WIDE: Final = "wide"
"""Word of an entry for each of its regions as they stand; "" is the whole country."""
CONCERNS: Final = "concerns"
"""Word for every member an entry concerns: who acted, who provides, who consumes, who is named."""

Word = tuple[str, str]
"""(name, value)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What an act is about, as far as the state at its position knows."""

    dataset: str = ""
    grant: str = ""
    purpose: str = ""
    members: frozenset[str] = frozenset()
    sections: frozenset[int] = frozenset()
    regions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Indexed:
    """One entry for the view: its columns, and its words, sorted."""

    columns: dict[str, Any]
    words: tuple[Word, ...]


def indexed(folded: Folded, registry: Registry) -> Indexed:
    """The entry as the view keeps it; ``registry`` is the state right after it."""
    row = row_of(folded)
    body = row.parsed.body if row.parsed is not None else None
    reach = _reach(body, row, registry) if body is not None else Reach()
    columns: dict[str, Any] = {
        "entry": row.index,
        "time_ms": row.time_ms,
        "hub": row.hub,
        "act": row.act,
        "leaf": row.entry_hash,
        "kind": row.kind,
        "member": row.member,
        "instance": row.instance,
        "subject": row.subject,
        "dataset": reach.dataset,
        "grant": reach.grant,
        "purpose": reach.purpose,
        "verdict": row.verdict,
        "void": row.void,
        "carried": row.carried,
        "disputed": row.disputed,
        "rules": " ".join(row.rules),
        "refused": orjson.dumps(row.refused_items).decode() if row.refused_items else "",
        "sections": " ".join(map(str, sorted(reach.sections))),
        "regions": " ".join(region or "-" for region in sorted(reach.regions)),
    }
    return Indexed(columns, tuple(sorted(set(_words(row, reach)))))


def _words(row: Row, reach: Reach) -> Iterator[Word]:
    yield "verdict", row.verdict
    for name, value in (
        ("kind", row.kind),
        ("member", row.member),
        ("about", row.subject),
        ("dataset", reach.dataset),
        ("grant", reach.grant),
        ("purpose", reach.purpose),
    ):
        if value:
            yield name, value
    for rule in row.all_rules:
        yield "rule", rule
    for member in reach.members | {row.member}:
        if member:
            yield CONCERNS, member
    for section in reach.sections:
        yield "section", str(section)
    for region in reach.regions:
        yield WIDE, region
        for division in (*parents(region), region) if region else ():
            yield WITHIN, division


def _reach(body: Body, row: Row, registry: Registry) -> Reach:
    dataset = getattr(body, "dataset", "")
    grant = request = b""
    match body:
        case acts.AskKeys() | acts.FileReceipt() | acts.RevokeGrant():
            grant = body.grant
        case acts.AnswerRequest() | acts.WithdrawRequest():
            request = body.request
            grant = row.act if row.act in registry.grants else b""
        case acts.Apply():
            grant = row.act if row.act in registry.grants else b""
        case _:
            grant = _id(getattr(body, "grant", b""))
    given, asked = registry.grants.get(grant), registry.requests.get(request)
    streams = _streams(body)
    of_streams = [registry.streams[one] for one in streams if one in registry.streams]
    dataset = dataset or (given.dataset if given else asked.dataset if asked else "")
    if not dataset and of_streams:
        dataset = of_streams[0].dataset
    members = {given.consumer} if given else {asked.consumer} if asked else set[str]()
    members |= {getattr(body, "member", ""), *getattr(body, "members", ())}
    members |= {registry.datasets[dataset].provider} if dataset in registry.datasets else set()
    return Reach(
        dataset=dataset if isinstance(dataset, str) else "",
        grant=grant.hex(),
        purpose=getattr(body, "purpose", "") or (given.purpose if given else ""),
        members=frozenset(members - {""}),
        sections=_sections(body, registry),
        regions=_regions(body, [row.region for row in of_streams]),
    )


def _id(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _streams(body: Body) -> tuple[bytes, ...]:
    """The streams that an act names, each once."""
    match body:
        case acts.AskKeys() | acts.FileReceipt():
            named = [item.stream for item in body.items]
        case acts.ReportProgress():
            named = [anchor.stream for anchor in body.anchors]
        case _:
            named = [_id(getattr(body, "stream", b""))]
    return tuple(dict.fromkeys(named))


def _sections(body: Body, registry: Registry) -> frozenset[int]:
    """The sensitivity levels that are asked for, opened or granted."""
    match body:
        case acts.AskKeys() | acts.FileReceipt():
            return frozenset(level for item in body.items for level in item.levels)
        case acts.Apply():
            shape = registry.shapes.get(body.contract)
            asked = set(body.fields)
            levels = shape.sections if shape else ()
            return frozenset(level for level, names in levels if asked.intersection(names))
    return frozenset()


def _regions(body: Body, of_streams: list[str]) -> frozenset[str]:
    match body:
        case acts.Apply() | acts.AnswerRequest():
            return frozenset(body.regions)
        case acts.OpenStream():
            return frozenset({body.region})
    return frozenset(of_streams)
