"""What a report says, as data: REPORT-SPEC.md section 2. Pure.

Everything is of the ledger, of the period asked for, and of the first ``size`` entries; only the
moment of issue and the issuer are not. Times are milliseconds since the epoch, ids are hex.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.audit.account import Account
from exchange.audit.buckets import buckets
from exchange.audit.dutywords import KINDS, STATES
from exchange.audit.findings import Finding, title
from exchange.audit.reads import Read, reads
from exchange.audit.record import Row
from exchange.model.acts import AnswerRequest, Apply, AskKeys
from exchange.model.text import Text
from exchange.registry.duties import book
from exchange.registry.rows import Member
from exchange.registry.state import Registry
from exchange.registry.terms import Law
from policies.register import Register

FORMAT: Final = "exchange-report/1"
SHOWN_MAX: Final = 200
"""Rows of a table that the page shows and proves; report.json has all of them."""
BREACHES: Final = frozenset({"breached", "escalated", "late"})
"""States of a duty that was not met in its term, or that somebody insists on."""
CITED_MAX: Final = 4
"""Entries of a list that the page shows and proves: the first ones and the last."""

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about: member, period (ms, inclusive), who issues it and when."""

    member: str
    from_ms: int
    to_ms: int
    issuer: str
    issued_ms: int


@dataclass(frozen=True, slots=True)
class Ground:
    """The signed head that a report stands on. ``checkpoint`` is the note's text."""

    origin: str
    pin: bytes
    size: int
    root: bytes
    hub: str
    checkpoint: str


def report_data(
    scope: Scope,
    ground: Ground,
    account: Account,
    registry: Registry,
    findings: Sequence[Finding],
    law: Law,
) -> Data:
    """The report; the same arguments give the same data."""
    times = {row.index: row.time_ms for row in account.rows}
    used = [
        read
        for read in reads(account.rows, registry, from_ms=scope.from_ms, to_ms=scope.to_ms)
        if times.get(read.granted, scope.to_ms + 1) <= scope.to_ms
        and (read.used or _in_force(read, ground))
    ]
    provider = {row.id: row.provider for row in registry.datasets.values()}
    received = [read for read in used if read.consumer == scope.member]
    provided = [read for read in used if provider[read.dataset] == scope.member]
    inside = [row for row in account.rows if scope.from_ms <= row.time_ms <= scope.to_ms]
    refusals = [row for row in inside if row.verdict == "deny" or row.refused_items]
    data: Data = {
        "format": FORMAT,
        "member": _member(registry.members[scope.member]),
        "issuer": _member(registry.members[scope.issuer]),
        "period": {
            "from": max(scope.from_ms, account.began_ms),
            "to": min(scope.to_ms, account.time_ms),
        },
        "issued": scope.issued_ms,
        "ground": {
            "origin": ground.origin,
            "pin": ground.pin.hex(),
            "size": ground.size,
            "root": ground.root.hex(),
            "hub": ground.hub,
            "checkpoint": ground.checkpoint,
            "time": account.time_ms,
        },
        "received": [_read(read, registry, ground) for read in received],
        "provided": [_read(read, registry, ground) for read in provided],
        "applications": list(_applications(inside, account, registry)),
        "refusals": [_refusal(row, registry) for row in refusals],
        "breaches": [
            one
            for one in _breaches(scope.member, account, registry, law)
            if one["since"] <= scope.to_ms
        ],
        "findings": [_finding(one) for one in findings],
        "activity": _activity(inside, {read.grant for read in received}),
    }
    data["rules"] = _rules(data, law.register)
    data["names"] = _names(data, registry)
    data["purposes"] = _purposes(data, registry)
    data["evidence"] = _evidence(data, account)
    return data


def encoded(data: Data) -> bytes:
    """The bytes of report.json."""
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def shown(entries: Sequence[int]) -> list[int]:
    """The entries of a list that the page names."""
    if len(entries) <= CITED_MAX:
        return list(entries)
    return [*entries[: CITED_MAX - 1], entries[-1]]


def _in_force(read: Read, ground: Ground) -> bool:
    return read.revoked is None or read.revoked >= ground.size


def _member(row: Member) -> Data:
    return {
        "id": row.id,
        "kind": row.kind,
        "name": {"en": row.name_en, "zh": row.name_zh},
        "credit_code": row.credit_code,
        "region": row.region,
        "officer": row.officer.hex(),
    }


def _read(read: Read, registry: Registry, ground: Ground) -> Data:
    grant = registry.grants[read.grant]
    revoked = read.revoked if read.revoked is not None and read.revoked < ground.size else None
    return {
        "grant": read.grant.hex(),
        "granted": read.granted,
        "revoked": revoked,
        "expires": grant.expires_ms,
        "consumer": read.consumer,
        "provider": registry.datasets[read.dataset].provider,
        "dataset": read.dataset,
        "purpose": read.purpose,
        "duty": read.duty,
        "fields": list(read.fields),
        "regions": list(read.regions),
        "levels": sorted(read.levels),
        "epochs": read.epochs,
        "records": read.records,
        "first": read.first_ms,
        "last": read.last_ms,
        "keys": read.keys,
        "receipts": read.receipts,
        "refused": read.refused,
        "unanswered": read.unreceipted,
        "rules": sorted(read.rules),
    }


def _applications(rows: Iterable[Row], account: Account, registry: Registry) -> Iterator[Data]:
    """Every application of the period that was admitted, with its answer if there is one."""
    answers = {
        row.parsed.body.request: row
        for row in account.rows
        if row.parsed is not None
        and isinstance(row.parsed.body, AnswerRequest)
        and row.verdict == "permit"
    }
    for row in rows:
        request = registry.requests.get(row.act)
        if request is None or row.parsed is None or not isinstance(row.parsed.body, Apply):
            continue
        answer = answers.get(request.id)
        at_once = request.answer == request.id
        approved = at_once or (answer is not None and request.id in _approved(answer))
        status = "approved" if approved else "refused" if answer else "open"
        yield {
            "entry": row.index,
            "time": row.time_ms,
            "consumer": request.consumer,
            "provider": registry.datasets[request.dataset].provider,
            "dataset": request.dataset,
            "purpose": request.purpose,
            "duty": request.duty,
            "status": status,
            "answered": row.index if at_once else answer.index if answer else None,
            "answered_time": row.time_ms if at_once else answer.time_ms if answer else None,
            "basis": request.basis if status == "refused" else "",
        }


def _approved(answer: Row) -> set[bytes]:
    body = answer.parsed.body if answer.parsed else None
    return {body.request} if isinstance(body, AnswerRequest) and body.approve else set()


def _refusal(row: Row, registry: Registry) -> Data:
    body = row.parsed.body if row.parsed else None
    grant = registry.grants.get(getattr(body, "grant", b""))
    request = registry.requests.get(getattr(body, "request", b""))
    about = grant or request
    return {
        "entry": row.index,
        "time": row.time_ms,
        "member": row.member,
        "kind": row.kind,
        "about": about.dataset if about else row.subject,
        "partly": row.verdict != "deny",
        "rules": list(row.all_rules if row.verdict == "deny" else _of_items(row)),
    }


def _of_items(row: Row) -> list[str]:
    """The rules that refuse single items of an act that is permitted otherwise."""
    return sorted({rule for _, rules in row.refused_items for rule in rules})


def _finding(one: Finding) -> Data:
    return {
        "kind": one.kind,
        "title": _both(title(one.kind)),
        "responsible": one.responsible,
        "since": one.since_ms,
        "age": one.age_ms,
        "dataset": one.dataset,
        "provider": one.provider,
        "consumer": one.consumer,
        "stream": one.stream.hex(),
        "first": one.first,
        "last": one.last,
        "entries": list(one.entries),
        "text": _both(one.text),
        "remedy": _both(one.remedy),
    }


def _breaches(member: str, account: Account, registry: Registry, law: Law) -> Iterator[Data]:
    """Duties that the member owes or is owed, and that were not met in time; as of the head."""
    for duty, how in book(registry, law, account.time_ms):
        if member not in (duty.owner, duty.beneficiary) or duty.basis >= account.size:
            continue
        if how.state in BREACHES:
            yield {
                "duty": duty.id,
                "kind": duty.kind,
                "title": _both(KINDS[duty.kind]),
                "owner": duty.owner,
                "beneficiary": duty.beneficiary,
                "dataset": duty.dataset,
                "state": how.state,
                "state_title": _both(STATES[how.state]),
                "since": how.since_ms,
                "last_day": how.term.last_day.isoformat() if how.term.last_day else None,
                "rules": list(duty.rules),
                "entry": duty.basis,
                "settled": duty.settled,
            }


def _activity(rows: Iterable[Row], own: set[bytes]) -> Data:
    """Keys handed over and refusals, by time: what the member read, what others read of it."""
    moments: dict[str, list[int]] = {"received": [], "provided": [], "refused": []}
    for row in rows:
        body = row.parsed.body if row.parsed else None
        if row.verdict == "deny" or row.refused_items:
            moments["refused"].append(row.time_ms)
        if isinstance(body, AskKeys) and row.verdict == "permit":
            keys = len(body.items) - len(row.refused_items)
            side = "received" if body.grant in own else "provided"
            moments[side] += [row.time_ms] * keys
    return buckets(moments)


def _rules(data: Data, register: Register) -> Data:
    """Every rule that is named, with its citation as far as we may cite it."""
    named = {
        rule
        for part in ("received", "provided", "refusals", "breaches")
        for one in data[part]
        for rule in one["rules"]
    }
    found: Data = {}
    for name in sorted(named):
        rule = register.rule(name)
        found[name] = {
            "title": {"en": rule.title_en, "zh": rule.title_zh},
            "effect": rule.effect,
            "grade": rule.grade,
            "badge": rule.badge,
            "citation": {"en": register.citation(name, "en"), "zh": register.citation(name, "zh")},
        }
    return found


def _names(data: Data, registry: Registry) -> Data:
    """The names of every member that the report mentions."""
    named = {data["member"]["id"], data["issuer"]["id"]}
    for part in ("received", "provided", "applications"):
        named |= {one[side] for one in data[part] for side in ("consumer", "provider")}
    named |= {one["member"] for one in data["refusals"]}
    named |= {one["responsible"] for one in data["findings"]}
    named |= {one[side] for one in data["breaches"] for side in ("owner", "beneficiary")} - {""}
    rows = [registry.members[name] for name in sorted(named)]
    return {row.id: {"en": row.name_en, "zh": row.name_zh} for row in rows}


def _purposes(data: Data, registry: Registry) -> Data:
    """The titles of the purposes that the report mentions; a code nobody registered is its own."""
    named = {
        one["purpose"] for part in ("received", "provided", "applications") for one in data[part]
    }
    rows = {name: registry.purposes.get(name) for name in sorted(named)}
    return {
        name: {"en": row.title_en, "zh": row.title_zh} if row else {"en": "", "zh": name}
        for name, row in rows.items()
    }


def _evidence(data: Data, account: Account) -> list[int]:
    """The entries that the page names, and those that say who issued it: each gets a proof."""
    cited = {0, account.enrolled[data["issuer"]["id"]], account.enrolled[data["member"]["id"]]}
    for part in ("received", "provided"):
        for one in data[part][:SHOWN_MAX]:
            cited.add(one["granted"])
            cited |= {one["revoked"]} - {None}
            for name in ("keys", "receipts", "refused", "unanswered"):
                cited.update(shown(one[name]))
    for one in data["applications"][:SHOWN_MAX]:
        cited |= {one["entry"], one["answered"]} - {None}
    cited.update(one["entry"] for one in data["refusals"][:SHOWN_MAX])
    for one in data["breaches"][:SHOWN_MAX]:
        cited |= {one["entry"], one["settled"]} - {None}
    for one in data["findings"][:SHOWN_MAX]:
        cited.update(shown(one["entries"]))
    return sorted(entry for entry in cited if entry < account.size)


def _both(text: Text) -> Data:
    return {"en": text.en, "zh": text.zh}
