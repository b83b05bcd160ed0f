"""The files that are the law of the bus, and their hash; format in policies/SPEC.md.

A rule set is bytes by name, wherever they come from: this package, a directory, or a stored copy
that an act adopted. Reading it decides nothing; `policies.engine.Engine` checks and runs it.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from policies.errors import Finding, RuleSetInvalid

REGISTER: Final = "rules.yaml"
SCHEMA: Final = "schema.cedarschema"
WORKDAYS: Final = "workdays.csv"
_FIXED: Final = frozenset({REGISTER, SCHEMA, WORKDAYS})
_NO_LAW: Final = frozenset({".md", ".py", ".typed"})
_DOMAIN: Final = b"exchange/v1/rules"
_SHIPPED: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Register, schema, working days and one or more ``*.cedar`` files, as bytes by file name."""

    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        """Raises `RuleSetInvalid` for a missing file, and for one that is no part of a rule set."""
        absent = sorted(_FIXED - set(self.files))
        if not self.policies:
            absent.append("*.cedar")
        strange = sorted(set(self.files) - {*_FIXED, *self.policies})
        if absent or strange:
            raise RuleSetInvalid(
                (*(_missing(name) for name in absent), *(_strange(name) for name in strange))
            )

    @classmethod
    def read(cls, directory: Path = _SHIPPED) -> "RuleSet":
        """Read the rule set in ``directory``. Raises `RuleSetInvalid` when a file is missing.

        And when there is one that is no part of it: ``fees.ceder`` would be law by its author's
        word and not by ours. Hidden files, and what explains or packages a rule set, may lie there.
        """
        beside = (path for path in directory.iterdir() if path.suffix not in _NO_LAW)
        paths = (path for path in beside if path.is_file() and not path.name.startswith("."))
        return cls({path.name: path.read_bytes() for path in paths})

    @property
    def policies(self) -> tuple[str, ...]:
        """The names of the policy files, sorted."""
        return tuple(sorted(name for name in self.files if name.endswith(".cedar")))

    def hash(self, engine_version: str) -> bytes:
        """The 32 bytes that an act adopts: SHA-256 over every file and the engine's version."""
        digest = hashlib.sha256(_DOMAIN)
        for name, content in (("", engine_version.encode()), *sorted(self.files.items())):
            digest.update(struct.pack(">I", len(name.encode())) + name.encode())
            digest.update(struct.pack(">Q", len(content)) + content)
        return digest.digest()


def _missing(name: str) -> Finding:
    return Finding(
        name,
        1,
        "missing-file",
        (f"the rule set lacks {name}", f"规则集缺少 {name}"),
        ("restore the file from the adopted rule set", "请从已采纳的规则集恢复该文件"),
    )


def _strange(name: str) -> Finding:
    return Finding(
        name,
        1,
        "strange-file",
        (f"{name} is no part of a rule set", f"{name} 不属于规则集"),
        ("take it out", "请将其移除"),
    )
