"""Rule sets that depart from the shipped one: other modes, other deployments, other files."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from policies.engine import Engine
from policies.ruleset import REGISTER, RuleSet

SHIPPED = RuleSet.read()


def with_file(name: str, content: str) -> RuleSet:
    """The shipped set with one file more, or another one."""
    return RuleSet({**SHIPPED.files, name: content.encode()})


def with_change(name: str, old: str, new: str) -> RuleSet:
    """The shipped set with the first ``old`` in file ``name`` replaced."""
    text = SHIPPED.files[name].decode()
    assert old in text, old
    return with_file(name, text.replace(old, new, 1))


def with_law(law: Mapping[str, Any]) -> RuleSet:
    """The shipped set with rows changed: ``{"CRY-01": {"mode": "warn"}, "deployment": {…}}``."""
    text = SHIPPED.files[REGISTER].decode()
    for name, changes in law.items():
        for key, value in changes.items():
            text = _changed(text, name, key, value)
    return with_file(REGISTER, text)


@cache
def engine_of(law: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]) -> Engine:
    """The engine of `with_law`; made once."""
    return Engine(with_law({name: dict(changes) for name, changes in law}))


def engine_with(law: Mapping[str, Mapping[str, Any]]) -> Engine:
    """The engine of a departing law."""
    return engine_of(tuple((name, tuple(sorted(rows.items()))) for name, rows in law.items()))


def _changed(text: str, name: str, key: str, value: Any) -> str:  # noqa: ANN401 - YAML scalars
    said = str(value).lower() if isinstance(value, bool) else str(value)
    said = "off" if (key, value) == ("mode", False) else said
    if name == "deployment":
        changed, count = re.subn(rf"(?m)^  {key}: \w+$", f"  {key}: {said}", text, count=1)
        assert count == 1, key
        return changed
    head, row, tail = re.split(rf"(?ms)^(  - id: {name}\n.*?)(?=^$)", text, maxsplit=1)
    row = re.sub(rf"(?m)^    {key}: .*\n", "", row)
    return head + row.replace("\n", f"\n    {key}: {said}\n", 1) + tail
