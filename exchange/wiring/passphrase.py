"""A passphrase on its way from the environment to custody."""

import os
import stat
from pathlib import Path
from typing import Final, NoReturn

from exchange.errors import ConfigurationInvalid
from exchange.model.text import Text

PASSPHRASE_BYTES_MAX: Final = 1024


class Passphrase:
    """A secret text: shown and compared nowhere, given out by `reveal` to custody only."""

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment] # not hashable, as the language spells it

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The passphrase itself, for `keys.custody`."""
        return self._text

    def __repr__(self) -> str:
        return "<passphrase>"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("a passphrase is not compared; custody opens with it, or does not")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a passphrase is not pickled")


def read_passphrase_file(path: Path) -> Passphrase:
    """The first line of ``path``, a regular file of this user with no rights for others.

    Raises `ConfigurationInvalid` with failure ``passphrase-file`` or ``passphrase-file-mode``.
    """
    try:
        # Judged and read through one descriptor: the name cannot be swapped in between, and
        # O_NONBLOCK keeps a FIFO in its place from hanging the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            _check_rights(path, os.fstat(file.fileno()))
            raw = file.read(PASSPHRASE_BYTES_MAX + 1)
    except OSError as error:
        said = error.strerror or "I/O"
        raise _unusable(path, Text(said, said)) from None
    line = raw.split(b"\n", 1)[0].removesuffix(b"\r")
    if not line:
        raise _unusable(path, Text("empty", "内容为空"))
    if len(line) > PASSPHRASE_BYTES_MAX:
        limit = PASSPHRASE_BYTES_MAX
        raise _unusable(path, Text(f"over {limit} bytes", f"超过 {limit} 字节"))
    try:
        return Passphrase(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise _unusable(path, Text("not UTF-8", "不是 UTF-8")) from None


def _check_rights(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(path, Text("not a regular file", "不是普通文件"))
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077 or status.st_uid not in {os.geteuid(), 0}:
        raise ConfigurationInvalid(
            f"others may read the passphrase in {path} (mode {mode:04o})",
            f"其他用户可读取口令文件 {path}（权限 {mode:04o}）",
            remedy=(f"chmod 600 {path}", f"请执行 chmod 600 {path}"),
            failure="passphrase-file-mode",
        )


def _unusable(path: Path, why: Text) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"no passphrase can be read from {path}: {why.en}",
        f"无法从 {path} 读取口令（{why.zh}）",
        remedy=(
            "put the passphrase on its first line, mode 0600, or name another file in"
            " EXCHANGE_PASSPHRASE_FILE",
            "请将口令写在其首行（权限 0600），或用 EXCHANGE_PASSPHRASE_FILE 指定其他文件",
        ),
        failure="passphrase-file",
    )
