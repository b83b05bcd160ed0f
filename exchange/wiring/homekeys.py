"""The passphrases and key files of a home: found, asked for, opened."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from exchange.errors import ConfigurationInvalid, NotFound
from exchange.wiring.home import Home
from exchange.wiring.passphrase import Passphrase, read_passphrase_file
from exchange.wiring.settings import Settings
from keys.custody import Custody, FileCustody, PublicKey

PASSPHRASE_FILE: Final = "passphrase"  # noqa: S105 - a file name
OFFICER: Final = "officer"
"""Custody label of a member's officer key."""

Ask = Callable[[], str]
"""Asks a person for the passphrase."""


def find_passphrase(home: Path, settings: Settings, ask: Ask | None) -> Passphrase:
    """From the environment, else the home's own file, else a person.

    Raises `ConfigurationInvalid` when nobody can be asked.
    """
    if (given := settings.passphrase()) is not None:
        return given
    file = home / PASSPHRASE_FILE
    if file.exists():
        return read_passphrase_file(file)
    if ask is not None:
        return Passphrase(ask())
    raise ConfigurationInvalid(
        "the passphrase of this home is not known",
        "未提供本主目录的口令",
        remedy=(
            "set EXCHANGE_PASSPHRASE_FILE to a file of mode 0600 that holds it",
            "请将 EXCHANGE_PASSPHRASE_FILE 设为保存口令的文件（权限 0600）",
        ),
        failure="passphrase",
    )


def make_passphrase(home: Path) -> Passphrase:
    """A random passphrase in a file only this user can read; for homes on one machine.

    `FileExistsError` if there is one: keys that it alone opens may exist already.
    """
    text = secrets.token_urlsafe(24)
    file = home / PASSPHRASE_FILE
    draft = file.with_name(f".{PASSPHRASE_FILE}.{secrets.token_hex(4)}.part")
    try:
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(text + "\n", "ascii")
        file.hardlink_to(draft)  # whole or not at all, and never in place of another's
    finally:
        draft.unlink(missing_ok=True)
    return Passphrase(text)


def open_custody(home: Home, member: str, passphrase: Passphrase) -> FileCustody:
    """The key file of ``member``; `NotFound` if this home does not hold one."""
    file = home.custody_file(member)
    if not file.is_file():
        held = ", ".join(home.members())
        raise NotFound(
            f"this home holds no keys of member {member}",
            f"本主目录没有成员 {member} 的密钥",
            remedy=(f"act as one of: {held}", f"可用的成员：{held}"),
            failure="no-custody",
        )
    return FileCustody.open(file, passphrase.reveal())


def open_file(file: Path, passphrase: Passphrase) -> FileCustody:
    """Any key file, for instance a backup; `TornFile`, `WrongPassphrase`."""
    return FileCustody.open(file, passphrase.reveal())


def create_custody(file: Path, passphrase: Passphrase) -> FileCustody:
    """A new key file with its folder, 0700; `CustodyExists` if there is one."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return FileCustody.create(file, passphrase.reveal())


def signing_label(instance: str, number: int = 0) -> str:
    """Custody label of an instance's ``number``-th signing key."""
    return f"instance/{instance}/signing/{number:04}"


def kem_label(instance: str, number: int = 0) -> str:
    """Custody label of an instance's ``number``-th key agreement key."""
    return f"instance/{instance}/kem/{number:04}"


def key_of(custody: Custody, kid_or_public: bytes) -> PublicKey:
    """The key that custody holds of this kid or public key; `NotFound` otherwise."""
    for key in custody.publics():
        if kid_or_public in {key.kid, key.raw}:
            return key
    raise NotFound(
        "the key that the ledger names is not in this key file",
        "账本登记的密钥不在本密钥库中",
        remedy=(
            "restore the newest backup of the key file, or register the instance again",
            "请恢复密钥库的最新备份，或重新登记该实例",
        ),
        failure="key-elsewhere",
    )
