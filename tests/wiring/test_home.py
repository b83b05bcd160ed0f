"""A home's exchange.toml is read strictly, and what is written is read back the same."""

import os
from pathlib import Path

import pytest

from exchange.errors import ConfigurationInvalid, NotFound, UsageError
from exchange.wiring.home import (
    CONFIGURATION,
    Home,
    HomeTable,
    HubTable,
    KafkaTable,
    LogTable,
    open_home,
    own_directory,
    render,
)
from exchange.wiring.tomlfile import CONFIGURATION_BYTES_MAX

PIN = "ab" * 32
LOG = LogTable(origin="exchange.zj.example/2026", genesis=PIN, authority="data-bureau")


def home_with(path: Path, text: str) -> Home:
    """The home at ``path`` whose exchange.toml is ``text``."""
    (path / CONFIGURATION).write_text(text, "utf-8")
    return open_home(path)


def refused(path: Path, text: str) -> ConfigurationInvalid:
    """The error that ``text`` causes; it names the file."""
    with pytest.raises(ConfigurationInvalid) as caught:
        home_with(path, text)
    assert caught.value.text.en.startswith(str(path / CONFIGURATION))
    assert caught.value.remedy.en
    assert caught.value.remedy.zh
    return caught.value


@pytest.mark.parametrize(
    "table",
    [
        HomeTable(log=LOG),
        HomeTable(
            log=LogTable(
                origin='a "quoted" \\ 数据', genesis=PIN, authority="bureau", ca="/etc/ca"
            ),
            hub=HubTable(id="hub-2", host="hub.zj.example", port=443, local=False),
            kafka=KafkaTable(bootstrap="kafka-1:9092,kafka-2:9092"),
        ),
    ],
    ids=["defaults", "everything-set"],
)
def test_what_is_written_is_read_back(tmp_path: Path, table: HomeTable) -> None:
    assert home_with(tmp_path, render(table)).table == table


def test_a_home_knows_its_places(tmp_path: Path) -> None:
    home = home_with(tmp_path, render(HomeTable(log=LOG)))
    assert home.pin == bytes.fromhex(PIN)
    assert home.ca_file == tmp_path / "ca.pem"
    assert home.hub_address == "https://127.0.0.1:8443"
    assert home.hub_directory == tmp_path / "hub"
    assert home.kafka_directory == tmp_path / "kafka"
    assert home.custody_file("police") == tmp_path / "members" / "police" / "custody"
    assert home.pid_file("hub") == tmp_path / "run" / "hub.pid"
    assert home.log_file("hub") == tmp_path / "log" / "hub.log"


def test_a_home_knows_the_members_whose_keys_it_holds(tmp_path: Path) -> None:
    home = home_with(tmp_path, render(HomeTable(log=LOG)))
    assert home.members() == ()
    for member in ("transport", "police"):
        home.custody_file(member).parent.mkdir(parents=True)
        home.custody_file(member).touch()
    (tmp_path / "members" / "without-keys").mkdir()
    assert home.members() == ("police", "transport")


@pytest.mark.parametrize("member", ["../../etc", "a/b", "", "Police", "."])
def test_a_member_name_that_is_a_path_is_refused(tmp_path: Path, member: str) -> None:
    home = home_with(tmp_path, render(HomeTable(log=LOG)))
    with pytest.raises(UsageError):
        home.custody_file(member)


def test_a_folder_that_was_never_initialised_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        open_home(tmp_path)
    assert "exchange init" in caught.value.remedy.en
    assert caught.value.failure == "no-home"


def test_an_unknown_key_names_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    text = render(HomeTable(log=LOG)).replace("bootstrap =", "bootstrp =")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row.startswith("bootstrp"))
    error = refused(tmp_path, text)
    assert f"{CONFIGURATION}:{line}: " in error.text.en
    assert "'kafka.bootstrp'" in error.text.en
    assert error.remedy.en == "did you mean 'bootstrap'?"
    assert error.failure == "unknown-key"


def test_an_unknown_table_lists_the_known_ones(tmp_path: Path) -> None:
    error = refused(tmp_path, render(HomeTable(log=LOG)) + "\n[xyzzy]\na = 1\n")
    assert error.remedy.en == "known keys: log, hub, kafka, witness"


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, '[log]\norigin = "a"\nauthority = "b"\n')
    assert "'log.genesis'" in error.text.en
    assert error.failure == "missing-key"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PIN, PIN[:-2]),
        (PIN, PIN.upper()),
        ("port = 8443", "port = 0"),
        ("port = 8443", "port = 65536"),
        ("port = 8443", 'port = "8443"'),
        ("local = true", "local = 1"),
    ],
    ids=["short-pin", "upper-pin", "port-0", "port-65536", "port-text", "local-number"],
)
def test_a_bad_value_is_named_and_not_repeated(tmp_path: Path, old: str, new: str) -> None:
    error = refused(tmp_path, render(HomeTable(log=LOG)).replace(old, new))
    assert error.failure == "bad-value"
    assert error.exit_code == 2


@pytest.mark.parametrize(
    "text",
    ["[log\n", "a = 1\na = 2\n", "# " + "x" * CONFIGURATION_BYTES_MAX],
    ids=["cut", "twice", "too-long"],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text).failure in {"not-toml", "too-large"}


def test_a_home_is_this_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_directory(tmp_path / "new" / "home")
    assert (tmp_path / "new" / "home").stat().st_mode & 0o077 == 0
    own_directory(tmp_path / "new" / "home")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)  # as /tmp is
    with pytest.raises(UsageError) as caught:
        own_directory(shared)
    assert caught.value.failure == "home-shared"
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(UsageError):
        own_directory(tmp_path / "new" / "home")
