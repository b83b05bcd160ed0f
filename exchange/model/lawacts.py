"""What acts about the law and its officers say: rule sets, roles, and the end of old records.

The conventions are those of exchange/model/acts.py.
"""

from typing import Annotated, ClassVar, Literal

from annotated_types import MaxLen
from pydantic import StringConstraints

from exchange.limits import RULES_ARCHIVE_BYTES_MAX
from exchange.model.actcodec import Body, Key
from exchange.model.acttypes import Code, Hash, Slug

Role = Literal["admin", "audit", "operate"]
"""管理, 审计 and 操作 of GB/T 39477-2020 6.2."""
RecordClass = Literal["network", "provision", "credit"]
"""Network logs, records of providing data, records of credit queries."""
HOLDER_FORM = r"^[A-Za-z0-9][A-Za-z0-9._-]{1,39}\z"
HolderCode = Annotated[str, StringConstraints(pattern=HOLDER_FORM)]
"""A number that the member's own list turns into a person; no name ever stands on the ledger."""


class AdoptRules(Body):
    """The authority adopts a rule set: it is the law from the next entry on."""

    kind: ClassVar[str] = "rules.adopt"
    rules: Annotated[Hash, Key(0)]
    """Hash of the rule set under ``engine`` (policies/SPEC.md section 4)."""
    engine: Annotated[Code, Key(1)]
    """The version of the engine that reads it."""
    archive: Annotated[bytes, Key(2), MaxLen(RULES_ARCHIVE_BYTES_MAX)]
    """The files themselves (exchange/model/rulesarchive.py): a ledger needs nothing else."""
    reason: Annotated[Code, Key(3)] = ""


class AssignRole(Body):
    """A member gives one of its people a role on the bus."""

    kind: ClassVar[str] = "role.assign"
    member: Annotated[Slug, Key(0)]
    holder: Annotated[HolderCode, Key(1)]
    role: Annotated[Role, Key(2)]


class EndRole(Body):
    """The role of one of a member's people ends."""

    kind: ClassVar[str] = "role.end"
    member: Annotated[Slug, Key(0)]
    holder: Annotated[HolderCode, Key(1)]
    role: Annotated[Role, Key(2)]


class PurgeRecords(Body):
    """A member says that it deletes its own records of a class, up to a moment."""

    kind: ClassVar[str] = "records.purge"
    records: Annotated[RecordClass, Key(0)]
    up_to_ms: Annotated[int, Key(1)]
    """Records of this moment and later stay."""
