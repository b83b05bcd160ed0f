"""A hub signs heads only with keys that the pinned ledger names for it."""

from pathlib import Path

import pytest

from exchange.errors import ConfigurationInvalid
from exchange.ledger.note import SignatureType
from exchange.wiring.home import Home, HomeTable, LogTable, open_home
from exchange.wiring.homeinit import Founding, initialise
from exchange.wiring.homekeys import open_file
from exchange.wiring.hublog import hub_signers, keys_of_log, log_files
from exchange.wiring.passphrase import Passphrase
from keys.custody import MemoryCustody
from keys.errors import KeyMissing
from tests.hub.ground import ground, wall_ms
from tests.ledger.world import World

PASSPHRASE = Passphrase("a passphrase for tests")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    said = Founding(
        origin="exchange.test/2026",
        authority="data-bureau",
        name_zh="省数据局",
        name_en="Data Bureau",
        credit_code="11330000MB1234567X",
        region="33",
        hub="hub-1",
        host="127.0.0.1",
        port=8443,
    )
    initialise(tmp_path / "home", said, PASSPHRASE)
    return open_home(tmp_path / "home")


def test_a_new_home_signs_heads_with_both_keys_of_its_genesis(home: Home) -> None:
    custody = open_file(home.hub_directory / "custody", PASSPHRASE)
    signers = hub_signers(home, "hub-1", custody)
    named = keys_of_log(home.root()).hubs[0].keys
    assert tuple(signer.key for signer in signers.heads) == named
    assert [key.type for key in named] == [SignatureType.ED25519, SignatureType.MLDSA]
    publics = {custody.public(label).raw for label in ("hub/entry", "hub/checkpoint")}
    assert len(publics | {key.public for key in named}) == 3  # entry keys sign no heads


def test_keys_that_genesis_does_not_name_sign_nothing(home: Home) -> None:
    custody = open_file(home.hub_directory / "custody", PASSPHRASE)
    with pytest.raises(KeyMissing):
        hub_signers(home, "hub-2", custody)
    other = MemoryCustody()
    for label in ("hub/entry", "hub/checkpoint", "hub/entry/hub-2"):
        other.generate_signing(label)
    for hub in ("hub-1", "hub-2"):
        with pytest.raises(ConfigurationInvalid) as refusal:
            hub_signers(home, hub, other)
        assert refusal.value.failure == "hub-unnamed"


def test_a_changed_checkpoint_key_is_noticed(tmp_path: Path) -> None:
    laid = ground(tmp_path, "test.topic", wall_ms())
    custody = MemoryCustody()
    for label, held in (("hub/entry", "hub/hub-1"), ("hub/checkpoint", "checkpoint/hub-1")):
        custody._entries[label] = laid.world.custody._entries[held]
    custody.generate_mldsa("hub/checkpoint-mldsa")
    with pytest.raises(ConfigurationInvalid, match="checkpoint key"):
        hub_signers(laid.home, "hub-1", custody)


def test_every_hub_of_a_home_has_a_folder_of_its_own(home: Home) -> None:
    first, second = log_files(home, "hub-1"), log_files(home, "hub-2")
    first.acquire()
    second.acquire()
    first.write({"checkpoint": b"one"})
    assert second.read("checkpoint") is None
    first.release()
    second.release()


def test_an_origin_that_names_no_key_cannot_be_published(tmp_path: Path) -> None:
    root = World().root
    object.__setattr__(root, "origin", "two words")  # as a ledger of an earlier version may have
    with pytest.raises(ConfigurationInvalid) as refusal:
        keys_of_log(root)
    assert refusal.value.failure == "origin"
    log = LogTable(origin="two words", genesis="ab" * 32, authority="authority")
    assert Home(tmp_path, HomeTable(log=log)).policy() is None
