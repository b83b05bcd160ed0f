"""Contracts that several tests use."""

from collections.abc import Mapping

from exchange.model.contract import Contract

EVERY_TYPE = """\
dataset: every-type
title: {zh: 样例, en: Every type}
fields:
  - {name: code, type: region, level: 1, required: true}
  - {name: name, type: text, level: 1, required: true, length: 10}
  - {name: count, type: integer, level: 1}
  - {name: pay, type: decimal, level: 3, digits: 6, scale: 2}
  - {name: open, type: boolean, level: 1}
  - {name: day, type: date, level: 2}
  - {name: at, type: datetime, level: 2}
  - name: sex
    type: code
    level: 2
    values: {"1": 男, "2": 女}
  - {name: person, type: resident-id, level: 3}
  - {name: company, type: credit-code, level: 1, title: {zh: 单位, en: Company}}
key: [code]
region: {field: code, level: city}
subject: person
cycle: yearly
retention_days: 365
"""

GOOD = {
    "code": "330102001051",
    "name": "清波门社区",
    "count": "7",
    "pay": "12.5",
    "open": "true",
    "day": "2024-02-29",
    "at": "2026-01-31T08:00:00+08:00",
    "sex": "1",
    "person": "11010519491231002X",
    "company": "91350100M000100Y43",
}
"""One record of that contract as a CSV file gives it; the two numbers are the standards' own."""

CANONICAL = {
    **GOOD,
    "count": 7,
    "pay": "12.50",
    "open": True,
    "at": "2026-01-31T00:00:00Z",
}


def every_type() -> Contract:
    """A contract with a field of each type."""
    return Contract.from_yaml(EVERY_TYPE.encode(), name="every-type.yaml")


def columns(*records: Mapping[str, object]) -> dict[str, list[object]]:
    """Records as columns; a name that a record lacks is None there."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}
