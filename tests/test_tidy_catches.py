"""Every house rule catches a planted breach, and lets the right way pass."""

import pytest

from tests import houserules, importrules
from tests.houserules import Finding, Rule, Source

DOC = '"""A module."""\n'
LONG_FUNCTION = DOC + 'def f() -> int:\n    """Counts."""\n' + "    x = 1\n" * 68 + "    return x\n"
KEY = "-----BEGIN PRIVATE" + " KEY-----"
MARK = "TO" + "DO"
REGISTRY = "https://py" + "pi.org/simple"

BREACHES: tuple[tuple[str, Rule, str, str], ...] = (
    ("file-length", houserules.size, "keys/a.py", DOC + "x = 1\n" * 400),
    ("function-length", houserules.function_size, "keys/a.py", LONG_FUNCTION),
    ("columns", houserules.columns, "keys/a.py", "x = '" + "x" * 96 + "'\n"),
    ("columns", houserules.columns, "deploy/a.sh", "#" * 101),
    ("docstring", houserules.docstrings, "keys/a.py", "x = 1\n"),
    ("docstring", houserules.docstrings, "tests/a.py", "x = 1\n"),
    ("docstring", houserules.docstrings, "keys/a.py", DOC + "def f(): ...\n"),
    ("docstring", houserules.docstrings, "keys/a.py", DOC + "async def f(): ...\n"),
    ("docstring", houserules.docstrings, "keys/a.py", DOC + "class C:\n x = 1\n"),
    ("docstring", houserules.docstrings, "keys/a.py", DOC + 'class C:\n "C."\n def m(self): ...\n'),
    ("vague-name", houserules.names, "exchange/flow/utils.py", DOC),
    ("vague-name", houserules.names, "exchange/common/act.py", DOC),
    ("vague-name", houserules.names, "keys/a.py", "class KeyManager: ..."),
    ("vague-name", houserules.names, "keys/a.py", "class BaseSink: ..."),
    ("vague-name", houserules.names, "keys/a.py", "def sink_factory(): ..."),
    ("catch-all", houserules.catches, "keys/a.py", "try:\n  f()\nexcept:\n  pass"),
    ("catch-all", houserules.catches, "keys/a.py", "try:\n  f()\nexcept Exception:\n  pass"),
    ("catch-all", houserules.catches, "keys/a.py", "try:\n f()\nexcept (OSError, Exception):\n 1"),
    ("catch-all", houserules.catches, "keys/a.py", "try:\n f()\nexcept BaseException:\n raise E"),
    ("verify-bool", houserules.verifications, "keys/a.py", "def verify_x(a) -> bool: ..."),
    ("verify-bool", houserules.verifications, "keys/a.py", "async def _check(a) -> bool: ..."),
    ("dataclass", houserules.slots, "keys/a.py", "@dataclass(frozen=True)\nclass A: ..."),
    ("dataclass", houserules.slots, "keys/a.py", "@dataclass\nclass A: ..."),
    ("unfinished", houserules.words, "README.md", f"later {MARK}: more"),
    ("uncovered", houserules.words, "keys/a.py", "x = 1  # pragma: no" + " cover"),
    ("blanket-ignore", houserules.words, "keys/a.py", "x = 1  # type:" + " ignore"),
    ("blanket-ignore", houserules.words, "keys/a.py", "x = 1  # no" + "qa"),
    ("skipped", houserules.words, "tests/a.py", "pytest.sk" + "ip('no Kafka')"),
    ("skipped", houserules.words, "tests/a.py", "@pytest.mark.xf" + "ail"),
    ("key-material", houserules.words, "tests/keys/a.pem", KEY),
    ("registry-address", houserules.words, "requirements.lock", f"--index {REGISTRY}"),
    ("making-of", houserules.words, "README.md", "as the ag" + "ent decided"),
    ("making-of", houserules.words, "CHANGELOG.md", "written by A" + "I"),
    ("making-of", houserules.words, "CHANGELOG.md", "in the previous ses" + "sion"),
    ("deploy-python", houserules.deploy_without_python, "deploy/start.py", DOC),
    ("deploy-python", houserules.deploy_without_python, "deploy/x", "#!/usr/bin/env python3\n"),
    ("layer", importrules.layers, "keys/a.py", "from exchange.errors import Refused"),
    ("layer", importrules.layers, "keys/a.py", "import policies.engine"),
    ("layer", importrules.layers, "adapters/a.py", "from keys.suite import Suite"),
    ("layer", importrules.layers, "exchange/model/a.py", "from exchange.bus.ports import Bus"),
    ("layer", importrules.layers, "exchange/ledger/a.py", "from exchange.registry.fold import f"),
    ("layer", importrules.layers, "exchange/flow/a.py", "from exchange.wiring.hub import h"),
    ("layer", importrules.layers, "exchange/flow/a.py", "from exchange import cli"),
    ("layer", importrules.layers, "exchange/flow/a.py", "from adapters.sqlite import Sqlite"),
    ("layer", importrules.layers, "exchange/hub/a.py", "from exchange.daemon.run import run"),
    ("layer", importrules.layers, "exchange/stray/a.py", DOC),
    ("relative-import", importrules.absolute, "keys/a.py", "from .cbor import encode"),
    ("single-file", importrules.single_file, "keys/cose.py", "import cryptography.hazmat"),
    ("single-file", importrules.single_file, "exchange/bus/memory.py", "import aiokafka"),
    ("single-file", importrules.single_file, "policies/facts.py", "from cedarpy import Decision"),
    (
        "concrete-class",
        importrules.concrete,
        "exchange/flow/a.py",
        "from keys.custody import FileCustody",
    ),
    (
        "concrete-class",
        importrules.concrete,
        "exchange/hub/a.py",
        "from exchange.bus.kafka import KafkaBus",
    ),
    ("environment", importrules.environment, "exchange/cli/a.py", "import os\nos.environ['HOME']"),
    ("environment", importrules.environment, "exchange/cli/a.py", "import os\nos.getenv('HOME')"),
    ("environment", importrules.environment, "keys/a.py", "from os import environ"),
    (
        "package-init",
        importrules.empty_package,
        "keys/__init__.py",
        DOC + "from keys.cbor import encode",
    ),
)

ALLOWED: tuple[tuple[Rule, str, str], ...] = (
    (houserules.size, "keys/a.py", DOC + "x = 1\n" * 399),
    (houserules.function_size, "keys/a.py", LONG_FUNCTION.replace("    x = 1\n", "", 1)),
    (houserules.columns, "README.md", "word " * 40),
    (houserules.docstrings, "tests/a.py", DOC + "def test_x(): ..."),
    (houserules.docstrings, "keys/a.py", DOC + "def _f(): ...\nclass _C:\n def m(self): ..."),
    (houserules.names, "keys/a.py", "import base64\nlogging.basicConfig(handlers=[])"),
    (houserules.names, "exchange/model/acts.py", "class CoreElements: ..."),
    (houserules.catches, "keys/a.py", "try:\n  f()\nexcept (OSError, ValueError):\n  pass"),
    (houserules.catches, "keys/a.py", "try:\n f()\nexcept BaseException:\n undo()\n raise"),
    (houserules.verifications, "keys/a.py", "def verify(a) -> Verified: ..."),
    (houserules.verifications, "tests/a.py", "def check(a) -> bool: ..."),
    (houserules.slots, "keys/a.py", "@dataclass(frozen=True, slots=True)\nclass A: ..."),
    (houserules.words, "keys/a.py", "x = f()  # type:" + " ignore[no-untyped-call]"),
    (houserules.words, "tests/keys/vectors/a.json", KEY),
    (houserules.words, "exchange/hub/a.py", "headers['user-agent']; database session; prompt()"),
    (houserules.deploy_without_python, "deploy/kafka/pom.xml", "<project/>"),
    (importrules.layers, "exchange/registry/a.py", "from exchange.ledger.act import Act"),
    (importrules.layers, "exchange/ledger/a.py", "from exchange.bus.ports import Bus"),
    (importrules.layers, "exchange/wiring/a.py", "from adapters.sqlite import Sqlite"),
    (importrules.layers, "exchange/cli/a.py", "from adapters.errors import AdapterError"),
    (importrules.layers, "exchange/cli/a.py", "from exchange.hub.app import app\nimport typer"),
    (importrules.layers, "exchange/envelope/a.py", "from keys.suite import Suite"),
    (importrules.single_file, "keys/primitives.py", "import cryptography.hazmat"),
    (importrules.single_file, "tests/keys/a.py", "import cryptography.hazmat"),
    (importrules.concrete, "exchange/wiring/a.py", "from keys.custody import FileCustody"),
    (importrules.concrete, "exchange/flow/a.py", "from keys.custody import Custody"),
    (importrules.environment, "exchange/wiring/settings.py", "import os\nos.environ['HOME']"),
    (importrules.environment, "tests/a.py", "import os\nos.environ['HOME']"),
    (importrules.empty_package, "keys/__init__.py", DOC),
)


def of(rule: Rule, path: str, text: str) -> list[Finding]:
    """What ``rule`` says about a file."""
    return list(rule(Source(path, text)))


@pytest.mark.parametrize(("name", "rule", "path", "text"), BREACHES, ids=range(len(BREACHES)))
def test_a_planted_breach_is_found_and_says_what_to_do(
    name: str, rule: Rule, path: str, text: str
) -> None:
    findings = of(rule, path, text)
    assert [finding.rule for finding in findings] == [name]
    assert findings[0].instead
    assert str(findings[0]).startswith(f"{path}:")


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED, ids=range(len(ALLOWED)))
def test_the_right_way_passes(rule: Rule, path: str, text: str) -> None:
    assert of(rule, path, text) == []


def test_every_rule_has_a_planted_breach() -> None:
    assert {rule for _, rule, _, _ in BREACHES} == {*houserules.RULES, *importrules.RULES}


def test_an_undeclared_or_test_only_package_is_found() -> None:
    source = Source("keys/a.py", "import os, cbor2, keys.cbor, yaml, cwt")
    found = importrules.declared(source, frozenset({"cbor2", "pyyaml"}), frozenset({"os"}))
    assert [finding.instead.split()[0] for finding in found] == ["cwt"]


def test_a_name_taken_from_a_module_that_only_imports_it_is_found() -> None:
    modules = {
        "keys.a": Source("keys/a.py", "from keys.b import thing\nother: int = 1"),
        "keys.b": Source("keys/b.py", "def thing(): ..."),
        "keys": Source("keys/__init__.py", DOC),
    }
    source = Source("keys/c.py", "from keys.a import thing, other\nfrom keys.b import thing")
    found = list(importrules.defining(source, modules))
    assert [finding.rule for finding in found] == ["re-export"]
    assert list(importrules.defining(Source("keys/d.py", "from keys import a"), modules)) == []
