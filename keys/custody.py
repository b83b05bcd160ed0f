"""Where private keys live and never come out of; SPEC.md §6.

`Custody` is the seam: callers name a key by its label or kid and get back public keys, signatures,
unwrapped secrets. `FileCustody` is one encrypted file; `MemoryCustody` keeps everything in memory,
ships for tests and the simulation, and gives the same keys for the same entropy.

Durability: when a method that makes or destroys a key returns, the change is on disk. Several
processes may hold one file open; each change is made under a lock on the newest version, and a key
that another process added is found when it is first asked for.

>>> custody = MemoryCustody()
>>> public = custody.generate_kem("dataset villages 2026-11")
>>> custody.public("dataset villages 2026-11") == public
True
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from keys import custodyfile, entries, primitives
from keys.cose import Signer
from keys.entries import Entry, Kind
from keys.errors import KeyExists, KeyMissing, OpenRefused, WeakPassphrase
from keys.identity import kid_of
from keys.secret import Secret

PASSPHRASE_CHARACTERS_MIN: Final = 8
WRAPPED_BYTES_MAX: Final = 1 << 17
"""A release answer for 256 epochs of four sections fits; nothing longer is tried."""
_LOCAL_LABEL: Final = ".local"
_SALT_BYTES: Final = 32
_Pair = primitives.SigningKey | primitives.DecapsulationKey | primitives.MldsaKey
_PAIRS: Final[Mapping[Kind, Callable[[bytes], _Pair]]] = {
    Kind.SIGNING: primitives.SigningKey,
    Kind.KEM: primitives.DecapsulationKey,
    Kind.MLDSA: primitives.MldsaKey,
}

Edit = Callable[[dict[str, Entry]], object]
"""Changes the entries it is given, or raises before it has changed anything."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The half of a key pair that may travel."""

    kid: bytes
    algorithm: int
    raw: bytes
    label: str


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A hub's TLS identity; write both to files, custody keeps the passphrase."""

    certificate: bytes
    """PEM: the certificate, then its CA's."""
    encrypted_key: bytes
    """PEM, encrypted under ``tls_passphrase(label)``."""


class Custody(Protocol):
    """Keys by label. Unknown label or kid: `KeyMissing`; a label that is taken: `KeyExists`."""

    def generate_signing(self, label: str) -> PublicKey:
        """Make an Ed25519 key pair."""

    def generate_kem(self, label: str) -> PublicKey:
        """Make a suite 1 key agreement pair."""

    def generate_mldsa(self, label: str) -> PublicKey:
        """Make an ML-DSA-44 key pair, which signs tree heads."""

    def public(self, label: str) -> PublicKey:
        """The public half of any pair."""

    def publics(self) -> tuple[PublicKey, ...]:
        """All of them, by label."""

    def signer(self, label: str) -> Signer:
        """Something that signs with that Ed25519 key."""

    def mldsa_signer(self, label: str) -> Signer:
        """Something that signs with that ML-DSA-44 key: signatures of 2,420 bytes."""

    def unwrap(self, kid: bytes, wrapped: bytes, info: bytes) -> Secret:
        """The secret that was wrapped to ``kid`` under ``info``; `OpenRefused`."""

    def destroy(self, label: str) -> None:
        """Forget a key for ever; what was wrapped to it only can be read by nobody again."""

    def protect(self, plaintext: bytes, purpose: bytes) -> bytes:
        """Encrypt something this machine keeps for itself, such as rejected records."""

    def reveal(self, protected: bytes, purpose: bytes) -> bytes:
        """What `protect` encrypted for the same purpose; `OpenRefused`."""

    def issue_ca(self, label: str, name: str, *, now_ms: int, days: int) -> bytes:
        """Make a private CA for hubs; its certificate, PEM, for genesis to pin."""

    def issue_tls(
        self, label: str, hostnames: Sequence[str], *, ca: str, now_ms: int, days: int
    ) -> ServerCertificate:
        """A server certificate under the CA of label ``ca``; asking again renews it."""

    def tls_passphrase(self, label: str) -> Secret:
        """What opens the encrypted private key of ``label``."""


class MemoryCustody:
    """Custody that ends with the process. ``entropy(n)`` gives n random bytes."""

    def __init__(self, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._entropy = entropy
        self._entries: dict[str, Entry] = {}
        self._opening: dict[bytes, primitives.DecapsulationKey] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._entries)} secrets>"

    def generate_signing(self, label: str) -> PublicKey:
        """See `Custody`."""
        self._add(label, Entry(Kind.SIGNING, self._random()))
        return self.public(label)

    def generate_kem(self, label: str) -> PublicKey:
        """See `Custody`."""
        self._add(label, Entry(Kind.KEM, self._random()))
        return self.public(label)

    def generate_mldsa(self, label: str) -> PublicKey:
        """See `Custody`."""
        self._add(label, Entry(Kind.MLDSA, self._random()))
        return self.public(label)

    def public(self, label: str) -> PublicKey:
        """See `Custody`."""
        return _public_key(label, self._find(label, *_PAIRS))

    def publics(self) -> tuple[PublicKey, ...]:
        """See `Custody`."""
        labels = sorted(label for label, entry in self._entries.items() if entry.kind in _PAIRS)
        return tuple(self.public(label) for label in labels)

    def signer(self, label: str) -> Signer:
        """See `Custody`."""
        return _Signer(primitives.SigningKey(self._find(label, Kind.SIGNING).secret), Kind.SIGNING)

    def mldsa_signer(self, label: str) -> Signer:
        """See `Custody`."""
        return _Signer(primitives.MldsaKey(self._find(label, Kind.MLDSA).secret), Kind.MLDSA)

    def unwrap(self, kid: bytes, wrapped: bytes, info: bytes) -> Secret:
        """See `Custody`."""
        if len(wrapped) > WRAPPED_BYTES_MAX:
            raise OpenRefused(
                f"a wrapped secret is longer than {WRAPPED_BYTES_MAX} bytes",
                f"封装的密钥超过 {WRAPPED_BYTES_MAX} 字节",
                remedy=("have its sender make it again", "请发送方重新生成"),
                failure="length",
            )
        if kid not in self._opening:
            self._refresh()
            self._opening = self._load_opening_keys()
        if kid not in self._opening:
            raise _missing(kid.hex())
        return self._opening[kid].unwrap(wrapped, info)

    def destroy(self, label: str) -> None:
        """See `Custody`."""
        self._find(label, *Kind)
        self._change(lambda entries: entries.pop(label, None))
        self._opening = {}

    def protect(self, plaintext: bytes, purpose: bytes) -> bytes:
        """See `Custody`."""
        salt = self._entropy(_SALT_BYTES)
        return salt + primitives.aead_seal(self._local_key(salt, purpose), plaintext, purpose)

    def reveal(self, protected: bytes, purpose: bytes) -> bytes:
        """See `Custody`."""
        salt, ciphertext = protected[:_SALT_BYTES], protected[_SALT_BYTES:]
        return primitives.aead_open(self._local_key(salt, purpose), ciphertext, purpose)

    def issue_ca(self, label: str, name: str, *, now_ms: int, days: int) -> bytes:
        """See `Custody`."""
        key, certificate = primitives.issue_ca(name, now_ms=now_ms, days=days)
        self._add(label, Entry(Kind.CA, key, certificate))
        return certificate

    def issue_tls(
        self, label: str, hostnames: Sequence[str], *, ca: str, now_ms: int, days: int
    ) -> ServerCertificate:
        """See `Custody`."""
        issuer = self._find(ca, Kind.CA)
        passphrase = Secret(self._random().hex().encode())
        certificate, encrypted_key = primitives.issue_server_certificate(
            issuer.secret,
            issuer.public,
            hostnames,
            passphrase=passphrase,
            now_ms=now_ms,
            days=days,
        )
        self._add(label, Entry(Kind.TLS, passphrase, certificate))
        return ServerCertificate(certificate + issuer.public, encrypted_key)

    def tls_passphrase(self, label: str) -> Secret:
        """See `Custody`."""
        return self._find(label, Kind.TLS).secret

    def _random(self) -> Secret:
        return Secret(self._entropy(primitives.SEED_BYTES))

    def _load_opening_keys(self) -> dict[bytes, primitives.DecapsulationKey]:
        seeds = [entry.secret for entry in self._entries.values() if entry.kind is Kind.KEM]
        keys = [primitives.DecapsulationKey(seed) for seed in seeds]
        return {kid_of(Kind.KEM, key.public): key for key in keys}

    def _local_key(self, salt: bytes, purpose: bytes) -> Secret:
        if _LOCAL_LABEL not in self._entries:
            fresh = Entry(Kind.LOCAL, self._random())
            self._change(lambda entries: entries.setdefault(_LOCAL_LABEL, fresh))
        secret = self._find(_LOCAL_LABEL, Kind.LOCAL).secret
        return primitives.hkdf(secret, salt=salt, info=b"exchange/v1/local" + purpose, length=32)

    def _find(self, label: str, *kinds: Kind) -> Entry:
        if label not in self._entries:
            self._refresh()
        entry = self._entries.get(label)
        if entry is None or entry.kind not in kinds:
            raise _missing(label)
        return entry

    def _add(self, label: str, entry: Entry) -> None:
        def edit(entries: dict[str, Entry]) -> None:
            present = entries.get(label)
            renewal = present is not None and present.kind is entry.kind is Kind.TLS
            if label == _LOCAL_LABEL or (present is not None and not renewal):
                raise KeyExists(
                    f"there already is a key {label!r}",
                    f"密钥 {label!r} 已存在",
                    remedy=("choose another label", "请另选标签"),
                )
            entries[label] = entry

        self._change(edit)

    def _change(self, edit: Edit) -> None:
        """Apply ``edit``; an edit that raises changes nothing."""
        edit(self._entries)

    def _refresh(self) -> None:
        """Learn what another process may have added."""


class FileCustody(MemoryCustody):
    """Custody in one encrypted file; made by `create` or `open`, never directly."""

    def __init__(self, path: Path, kek: Secret, passphrase_salt: bytes) -> None:
        super().__init__()
        self._path = path
        self._kek = kek
        self._passphrase_salt = passphrase_salt

    @classmethod
    def create(cls, path: Path, passphrase: str) -> "FileCustody":
        """A new file without keys; `CustodyExists`, `WeakPassphrase`, `CustodyUnwritable`."""
        salt = custodyfile.new_salt()
        made = cls(path, _stretch_new(passphrase, salt), salt)
        custodyfile.write(path, made._sealed({}), fresh=True)
        return made

    @classmethod
    def open(cls, path: Path, passphrase: str) -> "FileCustody":
        """An existing file; `CustodyMissing`, `TornFile`, `WrongPassphrase`."""
        salt = custodyfile.salt_of(custodyfile.read(path))
        opened = cls(path, custodyfile.stretch(passphrase, salt), salt)
        opened._refresh()
        return opened

    def change_passphrase(self, passphrase: str) -> None:
        """Encrypt the file under another passphrase; other processes must open it again.

        A copy or backup of the old file still opens with the old passphrase.
        """
        salt = custodyfile.new_salt()
        kek = _stretch_new(passphrase, salt)
        with custodyfile.locked(self._path):
            self._refresh()
            self._kek, self._passphrase_salt = kek, salt
            custodyfile.write(self._path, self._sealed(self._entries), fresh=False)

    def _change(self, edit: Edit) -> None:
        with custodyfile.locked(self._path):
            self._refresh()
            changed = dict(self._entries)
            edit(changed)
            custodyfile.write(self._path, self._sealed(changed), fresh=False)
            self._entries = changed

    def _refresh(self) -> None:
        content = custodyfile.open_body(self._path, custodyfile.read(self._path), self._kek)
        self._entries = entries.decode(content)

    def _sealed(self, content: dict[str, Entry]) -> bytes:
        return custodyfile.seal_body(entries.encode(content), self._kek, self._passphrase_salt)


class _Signer:
    """One signing key, usable and not readable."""

    __slots__ = ("_key", "kid")

    def __init__(self, key: primitives.SigningKey | primitives.MldsaKey, kind: Kind) -> None:
        self._key = key
        self.kid = kid_of(kind, key.public)

    def __repr__(self) -> str:
        return f"<signer {self.kid.hex()}>"

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def _public_key(label: str, entry: Entry) -> PublicKey:
    raw = _PAIRS[entry.kind](entry.secret).public
    return PublicKey(kid_of(entry.kind, raw), int(entry.kind), raw, label)


def _stretch_new(passphrase: str, salt: bytes) -> Secret:
    if len(passphrase) < PASSPHRASE_CHARACTERS_MIN:
        raise WeakPassphrase(
            f"the passphrase has fewer than {PASSPHRASE_CHARACTERS_MIN} characters",
            f"口令少于 {PASSPHRASE_CHARACTERS_MIN} 个字符",
            remedy=("choose a longer one", "请使用更长的口令"),
        )
    return custodyfile.stretch(passphrase, salt)


def _missing(name: str) -> KeyMissing:
    return KeyMissing(
        f"custody holds no such key: {name}",
        f"密钥库中没有该密钥：{name}",
        remedy=("list the keys with: exchange keys list", "请用 exchange keys list 查看密钥"),
    )
