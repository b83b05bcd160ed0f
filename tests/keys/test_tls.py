"""The hub's certificate: what a TLS 1.3 client that pins the CA accepts, and what it refuses."""

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from keys.custody import MemoryCustody, ServerCertificate

NOW_MS = int(time.time() * 1000)
DAY_MS = 86_400_000


class Hub:
    """A TLS 1.3 server for one handshake, with what custody issued."""

    def __init__(self, folder: Path, hostnames: list[str], now_ms: int = NOW_MS) -> None:
        self.custody = MemoryCustody()
        self.ca = self.custody.issue_ca("ca", "Hub CA", now_ms=now_ms, days=3650)
        self.issued = self.issue(hostnames, now_ms)
        self.folder = folder

    def issue(self, hostnames: list[str], now_ms: int) -> ServerCertificate:
        return self.custody.issue_tls("tls", hostnames, ca="ca", now_ms=now_ms, days=30)

    def context(self, password: bytes | None = None) -> ssl.SSLContext:
        certificate, key = self.folder / "cert.pem", self.folder / "key.pem"
        certificate.write_bytes(self.issued.certificate)
        key.write_bytes(self.issued.encrypted_key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        passphrase = bytes(self.custody.tls_passphrase("tls"))
        context.load_cert_chain(certificate, key, password or passphrase)
        return context

    def meet(self, client: ssl.SSLContext, name: str) -> str | None:
        """The protocol of one handshake."""
        here, there = socket.socketpair()

        def serve() -> None:
            try:
                self.context().wrap_socket(there, server_side=True).close()
            except OSError:  # the client went away
                there.close()

        server = threading.Thread(target=serve)
        server.start()
        try:
            with client.wrap_socket(here, server_hostname=name) as met:
                return met.version()
        finally:
            here.close()
            server.join()


def client(ca: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_a_client_that_pins_the_ca_meets_the_hub(tmp_path: Path) -> None:
    hub = Hub(tmp_path, ["hub.example", "127.0.0.1", "::1"])
    for name in ("hub.example", "127.0.0.1", "::1"):
        assert hub.meet(client(hub.ca), name) == "TLSv1.3"


def test_a_client_refuses_another_name(tmp_path: Path) -> None:
    hub = Hub(tmp_path, ["hub.example"])
    with pytest.raises(ssl.SSLCertVerificationError):
        hub.meet(client(hub.ca), "other.example")


def test_a_client_refuses_another_ca_of_the_same_name(tmp_path: Path) -> None:
    hub, other = Hub(tmp_path, ["hub.example"]), Hub(tmp_path, ["hub.example"])
    with pytest.raises(ssl.SSLCertVerificationError):
        hub.meet(client(other.ca), "hub.example")


def test_a_client_refuses_an_expired_certificate(tmp_path: Path) -> None:
    hub = Hub(tmp_path, ["hub.example"], now_ms=NOW_MS - 31 * DAY_MS)
    with pytest.raises(ssl.SSLCertVerificationError):
        hub.meet(client(hub.ca), "hub.example")


def test_the_private_key_is_on_disk_encrypted_only(tmp_path: Path) -> None:
    hub = Hub(tmp_path, ["hub.example"])
    assert b"ENCRYPTED" in hub.issued.encrypted_key.splitlines()[0]
    with pytest.raises(ssl.SSLError):
        hub.context(password=b"another passphrase")


def test_asking_again_renews_the_certificate(tmp_path: Path) -> None:
    hub = Hub(tmp_path, ["hub.example"])
    first = hub.issued
    hub.issued = hub.issue(["hub.example"], NOW_MS)
    assert hub.issued.encrypted_key != first.encrypted_key
    assert hub.meet(client(hub.ca), "hub.example") == "TLSv1.3"
