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
_DOMAIN: Final = b"exchange/v1/rules"
_SHIPPED: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The register, the schema and every ``*.cedar`` file, as bytes by file name."""

    files: Mapping[str, bytes]

    @classmethod
    def read(cls, directory: Path = _SHIPPED) -> "RuleSet":
        """Read the rule set in ``directory``. Raises `RuleSetInvalid` when a file is missing."""
        names = (REGISTER, SCHEMA, *sorted(path.name for path in directory.glob("*.cedar")))
        absent = [name for name in names if not (directory / name).is_file()]
        if len(names) == 2:
            absent.append("*.cedar")
        if absent:
            raise RuleSetInvalid(tuple(_missing(name, directory) for name in absent))
        return cls({name: (directory / name).read_bytes() for name in names})

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


def _missing(name: str, directory: Path) -> Finding:
    return Finding(
        name,
        1,
        "missing-file",
        (f"the rule set in {directory} lacks {name}", f"{directory} 中的规则集缺少 {name}"),
        ("restore the file from the adopted rule set", "请从已采纳的规则集恢复该文件"),
    )
