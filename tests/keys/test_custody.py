"""Custody: keys that work and never come out, and a file that survives what happens to files."""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from keys import cbor, custodyfile, entries
from keys.cose import parse1, sign1, verify1
from keys.custody import WRAPPED_BYTES_MAX, Custody, FileCustody, MemoryCustody
from keys.errors import (
    CustodyExists,
    CustodyMissing,
    CustodyUnreadable,
    CustodyUnwritable,
    KeyExists,
    KeyMissing,
    KeyRejected,
    KeysError,
    OpenRefused,
    SignatureInvalid,
    TornFile,
    WeakPassphrase,
    WrongPassphrase,
)
from keys.identity import check_kem_key, check_mldsa_key, check_signing_key
from keys.primitives import verify_mldsa
from keys.secret import Secret
from keys.suite import SUITE_1

PASSPHRASE = "correct horse battery"
SECRET = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "member.keys"


@pytest.fixture(params=["memory", "file"])
def custody(request: pytest.FixtureRequest, path: Path) -> Custody:
    return MemoryCustody() if request.param == "memory" else FileCustody.create(path, PASSPHRASE)


def refused(action: Callable[[], object], kind: type[KeysError]) -> str:
    with pytest.raises(kind) as caught:
        action()
    assert all(caught.value.text)
    return caught.value.failure


def flipped(raw: bytes, position: int) -> bytes:
    return raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]


def test_a_signing_key_signs_and_is_named(custody: Custody) -> None:
    public = custody.generate_signing("officer")
    assert public.kid == check_signing_key(public.raw) == custody.signer("officer").kid
    raw = sign1(b"said", "exchange/v1/act", custody.signer("officer"))
    assert verify1(parse1(raw, bytes_max=500), "exchange/v1/act", public.raw).payload == b"said"


def test_a_key_agreement_key_unwraps(custody: Custody) -> None:
    first, public = custody.generate_kem("first"), custody.generate_kem("second")
    assert public.kid == check_kem_key(public.raw) != first.kid
    wrapped = SUITE_1.wrap(public.raw, SECRET, b"info")
    unwrapped = custody.unwrap(public.kid, wrapped, b"info")
    assert isinstance(unwrapped, Secret)
    assert bytes(unwrapped) == SECRET
    refused(lambda: custody.unwrap(first.kid, wrapped, b"info"), OpenRefused)
    refused(lambda: custody.unwrap(public.kid, wrapped, b"other"), OpenRefused)
    refused(lambda: custody.unwrap(bytes(16), wrapped, b"info"), KeyMissing)


def test_an_mldsa_key_signs_tree_heads_and_nothing_else(custody: Custody) -> None:
    public = custody.generate_mldsa("checkpoint")
    signer = custody.mldsa_signer("checkpoint")
    assert public.kid == check_mldsa_key(public.raw) == signer.kid
    assert (public.algorithm, len(public.raw)) == (6, 1312)
    assert [key.label for key in custody.publics()] == ["checkpoint"]
    verify_mldsa(public.raw, signer.sign(b"head"), b"head")
    signature = signer.sign(b"head")
    refused(lambda: verify_mldsa(public.raw, signature, b"other"), SignatureInvalid)
    refused(lambda: verify_mldsa(bytes(1312), signature, b"head"), SignatureInvalid)
    refused(lambda: verify_mldsa(b"short", signature, b"head"), SignatureInvalid)
    refused(lambda: custody.signer("checkpoint"), KeyMissing)
    custody.generate_signing("entry")
    refused(lambda: custody.mldsa_signer("entry"), KeyMissing)
    assert refused(lambda: check_mldsa_key(bytes(1311)), KeyRejected) == "length"


def test_more_than_an_answer_is_not_unwrapped(custody: Custody) -> None:
    public = custody.generate_kem("key")
    wrapped = bytes(WRAPPED_BYTES_MAX + 1)
    assert refused(lambda: custody.unwrap(public.kid, wrapped, b""), OpenRefused) == "length"


def test_public_keys_are_listed_by_label(custody: Custody) -> None:
    keys = [custody.generate_kem("b"), custody.generate_signing("a")]
    custody.protect(b"makes a secret of its own", b"")
    assert custody.publics() == tuple(reversed(keys))
    assert custody.public("b") == keys[0]


def test_a_label_is_used_once(custody: Custody) -> None:
    custody.generate_signing("a")
    refused(lambda: custody.generate_kem("a"), KeyExists)
    refused(lambda: custody.generate_signing(".local"), KeyExists)
    refused(lambda: custody.issue_ca("a", "CA", now_ms=0, days=1), KeyExists)


def test_a_key_is_not_taken_for_one_of_another_kind(custody: Custody) -> None:
    custody.generate_signing("a")
    custody.generate_kem("k")
    refused(lambda: custody.signer("k"), KeyMissing)
    refused(lambda: custody.tls_passphrase("a"), KeyMissing)
    refused(lambda: custody.public("nobody"), KeyMissing)


def test_a_destroyed_key_is_gone(custody: Custody) -> None:
    public = custody.generate_kem("k")
    wrapped = SUITE_1.wrap(public.raw, SECRET, b"info")
    custody.unwrap(public.kid, wrapped, b"info")
    custody.destroy("k")
    refused(lambda: custody.unwrap(public.kid, wrapped, b"info"), KeyMissing)
    refused(lambda: custody.destroy("k"), KeyMissing)


def test_what_a_machine_keeps_for_itself_is_encrypted(custody: Custody) -> None:
    kept = custody.protect(b"rejected records", b"rejected")
    assert b"rejected" not in kept
    assert kept != custody.protect(b"rejected records", b"rejected")
    assert custody.reveal(kept, b"rejected") == b"rejected records"
    refused(lambda: custody.reveal(kept, b"spool"), OpenRefused)
    refused(lambda: custody.reveal(kept[:-1], b"rejected"), OpenRefused)
    refused(lambda: custody.reveal(b"", b"rejected"), OpenRefused)


def test_memory_custody_repeats_for_the_same_entropy() -> None:
    def seeded() -> MemoryCustody:
        return MemoryCustody(lambda n: hashlib.shake_128(b"seed").digest(n))

    assert seeded().generate_kem("k") == seeded().generate_kem("k")
    assert seeded().generate_signing("s") == seeded().generate_signing("s")


def test_nothing_secret_is_printed(custody: Custody) -> None:
    custody.generate_signing("a")
    assert "1 secrets" in repr(custody)
    assert custody.signer("a").kid.hex() in repr(custody.signer("a"))


def test_a_file_opens_again_with_the_same_keys(path: Path) -> None:
    made = FileCustody.create(path, PASSPHRASE)
    keys = (made.generate_signing("a"), made.generate_kem("b"))
    assert FileCustody.open(path, PASSPHRASE).publics() == keys


def test_the_file_is_the_owners_and_shows_no_key(path: Path) -> None:
    custody = FileCustody.create(path, PASSPHRASE)
    custody.generate_signing("a label that nobody reads")
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"label" not in path.read_bytes()
    assert sorted(other.name for other in path.parent.iterdir()) == [path.name, path.name + ".lock"]


def test_a_stray_temporary_file_of_a_crash_is_no_obstacle(path: Path) -> None:
    stray = path.with_name(path.name + ".tmp")
    stray.write_bytes(b"half a file")
    stray.chmod(0o644)
    FileCustody.create(path, PASSPHRASE)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_passphrase_is_the_same_on_every_keyboard(path: Path) -> None:
    FileCustody.create(path, "pass\u00e9 compos\u00e9")
    FileCustody.open(path, "passe\u0301 compose\u0301")


def test_a_wrong_passphrase_is_told_from_a_torn_file(path: Path) -> None:
    FileCustody.create(path, PASSPHRASE)
    refused(lambda: FileCustody.open(path, "wrong passphrase"), WrongPassphrase)
    path.write_bytes(path.read_bytes()[:-1])
    assert refused(lambda: FileCustody.open(path, PASSPHRASE), TornFile) == "checksum"


@pytest.mark.parametrize(
    ("failure", "damage"),
    [
        pytest.param("magic", lambda raw: b"", id="empty"),
        pytest.param("magic", lambda raw: b"-----BEGIN SOMETHING-----" * 10, id="another file"),
        pytest.param("magic", lambda raw: raw[:10], id="cut in the magic"),
        pytest.param("version", lambda raw: raw[:17] + b"\x02" + raw[18:], id="version 2"),
        pytest.param("version", lambda raw: raw[:16], id="cut before the version"),
        pytest.param("checksum", lambda raw: raw[:18], id="cut after the version"),
        pytest.param("checksum", lambda raw: raw[:100], id="cut in the middle"),
        pytest.param("checksum", lambda raw: raw + b"\x00", id="one byte more"),
        pytest.param("checksum", lambda raw: flipped(raw, 90), id="one bit flipped"),
        pytest.param("checksum", lambda raw: raw + bytes(2 << 20), id="far too long"),
    ],
)
def test_a_damaged_file_is_named_torn(
    path: Path, failure: str, damage: Callable[[bytes], bytes]
) -> None:
    FileCustody.create(path, PASSPHRASE)
    path.write_bytes(damage(path.read_bytes()))
    assert refused(lambda: FileCustody.open(path, PASSPHRASE), TornFile) == failure


def test_a_file_altered_on_purpose_does_not_open(path: Path) -> None:
    FileCustody.create(path, PASSPHRASE)
    body = bytearray(path.read_bytes()[:-32])
    body[60] ^= 1
    path.write_bytes(bytes(body) + hashlib.sha256(body).digest())
    refused(lambda: FileCustody.open(path, PASSPHRASE), WrongPassphrase)


@pytest.mark.parametrize(
    ("failure", "content"),
    [
        ("not-shortest", b"\x18\x00"),
        ("shape", cbor.encode([])),
        ("shape", cbor.encode({0: [1, bytes(32), b""]})),
        ("kind", cbor.encode({"a": [9, bytes(32), b""]})),
        ("kind", cbor.encode({"a": [1, bytes(32)]})),
        ("kind", cbor.encode({"a": b""})),
    ],
)
def test_content_of_another_version_is_not_guessed_at(
    path: Path, failure: str, content: bytes
) -> None:
    salt = custodyfile.new_salt()
    raw = custodyfile.seal_body(content, custodyfile.stretch(PASSPHRASE, salt), salt)
    custodyfile.write(path, raw, fresh=True)
    assert refused(lambda: FileCustody.open(path, PASSPHRASE), TornFile) == failure


def test_entries_read_as_they_were_written() -> None:
    entry = entries.Entry(entries.Kind.CA, Secret(b"key"), b"certificate")
    [(label, read)] = entries.decode(entries.encode({"ca": entry})).items()
    assert (label, read.kind, bytes(read.secret), read.public) == (
        "ca",
        entries.Kind.CA,
        b"key",
        b"certificate",
    )
    assert "key'" not in repr(read)


def test_a_missing_file_is_not_made(path: Path) -> None:
    refused(lambda: FileCustody.open(path, PASSPHRASE), CustodyMissing)
    assert not path.exists()


def test_an_existing_file_is_not_replaced(path: Path) -> None:
    custody = FileCustody.create(path, PASSPHRASE)
    before = path.read_bytes()
    refused(lambda: FileCustody.create(path, PASSPHRASE), CustodyExists)
    assert path.read_bytes() == before
    custody.generate_signing("still writable")


def test_a_short_passphrase_is_refused(path: Path) -> None:
    refused(lambda: FileCustody.create(path, "1234567"), WeakPassphrase)
    assert not path.exists()


def test_a_passphrase_can_be_changed(path: Path) -> None:
    custody = FileCustody.create(path, PASSPHRASE)
    key = custody.generate_signing("a")
    custody.change_passphrase("another passphrase")
    refused(lambda: FileCustody.open(path, PASSPHRASE), WrongPassphrase)
    opened = FileCustody.open(path, "another passphrase")
    assert opened.public("a") == custody.public("a") == key
    refused(lambda: custody.change_passphrase("short"), WeakPassphrase)
    custody.generate_signing("b")
    assert opened.public("b") == custody.public("b")


def test_what_another_process_adds_is_found(path: Path) -> None:
    one = FileCustody.create(path, PASSPHRASE)
    other = FileCustody.open(path, PASSPHRASE)
    key = other.generate_kem("added")
    assert one.public("added") == key
    wrapped = SUITE_1.wrap(key.raw, SECRET, b"")
    assert bytes(one.unwrap(key.kid, wrapped, b"")) == SECRET
    later = other.generate_kem("later")
    wrapped = SUITE_1.wrap(later.raw, SECRET, b"")
    assert bytes(one.unwrap(later.kid, wrapped, b"")) == SECRET


def test_changes_at_the_same_time_are_all_kept(path: Path) -> None:
    FileCustody.create(path, PASSPHRASE)
    opened = [FileCustody.open(path, PASSPHRASE) for _ in range(4)]

    def generate(number: int) -> None:
        for again in range(5):
            opened[number].generate_signing(f"{number}-{again}")

    threads = [threading.Thread(target=generate, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(FileCustody.open(path, PASSPHRASE).publics()) == 20


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    custody = FileCustody.create(path, PASSPHRASE)
    custody.generate_signing("a")
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused(lambda: custody.generate_signing("b"), CustodyUnwritable)
    monkeypatch.undo()
    assert path.read_bytes() == before
    refused(lambda: custody.public("b"), KeyMissing)
    custody.generate_signing("b")


def test_a_path_that_is_no_file_is_named(tmp_path: Path) -> None:
    refused(lambda: FileCustody.open(tmp_path, PASSPHRASE), CustodyUnreadable)


def test_a_change_in_a_folder_that_is_gone_changes_nothing(path: Path, tmp_path: Path) -> None:
    custody = FileCustody.create(path, PASSPHRASE)
    tmp_path.rename(tmp_path.with_name("elsewhere"))
    refused(lambda: custody.generate_signing("a"), CustodyUnwritable)
    tmp_path.with_name("elsewhere").rename(tmp_path)
    assert FileCustody.open(path, PASSPHRASE).publics() == ()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "keys"
    with pytest.raises(CustodyUnwritable) as caught:
        FileCustody.create(path, PASSPHRASE)
    assert (caught.value.exit_code, caught.value.retriable) == (3, True)
    assert str(path) in caught.value.text[1]
