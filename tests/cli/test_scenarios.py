"""Rules end to end: commands of several members against a hub, and what stands on the ledger."""

import re
import shlex
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
import yaml

from tests.cli.conftest import Terminal, adopt_years

HERE: Final = Path(__file__).parent / "scenarios"
SCENARIOS: Final[list[dict[str, Any]]] = [
    step
    for name in ("rules.yaml", "duties.yaml")
    for step in yaml.safe_load((HERE / name).read_text("utf-8"))
]
MEMBERS: Final = {
    "civil": ("113300000DEM00002A", "33"),
    "finance": ("113300000DEM00004G", "33"),
    "xihu": ("113300000DEM00005K", "330106"),
}
LESS: Final = "--scenario 救助核对 --manner table --regions 33 --expires +30d"
_ENTRY: Final = re.compile(r"ledger entry ([0-9]+)")

pytestmark = pytest.mark.kafka


def words(line: str, captured: dict[str, str]) -> list[str]:
    """A command line with what its braces stand for."""
    for name, value in captured.items():
        line = line.replace("{" + name + "}", value)
    return shlex.split(line)


def opening(folder: Path) -> dict[str, str]:
    """What the lines begin with: two contracts, and how each is proposed."""
    people = (HERE / "people.yaml").read_text("utf-8")
    (folder / "people.yaml").write_text(people, "utf-8")
    budgets = people.replace("dataset: people", "dataset: budgets")
    budgets = "".join(line for line in budgets.splitlines(True) if "resident-id" not in line)
    (folder / "budgets.yaml").write_text(budgets, "utf-8")
    common = f"--classification 基础信息资源 --topic test.{uuid4().hex}."
    return {
        "PEOPLE": f"catalogue propose people.yaml {common}people --sharing conditional"
        " --scope department --use 业务协同 --condition 不得转让 --reflow --basis 条例",
        "MORE": f"catalogue propose budgets.yaml --abstract 预算 {common}budgets",
        "REST": f"--levels 1 {LESS}",
        "LESS": LESS,
    }


def played(terminal: Terminal, step: dict[str, Any], captured: dict[str, str]) -> int:
    """Type one line; the ledger entry it came to."""
    got = terminal(*words(step["run"], captured), "--as", step["as"], "--json")
    answer = yaml.safe_load(terminal.out)
    if "deny" in step["then"]:
        assert got == 1, (step, terminal.out)
        (entry,) = _ENTRY.findall(answer["error"]["remedy"]["en"])
        assert answer["error"]["rules"] == step["then"]["deny"], step
        return int(entry)
    assert got == 0, (step, terminal.out)
    captured.update({name: answer[key] for name, key in step.get("keep", {}).items()})
    return int(answer["entry"])


def check_duties(terminal: Terminal, step: dict[str, Any], captured: dict[str, str]) -> None:
    """What the line made somebody owe, or settled, as anybody reads it from the ledger."""
    if "owes" not in step:
        return
    book = terminal.json("duty", "list", "--as", step["as"])["duties"]
    found = {row["duty"]: (row["state"], [rule["id"] for rule in row["rules"]]) for row in book}
    for name, state, rules in step["owes"]:
        (duty,) = words(name, captured)
        assert found[duty] == (state, rules), (step, duty)


def check_entry(
    terminal: Terminal, step: dict[str, Any], entry: int, captured: dict[str, str]
) -> None:
    """The entry itself names what it made somebody owe or settled, with the law of that."""
    if "owes" not in step:
        return
    duties = terminal.json("audit", "show", str(entry))["duties"]
    found = {row["duty"]: [rule["id"] for rule in row["rules"]] for row in duties}
    said = {words(name, captured)[0]: rules for name, _, rules in step["owes"]}
    named = found.keys() & said.keys()
    assert named, step
    assert all(found[name] == said[name] for name in named), step


def test_every_command_comes_to_the_rules_that_the_table_names(
    live_home: Path, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXCHANGE_HOME", str(live_home))
    for member, (code, region) in MEMBERS.items():
        said = ("--name-zh", member, "--name-en", member, "--credit-code", code)
        assert terminal("member", "enrol", member, *said, "--region", region) == 0, terminal.err
    adopt_years(terminal, tmp_path)
    captured = opening(tmp_path)
    entries = []
    for step in SCENARIOS:
        entries.append(played(terminal, step, captured))
        check_duties(terminal, step, captured)
    ledger = {row["entry"]: row for row in terminal.json("audit", "search")["entries"]}
    for step, entry in zip(SCENARIOS, entries, strict=True):
        ((verdict, rules),) = step["then"].items()
        row = ledger[entry]
        assert (row["verdict"], row["rules"]) == (verdict, rules), step
        assert (row["member"], row["carried"]) == (step["as"], True)
    for step, entry in zip(SCENARIOS, entries, strict=True):
        check_entry(terminal, step, entry, captured)
    told = {row["rules"][0] for row in terminal.json("request", "reports")["entries"]}
    assert told == {"CON-02", "ONCE-01"}
    assert terminal("audit", "verify") == 0, terminal.out


def test_at_least_fifteen_rules_are_seen_to_pass_or_fail_so() -> None:
    assert len({step["rule"] for step in SCENARIOS}) >= 15
