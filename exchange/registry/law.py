"""Changing the law, and who holds which role: `rules.adopt`, `role.*`, `records.purge`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from exchange.model import lawacts
from exchange.model.text import Text
from exchange.registry import busrules, facts
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.lawrows import Adoption, Holder, Standing
from policies.facts import LogFacts
from policies.periods import day_of
from policies.workdays import end_of_day_ms

_CHINA: Final = timezone(timedelta(hours=8))
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_LAST_MS: Final = 253_370_764_800_000
"""The year 9999, the last that a calendar has; ledger time can be run ahead of that."""
_NO_BASIS: Final = "BASIS-01"


def examine_adopt(body: lawacts.AdoptRules, asked: Asked) -> Case | Denied:
    """Another set than the one in force, whole, right, and of an engine that this program has."""
    if asked.act.member != asked.registry.authority:
        # Said before the set is opened: nobody else may make every reader check one.
        why = Text("only the authority adopts rules", "仅主管部门可以采纳规则")
        return Denied(_NO_BASIS, why)
    if body.rules == asked.registry.rules:
        return nothing_there("this rule set is in force already", "该规则集已在施行")
    finding = asked.book.finding(body, asked.registry, asked.law(), asked.at_ms)
    if finding is not None:
        return Denied(busrules.RULES, finding)
    # Tomorrow today has passed: what the set says of it may then no longer be changed.
    midnight_ms = end_of_day_ms(day_of(min(asked.at_ms, _LAST_MS)))
    return Case((asked.question(LogFacts(asked.registry.origin)),), until_ms=midnight_ms)


def examine_assign(body: lawacts.AssignRole, asked: Asked) -> Case | Denied:
    """A member that stands; the rules look at the other roles of the holder, anywhere."""
    row = asked.registry.members.get(body.member)
    if row is None or not row.active:
        return nothing_there(f"{body.member} is no active member", f"{body.member} 不是在册成员")
    held = standing(asked, body.holder)
    if any((one.member, one.role) == (body.member, body.role) for one in held):
        return nothing_there("the holder has this role already", "该人员已担任此角色")
    others = tuple(sorted({one.role for one in held if one.role != body.role}))
    return Case((asked.question(facts.member_facts(row), other_roles=others),))


def examine_end(body: lawacts.EndRole, asked: Asked) -> Case | Denied:
    """A role that stands."""
    held = standing(asked, body.holder)
    if not any((one.member, one.role) == (body.member, body.role) for one in held):
        return nothing_there("the holder does not have this role", "该人员未担任此角色")
    return Case((asked.question(facts.member_facts(asked.registry.members[body.member])),))


def examine_purge(body: lawacts.PurgeRecords, asked: Asked) -> Case | Denied:
    """A moment in the past; the rules compare whole months."""
    if not 0 <= body.up_to_ms <= asked.at_ms:
        return nothing_there("records of the future cannot be deleted", "不能清除未来的记录")
    log = LogFacts(asked.registry.origin)
    age = whole_months(body.up_to_ms, asked.at_ms)
    return Case((asked.question(log, records=body.records, age_months=age),))


def standing(asked: Asked, holder: str) -> tuple[Standing, ...]:
    """The roles that a person holds, at any member."""
    row = asked.registry.holders.get(holder)
    return row.standing if row is not None else ()


def whole_months(from_ms: int, to_ms: int) -> int:
    """How many months lie between two moments, by the calendar in China; 0 if none does."""
    since, until = (
        (_EPOCH + timedelta(milliseconds=min(moment, _LAST_MS))).astimezone(_CHINA)
        for moment in (from_ms, to_ms)
    )
    months = (until.year - since.year) * 12 + until.month - since.month
    # A month that lacks the day (from the 31st on) is over on the first of the next.
    unfinished = (until.day, until.time()) < (since.day, since.time())
    return max(0, months - unfinished)


def adopt(body: lawacts.AdoptRules, asked: Asked, index: int) -> None:
    """The law from the next entry on."""
    registry = asked.registry
    registry.rules, registry.rules_version = body.rules, index + 1
    registry.rule_sets.setdefault(body.rules, body.archive)
    registry.adoptions.append(Adoption(index, asked.at_ms, body.rules, body.engine, asked.act.id))


def assign(body: lawacts.AssignRole, asked: Asked, index: int) -> None:
    """One role more."""
    held = (*standing(asked, body.holder), Standing(body.member, body.role, index))
    asked.registry.holders[body.holder] = Holder(body.holder, held, index + 1)


def end(body: lawacts.EndRole, asked: Asked, index: int) -> None:
    """One role less."""
    row = asked.registry.holders[body.holder]
    ended = (body.member, body.role)
    left = tuple(one for one in row.standing if (one.member, one.role) != ended)
    asked.registry.holders[body.holder] = replace(row, standing=left, version=index + 1)
