"""The environment, read here and nowhere else.

============================  ======================================================================
``EXCHANGE_HOME``             the home directory; ``~/.exchange`` when unset
``EXCHANGE_KAFKA``            ``host:port[,host:port…]`` of a Kafka to use; unset: the home says
``EXCHANGE_HUB``              ``https://host[:port]`` of the hub to talk to; unset: the home says
``EXCHANGE_DATABASE_URL``     ``postgresql://…`` for the search view; unset: SQLite in the home
``EXCHANGE_PASSPHRASE``       opens custody; for tests and supervised starts
``EXCHANGE_PASSPHRASE_FILE``  a file holding it, mode 0600; better, because no child inherits it
``EXCHANGE_LANG``             ``zh`` or ``en``; unset: Chinese where the locale is Chinese
``EXCHANGE_LOG_LEVEL``        ``debug info warning error``; unset: ``info``
============================  ======================================================================

An unknown ``EXCHANGE_`` name is an error that names the nearest known one: a misspelt setting that
is silently ignored is worse than none. Nothing here turns security off. The home's own settings
are in its ``exchange.toml`` (`exchange.wiring.home`); where both speak, the environment wins.
"""

import contextlib
import ctypes
import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from exchange.errors import ConfigurationInvalid
from exchange.model.text import Language
from exchange.wiring.passphrase import Passphrase, read_passphrase_file

LogLevel = Literal["debug", "info", "warning", "error"]

_M_ARENA_MAX: Final = -8
"""Of glibc's malloc.h."""
_PREFIX: Final = "EXCHANGE_"
_NAMES: Final = (
    "HOME", "KAFKA", "HUB", "DATABASE_URL", "PASSPHRASE", "PASSPHRASE_FILE", "LANG", "LOG_LEVEL",
)  # fmt: skip
_LEVELS: Final = ("debug", "info", "warning", "error")
_LANGUAGES: Final = ("zh", "en")
_BOOTSTRAP = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; None where it says nothing and the home decides."""

    home: Path
    kafka: str | None
    hub: str | None
    database: str | None = field(repr=False)
    """``postgresql://…`` for the auditor's search view; it may hold a password."""
    language: Language
    log_level: LogLevel
    _passphrase: Passphrase | None = field(repr=False, compare=False)
    _passphrase_file: Path | None = field(repr=False)

    def passphrase(self) -> Passphrase | None:
        """The passphrase of custody, or None when the environment names none.

        Raises `ConfigurationInvalid` when the file is missing, empty or open to others.
        """
        if self._passphrase_file is not None:
            return read_passphrase_file(self._passphrase_file)
        return self._passphrase


def environment(variables: Mapping[str, str] | None = None) -> Settings:
    """The settings in ``variables``, by default this process's environment.

    Raises `ConfigurationInvalid`, naming the variable, for an unknown name or a bad value.
    """
    given = os.environ if variables is None else variables
    for name in given:
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) not in _NAMES:
            raise _unknown(name)
    ours = {name: given.get(_PREFIX + name, "") for name in _NAMES}
    if ours["PASSPHRASE"] and ours["PASSPHRASE_FILE"]:
        raise _both_passphrases()
    return Settings(
        home=_home(ours["HOME"], given),
        kafka=_kafka(ours["KAFKA"]),
        hub=_hub(ours["HUB"]),
        database=_database(ours["DATABASE_URL"]),
        language=_language(ours["LANG"], given),
        log_level=cast(LogLevel, _one_of("LOG_LEVEL", ours["LOG_LEVEL"] or "info", _LEVELS)),
        _passphrase=Passphrase(ours["PASSPHRASE"]) if ours["PASSPHRASE"] else None,
        _passphrase_file=Path(ours["PASSPHRASE_FILE"]) if ours["PASSPHRASE_FILE"] else None,
    )


def choose_allocator() -> None:
    """Keep this process small; for `main`, before anything imports pyarrow or starts a thread.

    Arrow takes its memory from the system: its own allocator keeps some forty megabytes for an
    adapter whose columns need a few. And all threads share one arena of glibc: a record is made in
    one thread and let go of in another, and what each kept for itself came to ten more.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    with contextlib.suppress(AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def child_environment(**changes: str) -> dict[str, str]:
    """An environment for a child process: ours without any secret, with ``changes``."""
    names = ("PASSPHRASE", "PASSPHRASE_FILE", "DATABASE_URL")
    secret = {_PREFIX + name for name in names}
    return {name: value for name, value in os.environ.items() if name not in secret} | changes


def _home(value: str, given: Mapping[str, str]) -> Path:
    if value:
        return Path(value).expanduser().absolute()
    user = given.get("HOME", "")
    return (Path(user) if user else Path.home()) / ".exchange"


def check_bootstrap(value: str, name: str) -> None:
    """`ConfigurationInvalid`, naming ``name``, unless ``value`` is ``host:port[,host:port…]``."""
    if (place := no_address(value)) is not None:
        raise _bad(name, place, ("write host:port[,host:port…]", "请写成 主机:端口[,…]"))


def no_address(value: str) -> str | None:
    """The first of the comma-separated places in ``value`` that is no ``host:port``."""
    for place in value.split(","):
        match = _BOOTSTRAP.fullmatch(place)
        if match is None or not 0 < int(match[2]) < 65_536:
            return place
    return None


def _kafka(value: str) -> str | None:
    if value:
        check_bootstrap(value, _PREFIX + "KAFKA")
    return value or None


def _hub(value: str) -> str | None:
    if not value:
        return None
    try:
        parts = urlsplit(value)
        whole = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
        bare = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    except ValueError:
        whole = bare = False
    if not (whole and bare):
        raise _bad(_PREFIX + "HUB", value, ("write https://host:port", "请写成 https://主机:端口"))
    return value.rstrip("/")


def _database(value: str) -> str | None:
    if not value:
        return None
    if not value.startswith(("postgresql://", "postgres://")):
        raise ConfigurationInvalid(  # without its value, which may hold a password
            f"{_PREFIX}DATABASE_URL is not allowed: it begins with no postgresql://",
            f"{_PREFIX}DATABASE_URL 不合规：未以 postgresql:// 开头",
            remedy=(
                "write postgresql://user@host/database, or unset it",
                "请写成 postgresql://用户@主机/数据库，或取消该变量",
            ),
            failure="bad-value",
        )
    return value


def _language(value: str, given: Mapping[str, str]) -> Language:
    if value:
        return cast(Language, _one_of("LANG", value, _LANGUAGES))
    # The first of these that is set decides, as in POSIX.
    locale = next((v for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := given.get(name))), "")
    return "zh" if locale.lower().startswith("zh") else "en"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return value
    raise _bad(
        _PREFIX + name, value, (f"use one of: {', '.join(allowed)}", f"可选：{'、'.join(allowed)}")
    )


def _bad(name: str, value: str, remedy: tuple[str, str]) -> ConfigurationInvalid:
    shown = value[:80]
    return ConfigurationInvalid(
        f"{name}: {shown!r} is not allowed",
        f"{name}：取值 {shown!r} 不合规",
        remedy=remedy,
        failure="bad-value",
    )


def _unknown(name: str) -> ConfigurationInvalid:
    close = difflib.get_close_matches(name.removeprefix(_PREFIX), _NAMES, n=1)
    names = ", ".join(_PREFIX + known for known in _NAMES)
    return ConfigurationInvalid(
        f"environment: unknown variable {name}",
        f"环境变量：未知的名称 {name}",
        remedy=(f"did you mean {_PREFIX}{close[0]}?", f"是否应为 {_PREFIX}{close[0]}？")
        if close
        else (f"unset it; known are {names}", f"请取消该变量；可用的有 {names}"),
        failure="unknown-key",
    )


def _both_passphrases() -> ConfigurationInvalid:
    return ConfigurationInvalid(
        "EXCHANGE_PASSPHRASE and EXCHANGE_PASSPHRASE_FILE are both set",
        "EXCHANGE_PASSPHRASE 与 EXCHANGE_PASSPHRASE_FILE 同时存在",
        remedy=("keep the file, unset the other", "请保留文件方式，取消另一个变量"),
        failure="ambiguous",
    )
