"""Names and numbers that identify things, and the one check a name from outside must pass."""

import re
from typing import Final, NewType

from exchange.errors import UsageError

MemberId = NewType("MemberId", str)
DatasetId = NewType("DatasetId", str)
InstanceId = NewType("InstanceId", str)
"""``member/instance``."""
HubId = NewType("HubId", str)
ActId = NewType("ActId", bytes)
"""SHA-256 of what an act's signature covers; 32 bytes."""
StreamId = NewType("StreamId", bytes)
"""The id of the act that opened the stream; 32 bytes."""
GrantId = NewType("GrantId", bytes)
"""The id of the act that made the grant; 32 bytes."""
EpochId = NewType("EpochId", bytes)
"""16 random bytes."""
Kid = NewType("Kid", bytes)
"""16 bytes, see keys/SPEC.md."""
LeafHash = NewType("LeafHash", bytes)
"""RFC 6962 hash of an entry; 32 bytes."""

SLUG: Final = r"[a-z][a-z0-9-]{1,61}[a-z0-9]"
_SLUG = re.compile(SLUG)


def slug(kind: str, name: str) -> str:
    """``name`` if it is 3 to 63 of ``a-z 0-9 -``, starting with a letter; else `UsageError`.

    Names become parts of topics, files and addresses; nothing else may.
    """
    if _SLUG.fullmatch(name):
        return name
    shown = name[:80]
    raise UsageError(
        f"{kind} name {shown!r} is not allowed",
        f"{kind} 名称 {shown!r} 不合规",
        remedy=(
            "use 3 to 63 of a-z, 0-9 and '-', starting with a letter",
            "请使用 3 至 63 个小写字母、数字或连字符，并以字母开头",
        ),
        failure="name",
    )


def instance_id(member: str, instance: str) -> InstanceId:
    """``member/instance``."""
    return InstanceId(f"{member}/{instance}")
