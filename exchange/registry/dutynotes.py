"""What the acts of the exchange itself mean for duties: who owes what from here on, who has met it.

Called by `apply_effects` after an act has taken effect, at its position. The acts that are about
duties (demands, objections, …) are dutyeffects.py; both use owing.py.
"""

import heapq
from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any, Final

from exchange.model import acts, lifeacts
from exchange.registry.case import Asked
from exchange.registry.contractfacts import cycle_of, personal_fields
from exchange.registry.cycles import PERIODIC, missed, next_period, period_of
from exchange.registry.dutyrows import Provided
from exchange.registry.facts import region_prefixes
from exchange.registry.owing import TERM, Owed, count, owe, settle, settle_open
from exchange.registry.rows import Grant
from exchange.registry.state import Registry
from policies.periods import day_of


def note_duties(asked: Asked, index: int) -> None:
    """Open and settle what ``asked``, which took effect at ``index``, means for duties."""
    note = _NOTES.get(type(asked.act.body))
    if note is not None:
        note(asked.act.body, asked, index)


def _apply(_: acts.Apply, asked: Asked, index: int) -> None:
    _received(asked, index, asked.act.id)


def _complete(body: lifeacts.CompleteRequest, asked: Asked, index: int) -> None:
    _received(asked, index, body.request)


def _received(asked: Asked, index: int, request: bytes) -> None:
    """An application that is whole: its provider owes an answer, or it was granted at once."""
    row = asked.registry.requests[request]
    if row.status == "open":
        owe(
            asked,
            index,
            Owed(
                "answer",
                row.id.hex(),
                ("RESP-01", "SLA-02"),
                owner=asked.registry.datasets[row.dataset].provider,
                beneficiary=row.consumer,
                dataset=row.dataset,
            ),
        )
    _granted(asked, index)


def _answer(body: acts.AnswerRequest, asked: Asked, index: int) -> None:
    settle(asked, index, f"answer/{body.request.hex()}", "done" if body.approve else "refused")
    _granted(asked, index)


def _withdraw_request(body: acts.WithdrawRequest, asked: Asked, index: int) -> None:
    settle(asked, index, f"answer/{body.request.hex()}", "lapsed")


def _granted(asked: Asked, index: int) -> None:
    """SLA-03: the first provision of what this act granted; at once if it is there already."""
    registry = asked.registry
    grant = registry.grants.get(asked.act.id)
    if grant is None:
        return
    name = owe(
        asked,
        index,
        Owed(
            "first",
            grant.id.hex(),
            ("SLA-03",),
            owner=registry.datasets[grant.dataset].provider,
            beneficiary=grant.consumer,
            dataset=grant.dataset,
            grant=grant.id,
        ),
    )
    if name is None:
        return
    places = _places(registry, grant)
    if any(registry.anchored.get(place, -1) >= grant.from_ms for place in places):
        settle(asked, index, name)
        return
    for place in places:
        waiting = registry.duties_first.setdefault(place, [])
        heapq.heappush(waiting, (grant.from_ms, name))


def _places(registry: Registry, grant: Grant) -> list[tuple[str, str]]:
    """Where anchors of streams that a grant meets are looked for: no finer than streams split."""
    digits = registry.shapes[grant.contract_hash].region_digits
    return sorted({(grant.dataset, region[:digits]) for region in grant.regions})


def _progress(body: acts.ReportProgress, asked: Asked, index: int) -> None:
    registry = asked.registry
    streams = (registry.streams[anchor.stream] for anchor in body.anchors)
    for dataset, region in dict.fromkeys((row.dataset, row.region) for row in streams):
        for prefix in region_prefixes(region):
            _first(asked, index, (dataset, prefix))
        for place in {"", region}:
            name = registry.cycles.get((dataset, place))
            if name is not None:
                _provide(asked, index, name)


def _first(asked: Asked, index: int, place: tuple[str, str]) -> None:
    """Grants of this place whose period has begun are provided for the first time."""
    registry = asked.registry
    registry.anchored[place] = asked.at_ms
    waiting = registry.duties_first.get(place)
    while waiting and waiting[0][0] <= asked.at_ms:
        settle_open(asked, index, heapq.heappop(waiting)[1], "done")


def _provide(asked: Asked, index: int, name: str) -> None:
    """The first anchor of a period provides it, and late what was missed before."""
    registry = asked.registry
    row = registry.duties[name]
    today = day_of(asked.at_ms)
    start = period_of(row.cycle, today)
    if start.toordinal() <= row.last or start < next_period(
        row.cycle, period_of(row.cycle, day_of(row.since_ms))
    ):
        return
    late = missed(row, today)
    count(asked, row, "done")
    for _ in range(late):
        count(asked, row, "late")
    registry.provided[name, start.toordinal()] = Provided(index, asked.at_ms)
    registry.duties[name] = replace(row, last=start.toordinal(), version=index + 1)
    if late:
        _settle_periods(asked, index, name)


def _settle_periods(asked: Asked, index: int, name: str) -> None:
    """What somebody insisted on about missed periods of a cycle is met now."""
    for escalated in [one for one in asked.registry.escalated if one.startswith(f"{name}/")]:
        settle(asked, index, escalated)


def _publish(body: acts.PublishDataset, asked: Asked, index: int) -> None:
    registry = asked.registry
    if registry.datasets[body.dataset].sharing == "refused":
        # CLASS-01: nobody may read it from here on; applications are still owed their answer.
        _let_go(asked, index, body.dataset, {"first", "cycle"})
        return
    digits = registry.shapes[registry.datasets[body.dataset].contract_hash].region_digits
    for place in [one for one in registry.cycles if one[0] == body.dataset]:
        if place[1] and len(place[1]) != digits:  # the contract splits otherwise now
            settle(asked, index, registry.cycles.pop(place), "lapsed")
    regions = {row.region for row in registry.streams_of(body.dataset)}
    for region in sorted({"", *(region for region in regions if len(region) == digits)}):
        _cycle(asked, index, body.dataset, region)


def _open(body: acts.OpenStream, asked: Asked, index: int) -> None:
    if body.region and asked.registry.datasets[body.dataset].sharing != "refused":
        _cycle(asked, index, body.dataset, body.region)


def _cycle(asked: Asked, index: int, dataset: str, region: str) -> None:
    """The standing duty of a dataset, or of one region of it, to provide each period."""
    registry = asked.registry
    cycle = cycle_of(registry.contracts[registry.datasets[dataset].contract_hash])
    place = (dataset, region)
    before = registry.cycles.get(place)
    if before is not None and registry.duties[before].cycle == cycle:
        return
    if before is not None:
        del registry.cycles[place]
        settle(asked, index, before, "lapsed")
    if cycle in PERIODIC:
        name = owe(
            asked,
            index,
            Owed(
                "cycle",
                f"{dataset}/{region or 'all'}/{cycle}/{index}",
                ("OBL-01",),
                owner=registry.datasets[dataset].provider,
                beneficiary="",
                dataset=dataset,
                region=region,
                cycle=cycle,
            ),
        )
        if name is not None:
            registry.cycles[place] = name


def _withdraw(body: acts.WithdrawDataset, asked: Asked, index: int) -> None:
    """Nobody owes anything about a dataset that is out of the catalogue, but what readers owe."""
    _let_go(asked, index, body.dataset, {"answer", "first", "cycle", "catalogue"})


def _let_go(asked: Asked, index: int, dataset: str, kinds: Set[str]) -> None:
    """The duties of ``kinds`` about a dataset have lost their ground."""
    registry = asked.registry
    for place in [place for place in registry.cycles if place[0] == dataset]:
        del registry.cycles[place]
    for name in sorted(registry.duties_open):
        row = registry.duties[name]
        if row.dataset == dataset and row.kind in kinds:
            settle(asked, index, name, "lapsed")
    for place in [place for place in registry.duties_first if place[0] == dataset]:
        del registry.duties_first[place]


def _propose(body: acts.ProposeDataset, asked: Asked, index: int) -> None:
    """A provider registers what it promised, and follows a change of law."""
    registry = asked.registry
    for name in sorted(registry.duties_register.get(body.dataset, ())):
        if registry.duties[name].owner == asked.act.member:
            registry.duties_register[body.dataset].discard(name)
            settle(asked, index, name)


def _revoke(body: acts.RevokeGrant, asked: Asked, index: int) -> None:
    asked.registry.ended[body.grant] = asked.at_ms
    settle_open(asked, index, f"first/{body.grant.hex()}", "lapsed")


def _suspend(body: acts.SuspendMember, asked: Asked, index: int) -> None:
    """Nobody waits any more for what was owed to it; its copies are due for deletion from here on.

    A suspended id never comes back. What it owes it goes on owing: the law binds the organisation,
    not its standing here, and nobody confirms in its place. What is disputed is still verified, for
    the other readers.
    """
    registry = asked.registry
    for grant in registry.grants_by_consumer.get(body.member, ()):
        registry.ended.setdefault(grant, asked.at_ms)
    for name in sorted(registry.duties_open):
        row = registry.duties[name]
        if row.beneficiary != body.member or row.kind not in {"answer", "demand", "first"}:
            continue
        settle(asked, index, name, "lapsed")
        if row.kind == "answer":
            request = registry.requests[bytes.fromhex(name.partition("/")[2])]
            registry.requests[request.id] = replace(
                request, status="withdrawn", answer=asked.act.id, version=index + 1
            )


def _keys(body: acts.AskKeys, asked: Asked, index: int) -> None:
    """The first release under a grant: its copy will have to be deleted, the persons be told."""
    registry = asked.registry
    name = body.grant.hex()
    if f"delete/{name}" in registry.duties:
        return
    grant = registry.grants[body.grant]
    owe(
        asked,
        index,
        Owed(
            "delete",
            name,
            ("PI-04", TERM),
            owner=grant.consumer,
            beneficiary=registry.datasets[grant.dataset].provider,
            dataset=grant.dataset,
            grant=grant.id,
        ),
    )
    if personal_fields(registry.contracts[grant.contract_hash]) & set(grant.fields):
        owe(
            asked,
            index,
            Owed(
                "notify",
                name,
                ("PI-03",),
                owner=grant.consumer,
                beneficiary=registry.authority,
                dataset=grant.dataset,
                by_ms=grant.expires_ms,
                grant=grant.id,
            ),
        )


_NOTES: Final[dict[type, Callable[[Any, Asked, int], None]]] = {
    acts.Apply: _apply,
    lifeacts.CompleteRequest: _complete,
    acts.AnswerRequest: _answer,
    acts.WithdrawRequest: _withdraw_request,
    acts.ReportProgress: _progress,
    acts.PublishDataset: _publish,
    acts.OpenStream: _open,
    acts.WithdrawDataset: _withdraw,
    acts.ProposeDataset: _propose,
    acts.RevokeGrant: _revoke,
    acts.SuspendMember: _suspend,
    acts.AskKeys: _keys,
}
