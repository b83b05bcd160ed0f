"""What the ledger could only deny is not signed: no denial stands there for a slip of the hand."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from exchange.errors import UsageError
from exchange.model.lawacts import AdoptRules
from exchange.model.rulesarchive import pack_rules
from exchange.model.text import Text
from exchange.registry.state import Registry
from exchange.wiring import lawmaking
from exchange.wiring.office import Office
from policies.engine import ENGINE_VERSION
from policies.ruleset import RuleSet
from tests.duties.stage import at_noon
from tests.ledger.world import World
from tests.policies.laws import SHIPPED, with_change, with_file


def without(rule: str) -> RuleSet:
    """The shipped set without one row."""
    text = SHIPPED.files["rules.yaml"].decode()
    head, _, tail = re.split(rf"(?ms)^(  - id: {rule}\n.*?)(?=^$)", text, maxsplit=1)
    return with_file("rules.yaml", head + tail.lstrip("\n"))


class Signing:
    """An office of the authority that keeps what it would have signed."""

    def __init__(self) -> None:
        self.world = World()
        self.view = SimpleNamespace(engine=self.world.fold.engine)
        self.signed: list[AdoptRules] = []

    async def registry(self) -> Registry:
        return self.world.registry

    async def submit(self, body: AdoptRules, _: Text) -> str:
        self.signed.append(body)
        return "admitted"

    def adopt(self, rules: RuleSet) -> object:
        return asyncio.run(lawmaking.adopt(cast(Office, self), rules, reason=""))


def test_the_set_in_force_is_refused_before_anything_is_signed() -> None:
    office = Signing()
    with pytest.raises(UsageError, match="in force already: nothing was signed") as refused:
        office.adopt(SHIPPED)
    assert refused.value.failure == "in-force"
    assert "rules export" in refused.value.remedy.en
    assert office.signed == []


def test_a_set_that_nobody_could_replace_is_refused_before_anything_is_signed() -> None:
    office = Signing()
    last = with_file(
        "zz.cedar",
        '@id("SOD-01") forbid (principal, action == Action::"rules.adopt", resource);\n',
    )
    with pytest.raises(UsageError, match="could never adopt another") as refused:
        office.adopt(last)
    assert (refused.value.failure, office.signed) == ("last-law", [])


@pytest.mark.parametrize(("rule", "checked"), [("SLA-03", ["lost-row"]), ("TERM-01", [])])
def test_a_set_that_drops_a_row_is_refused(rule: str, checked: list[str], tmp_path: Path) -> None:
    """Duties and entries name it: without the row nobody could say what they rest on."""
    office, set_ = Signing(), without(rule)
    for name, content in set_.files.items():
        (tmp_path / name).write_bytes(content)
    _, findings = lawmaking.read_rules(tmp_path, dict(SHIPPED.files))
    assert [(one.file, one.failure) for one in findings] == [("rules.yaml", one) for one in checked]
    with pytest.raises(UsageError, match=f"{rule} is gone") as refused:
        office.adopt(set_)
    assert refused.value.failure == "lost-row"
    assert "valid_to" in refused.value.remedy.en
    assert office.signed == []


def test_a_set_that_counts_past_days_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No term that has ended ends anew, whoever adopts what; days ahead may change."""
    office = Signing()
    monkeypatch.setattr(lawmaking, "now_ms", lambda: at_noon("2026-03-02"))
    for line in ("2026-02-28,work\n", "2025-10-08,off\n"):
        with pytest.raises(UsageError, match=line[:10]) as refused:
            office.adopt(with_change("workdays.csv", line, ""))
        assert (refused.value.failure, office.signed) == ("changed-past", [])
    gone = re.sub(r"(?m)^2026-.*\n", "", SHIPPED.files["workdays.csv"].decode())
    with pytest.raises(UsageError, match="2026-01-01"):
        office.adopt(with_file("workdays.csv", gone))
    assert office.adopt(with_change("workdays.csv", "2026-10-10,work\n", "")) == "admitted"


@pytest.mark.parametrize(
    "set_", [without("SLA-03"), with_change("workdays.csv", "2025-10-08,off\n", "")]
)
def test_the_ledger_refuses_such_a_set_too(set_: RuleSet) -> None:
    world = World()
    body = AdoptRules(
        rules=lawmaking.rules_hash(set_), engine=ENGINE_VERSION, archive=pack_rules(set_.files)
    )
    assert world.put(body).rules == ("RULES-01",)


def test_another_set_is_signed() -> None:
    office = Signing()
    other = with_change("rules.yaml", "crypto-assessment: false", "crypto-assessment: true")
    assert office.adopt(other) == "admitted"
    (body,) = office.signed
    assert body.rules == lawmaking.rules_hash(other)
