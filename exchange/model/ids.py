"""The one check that a name from outside must pass."""

import re
from typing import Final, Literal

from exchange.errors import UsageError

SLUG: Final = r"[a-z][a-z0-9-]{1,61}[a-z0-9]"
_SLUG = re.compile(SLUG)
_CHINESE: Final = {"member": "成员", "hub": "枢纽", "dataset": "数据集"}


def slug(kind: Literal["member", "hub", "dataset"], name: str) -> str:
    """``name`` if it is 3 to 63 of ``a-z 0-9 -``, a letter first, no ``-`` last; else `UsageError`.

    Names become parts of topics, files and addresses; nothing else may.
    """
    if _SLUG.fullmatch(name):
        return name
    shown = name[:80]
    raise UsageError(
        f"{kind} name {shown!r} is not allowed",
        f"{_CHINESE[kind]}名称 {shown!r} 不合规",
        remedy=(
            "use 3 to 63 of a-z, 0-9 and '-', starting with a letter, not ending with '-'",
            "请使用 3 至 63 个小写字母、数字或连字符，以字母开头，不以连字符结尾",
        ),
        failure="name",
    )
