"""The rules end to end: typed by departments, decided by a hub, read back from the ledger."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
import yaml

from policies.register import Register
from tests.cli.conftest import PASSPHRASE, Terminal
from tests.policies.laws import SHIPPED, with_file, with_law

pytestmark = pytest.mark.kafka

HERE: Final = Path(__file__).parent
TABLE: Final = HERE / "scenarios" / "live.yaml"
STEPS: Final[list[dict[str, Any]]] = yaml.safe_load(TABLE.read_text("utf-8"))
KEYS: Final = {"rule", "name", "as", "run", "keep", "then"}
BARE: Final = (
    "--sharing conditional --classification 部门信息资源/卫生健康 --code 306002/000001"
    " --basis 《政务数据共享条例》 --scope social-insurance --use collaboration"
    " --condition 不得转让"
)
STRICT: Final = (
    '@id("PUR-01") forbid (principal, action == Action::"keys.ask", resource)'
    ' when { resource.purpose == "collaboration" };\n'
)
"""A law of one department's day: joint handling is no purpose any more."""


class Played:
    """The installation after all steps: its terminal, what was kept, and the ledger's entries."""

    def __init__(self, terminal: Terminal, topic: str) -> None:
        self.terminal = terminal
        self.kept = {"BARE": f"{BARE} --topic {topic}"}
        self.kept["ENTRY"] = f"{self.kept['BARE']} --abstract 全省门诊记录"
        self.kept["LAST_MONTH"] = (datetime.now(UTC) - timedelta(days=40)).date().isoformat()
        self.data = Path.cwd() / "3303.csv"
        self.before: dict[str, Any] = {}
        self.entries: list[dict[str, Any]] = []

    def play(self, step: dict[str, Any]) -> None:
        """Type one step; what it answers is kept, and must say the same as the table."""
        line = step["run"]
        for name, value in self.kept.items():
            line = line.replace(f"{{{name}}}", value)
        who = ("--as", step["as"]) if "as" in step else ()
        ((verdict, rules),) = step["then"].items()
        refused = verdict == "deny"
        answer = self.terminal.json(*shlex.split(line), *who, code=1 if refused else 0)
        if refused and "error" in answer:
            assert answer["error"]["rules"] == rules, step["name"]
        for name, key in step.get("keep", {}).items():
            self.kept[name] = answer[key]

    def explain(self, *more: str) -> dict[str, Any]:
        """Whether the insurance may read, as the command says it."""
        who = ("--member", "social-insurance", "--dataset", "clinic-visits")
        answer: dict[str, Any] = self.terminal.json("rules", "explain", *who, *more)
        return answer


@pytest.fixture(scope="module")
def played(live_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Everything of the table, played once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("users")
        patch.chdir(folder)
        for name, value in (("LANG", "en"), ("PASSPHRASE", PASSPHRASE), ("HOME", str(live_home))):
            patch.setenv(f"EXCHANGE_{name}", value)
        warned = with_law({"deployment": {"crypto-assessment": True}})
        strict = with_file("zz.cedar", STRICT)
        for name, law in (("law", SHIPPED), ("strict", strict), ("warned", warned)):
            (folder / name).mkdir()
            for file, content in law.files.items():
                (folder / name / file).write_bytes(content)
        contract = (HERE / "transcripts" / "files" / "clinics.yaml").read_text()
        (folder / "clinics.yaml").write_text(contract)
        for city in ("3301", "3302", "3303"):  # each opens a stream of its own
            row = f"v{city},{city},2026-03-01,110101190001010014,cold\n"
            (folder / f"{city}.csv").write_text(f"visit,city,day,patient,note\n{row}")
        played = Played(Terminal(), f"test.data.{uuid4().hex}")
        for step in STEPS:
            if step["run"] == "rules adopt strict --reason 试行":
                who = ("--purpose", "collaboration", "--section", "1", "--region", "3301")
                played.before = played.explain(*who)
                played.before |= {"diff": played.terminal.json("rules", "diff", "strict")}
            played.play(step)
        found = played.terminal.json("audit", "search", "--as", "data-bureau")
        played.entries = found["entries"]
        yield played


def test_every_scenario_stands_on_the_ledger_with_its_rules(played: Played) -> None:
    entries = iter(played.entries)
    for step in STEPS:
        assert set(step) <= KEYS
        ((verdict, rules),) = step["then"].items()
        who = step.get("as", "data-bureau")
        found = next(
            (
                entry
                for entry in entries
                if (entry["verdict"], entry["rules"]) == (verdict, rules)
                and entry["member"].split("/")[0] == who
            ),
            None,
        )
        assert found is not None, f"{step['rule']}: {step['name']}: no such entry in its place"
    assert len({step["rule"] for step in STEPS}) >= 15


def test_the_table_names_rules_of_the_register(played: Played) -> None:
    assert played.entries
    register = Register.load()
    for step in STEPS:
        ((verdict, rules),) = step["then"].items()
        assert step["rule"] in register.rules
        effects = {register.rule(rule).effect for rule in rules}
        assert ("permit" in effects) == (verdict == "permit"), step["name"]


def test_explain_says_what_is_so_and_what_is_missing(played: Played) -> None:
    before = played.before
    assert before["permit"]
    assert [rule["id"] for rule in before["rules"]] == ["GRANT-01"]
    after = played.explain("--purpose", "collaboration", "--section", "1,3", "--region", "3302")
    assert not after["permit"]
    assert [one["what"] for one in after["missing"]] == ["revoked", "fields", "regions"]
    for one in after["missing"]:
        assert re.search("[一-鿿]", one["text"]["zh"] + one["remedy"]["zh"])
    terminal = played.terminal
    line = ("rules", "explain", "--member", "health-bureau", "--dataset", "clinic-visits")
    assert terminal(*line, "--purpose", "collaboration", "--lang", "zh") == 0
    assert "不可以：health-bureau" in terminal.out
    assert "DUTY-01" in terminal.out
    assert terminal(*line, "--purpose", "collaboration") == 0
    assert "no: health-bureau may not read clinic-visits" in terminal.out
    assert "has no grant" in terminal.out


def test_a_warning_is_told_to_whoever_meets_it(played: Played) -> None:
    terminal = played.terminal
    assert terminal("push", "clinic-visits", str(played.data), "--as", "health-bureau") == 0
    assert "warning: CRY-01 待核 National cryptography" in terminal.err


def test_diff_names_the_grant_before_the_law_changes(played: Played) -> None:
    (change,) = played.before["diff"]["changes"]
    assert (change["subject"], change["id"]) == ("grant", played.kept["GRANT"])
    assert change["before"] == {"permit": True, "rules": ["GRANT-01"]}
    assert change["after"] == {"permit": False, "rules": ["PUR-01"]}


def test_the_rules_in_force_are_those_that_were_adopted(played: Played, tmp_path: Path) -> None:
    terminal = played.terminal
    exported = terminal.json("rules", "export", str(tmp_path / "now"))
    checked = terminal.json("rules", "check", str(tmp_path / "now"))
    assert exported["rule_set"] == checked["rule_set"]
    assert checked["findings"] == []
    wrong = terminal.json("rules", "check", str(tmp_path / "now" / "none"), code=2)
    assert wrong["error"]["failure"] == "no-rules"
    (tmp_path / "now" / "zz.cedar").write_text("forbid principal;")
    refused = terminal.json("rules", "adopt", str(tmp_path / "now"), code=1)
    assert [(one["file"], one["line"]) for one in refused["findings"]] == [("zz.cedar", 1)]
    assert json.dumps(terminal.json("member", "role", "list")).count("A-017") == 1
