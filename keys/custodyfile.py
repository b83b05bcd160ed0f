"""The encrypted custody file: bytes on disk, written whole or not at all; SPEC.md §6.

Crash points of `write`: before the rename the previous file is untouched (a stray ``.tmp`` is
overwritten by the next write); after it the new one is complete, because it was synced first. The
directory is synced last, so a file that this function returned from survives a power cut.
"""

import fcntl
import hashlib
import os
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keys import primitives
from keys.entries import CONTENT_BYTES_MAX, unreadable
from keys.errors import (
    CustodyExists,
    CustodyMissing,
    CustodyUnreadable,
    CustodyUnwritable,
    OpenRefused,
    WrongPassphrase,
)
from keys.secret import Secret

MAGIC: Final = b"exchange-custody"
VERSION_1: Final = b"\x00\x01"
"""Argon2id(3 passes, 4 lanes, 64 MiB), HKDF-SHA256, AES-256-GCM. A change of any gets a new id."""
_SALT_BYTES: Final = 32
_PREFIX_BYTES: Final = len(MAGIC) + len(VERSION_1) + 2 * _SALT_BYTES
_CHECKSUM_BYTES: Final = 32
_FILE_BYTES_MAX: Final = _PREFIX_BYTES + CONTENT_BYTES_MAX + _CHECKSUM_BYTES


def new_salt() -> bytes:
    """The passphrase salt of a new file, 32 random bytes."""
    return secrets.token_bytes(_SALT_BYTES)


def stretch(passphrase: str, salt: bytes) -> Secret:
    """The file's key-encryption key; the same text typed on any keyboard gives the same key."""
    return primitives.argon2id(unicodedata.normalize("NFC", passphrase).encode(), salt)


def read(path: Path) -> bytes:
    """The file's bytes if it is whole; `CustodyMissing`, `CustodyUnreadable` or `TornFile`."""
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise CustodyMissing(
            f"there is no key file at {path}",
            f"{path} 处没有密钥文件",
            remedy=("create it with: exchange keys init", "请先执行 exchange keys init"),
        ) from None
    except OSError as error:
        raise CustodyUnreadable(
            f"cannot read the key file at {path}: {error.strerror}",
            f"无法读取密钥文件 {path}：{error.strerror}",
            remedy=(
                "run as the file's owner, or fix the path",
                "请以文件所有者身份运行，或修正路径",
            ),
        ) from None
    if not raw.startswith(MAGIC):
        raise unreadable("magic", path)
    if raw[len(MAGIC) :][:2] != VERSION_1:
        raise unreadable("version", path)
    body, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    # The checksum finds accidents before the passphrase is asked for or blamed; against somebody
    # who alters the file on purpose the AEAD tag protects, not this.
    if len(body) <= _PREFIX_BYTES or hashlib.sha256(body).digest() != checksum:
        raise unreadable("checksum", path)
    return body


def salt_of(body: bytes) -> bytes:
    """The passphrase salt that a file was created with."""
    return body[len(MAGIC) + len(VERSION_1) :][:_SALT_BYTES]


def open_body(path: Path, body: bytes, kek: Secret) -> bytes:
    """The content of a whole file, or `WrongPassphrase`; ``path`` is for the message."""
    prefix, ciphertext = body[:_PREFIX_BYTES], body[_PREFIX_BYTES:]
    try:
        return primitives.aead_open(_file_key(kek, prefix[-_SALT_BYTES:]), ciphertext, prefix)
    except OpenRefused:
        raise WrongPassphrase(
            f"the passphrase does not open the key file {path}",
            f"口令不正确，无法打开密钥文件 {path}",
            remedy=("type it again, or restore a backup", "请重新输入，或从备份恢复"),
        ) from None


def seal_body(content: bytes, kek: Secret, passphrase_salt: bytes) -> bytes:
    """A whole new file; every write encrypts under a key of its own (fresh 32-byte salt)."""
    write_salt = secrets.token_bytes(_SALT_BYTES)
    prefix = MAGIC + VERSION_1 + passphrase_salt + write_salt
    body = prefix + primitives.aead_seal(_file_key(kek, write_salt), content, prefix)
    return body + hashlib.sha256(body).digest()


def write(path: Path, raw: bytes, *, fresh: bool) -> None:
    """Put ``raw`` at ``path``, mode 0600, durable on return.

    ``fresh`` refuses to replace a file (`CustodyExists`); `CustodyUnwritable` changes nothing.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        _write_synced(temporary, raw)
        if fresh:
            os.link(temporary, path)  # unlike a rename, fails if the name is taken
            temporary.unlink()
        else:
            temporary.replace(path)
        _sync_directory(path.parent)
    except FileExistsError:
        temporary.unlink()
        raise CustodyExists(
            f"there already is a key file at {path}",
            f"{path} 处已有密钥文件",
            remedy=("keep it, or choose another path", "请保留该文件，或另选路径"),
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold off other processes that change the file (`flock` on a file beside it)."""
    try:
        lock = path.with_name(path.name + ".lock").open("ab")
    except OSError as error:
        raise _unwritable(path, error) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unwritable(path: Path, error: OSError) -> CustodyUnwritable:
    return CustodyUnwritable(
        f"cannot write the key file at {path}: {error.strerror}",
        f"无法写入密钥文件 {path}：{error.strerror}",
        remedy=(
            "free some disk space or fix the folder's permissions; the old file is intact",
            "请腾出磁盘空间或修正目录权限；原文件未受影响",
        ),
    )


def _file_key(kek: Secret, write_salt: bytes) -> Secret:
    return primitives.hkdf(kek, salt=write_salt, info=b"exchange/v1/custody-file", length=32)


def _write_synced(path: Path, raw: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)  # a stray file of an earlier crash keeps its own mode
        file.write(raw)
        file.flush()
        os.fsync(descriptor)


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
