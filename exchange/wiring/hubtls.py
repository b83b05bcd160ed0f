"""The TLS identity of a hub: a certificate under the ledger's CA, renewed at every start."""

import os
from dataclasses import dataclass
from pathlib import Path

from exchange.wiring.hubkeys import CA, TLS, TLS_CERTIFICATE, TLS_DAYS, TLS_KEY
from keys.custody import Custody
from keys.secret import Secret


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """TLS files of a hub. The key is encrypted on disk; ``passphrase`` comes from custody."""

    certificate: Path
    """PEM, the certificate first, then its CA's."""
    encrypted_key: Path
    passphrase: Secret


def renew_identity(
    custody: Custody, directory: Path, hub: str, host: str, *, now_ms: int
) -> TlsIdentity:
    """A fresh certificate for ``host`` and the loopback names, its files replaced in ``directory``.

    `KeyMissing` when custody holds no CA.
    """
    label = f"{TLS}/{hub}"
    names = tuple(dict.fromkeys((host, "localhost", "127.0.0.1")))
    issued = custody.issue_tls(label, names, ca=CA, now_ms=now_ms, days=TLS_DAYS)
    certificate = directory / f"{hub}.{TLS_CERTIFICATE}"
    key = directory / f"{hub}.{TLS_KEY}"
    _replace(certificate, issued.certificate)
    _replace(key, issued.encrypted_key)
    return TlsIdentity(certificate, key, custody.tls_passphrase(label))


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
    fresh.replace(file)
