"""From whatever went wrong to what a person or a program is told, without a traceback.

Only failures that are expected become a `Problem`: the trees of the Exchange and its leaves, what
the operating system refuses, and misuse of the command line. Anything else is a defect and keeps
its traceback.
"""

import errno
import re
from dataclasses import dataclass
from typing import Any, Final

from typer import TyperException

from exchange.cli.unverified import unverified
from exchange.errors import ExchangeError
from exchange.model.text import Text
from keys.errors import KeysError

EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNAVAILABLE: Final = 3
EXIT_INTERRUPTED: Final = 130

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told: the sentence, the remedy, and for programs the stable part."""

    category: str
    failure: str
    text: Text
    remedy: Text
    exit_code: int
    retriable: bool
    rules: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """The error object of ``--json``."""
        return {
            "category": self.category,
            "failure": self.failure,
            "message": {"en": self.text.en, "zh": self.text.zh},
            "remedy": {"en": self.remedy.en, "zh": self.remedy.zh},
            "rules": list(self.rules),
            "unverified": unverified(self.rules),
            "retriable": self.retriable,
            "exit_code": self.exit_code,
        }


def problem_of(error: Exception) -> Problem:
    """What to tell about ``error``, one of the kinds in `expected`."""
    if isinstance(error, TyperException):
        return _usage(error)
    if isinstance(error, OSError):
        return _system(error)
    return _ours(error)


def expected() -> tuple[type[Exception], ...]:
    """The classes of failures that are told; imports the leaves' error trees only."""
    from adapters.errors import AdapterError
    from policies.errors import PolicyError

    return (ExchangeError, KeysError, AdapterError, PolicyError, TyperException, OSError)


def _ours(error: Any) -> Problem:  # noqa: ANN401 - three trees of one shape, no shared class
    return Problem(
        category=error.category,
        failure=getattr(error, "failure", error.category),
        text=Text(*error.text),
        remedy=Text(*error.remedy),
        exit_code=error.exit_code,
        retriable=error.retriable,
        rules=tuple(getattr(error, "rules", ())),
    )


def _system(error: OSError) -> Problem:
    where = "" if error.filename is None else str(error.filename)
    if error.errno in NO_ROOM:
        return Problem(
            category="disk-full",
            failure="disk-full",
            text=Text(
                f"no room to write {where}" if where else "a disk is full",
                f"磁盘空间不足，无法写入 {where}" if where else "磁盘空间不足",
            ),
            remedy=Text(
                "free space, then repeat the command: what was acknowledged is kept",
                "请清理磁盘后重试：已确认的数据不会丢失",
            ),
            exit_code=EXIT_UNAVAILABLE,
            retriable=True,
        )
    return Problem(
        category="system",
        failure=errno.errorcode.get(error.errno or 0, "system"),
        text=Text(
            f"{where}: {error.strerror}" if where else f"the system refused: {error.strerror}",
            f"{where}：系统拒绝（{error.strerror}）" if where else f"系统拒绝：{error.strerror}",
        ),
        remedy=Text(
            "check that the path exists and that you may use it", "请检查路径是否存在、是否有权限"
        ),
        exit_code=EXIT_USAGE,
        retriable=False,
    )


def interrupted() -> Problem:
    """What is told of Ctrl-C."""
    return Problem(
        category="interrupted",
        failure="interrupted",
        text=Text("interrupted", "已中断"),
        remedy=Text(
            "repeat the command: what was acknowledged is kept, and nothing takes effect twice",
            "请重新执行：已确认的数据不会丢失，也不会重复生效",
        ),
        exit_code=EXIT_INTERRUPTED,
        retriable=True,
    )


_NO_COMMAND: Final = Text("a command is missing", "缺少命令")
_MISUSE_ZH: Final = {
    "NoSuchOption": "没有这个选项：{name}",
    "BadParameter": "参数不合规：{name}",
    "BadOptionUsage": "选项用法不对：{name}",
    "BadArgumentUsage": "参数用法不对：{name}",
}
_SAID_ZH: Final = (
    (re.compile(r"No such command '(.*?)'"), "没有这个命令：{0}"),
    (re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)"), "多余的参数：{0}"),
    (re.compile(r"Missing (?:argument|option|parameter) '(.*?)'"), "缺少参数：{0}"),
    (re.compile(r"Invalid value for '(.*?)'"), "参数不合规：{0}"),
    (re.compile(r"Missing command"), _NO_COMMAND.zh),
)
"""What the parser says of itself, in English only."""


def _usage(error: TyperException) -> Problem:
    """Misuse of the command line; the parser speaks English, so Chinese names class and option."""
    param = getattr(error, "param", None)
    name = getattr(error, "option_name", None) or getattr(param, "human_readable_name", "") or ""
    # Where a noun stood alone its help has been shown and the message is empty.
    said = error.format_message() or _NO_COMMAND.en
    zh = _MISUSE_ZH.get(type(error).__name__, "命令用法不对").format(name=name)
    for pattern, form in _SAID_ZH:
        if found := pattern.match(said):
            zh = form.format(*found.groups())
    return Problem(
        category="usage",
        failure="usage",
        text=Text(said, _NO_COMMAND.zh if said == _NO_COMMAND.en else zh),
        remedy=Text("add --help to see what is possible", "加上 --help 查看用法"),
        exit_code=EXIT_USAGE,
        retriable=False,
    )
