"""The environment is read strictly, and what is wrong with it is said by name."""

from pathlib import Path

import pytest

from exchange.errors import ConfigurationInvalid
from exchange.wiring.settings import child_environment, environment


def refused(**variables: str) -> ConfigurationInvalid:
    """The error that these variables cause."""
    with pytest.raises(ConfigurationInvalid) as caught:
        environment(variables)
    assert caught.value.exit_code == 2
    assert caught.value.remedy.en
    assert caught.value.remedy.zh
    return caught.value


def test_an_empty_environment_means_the_home_of_this_user_and_english() -> None:
    settings = environment({"HOME": "/home/li"})
    assert settings.home == Path("/home/li/.exchange")
    assert (settings.kafka, settings.hub, settings.passphrase()) == (None, None, None)
    assert (settings.language, settings.log_level) == ("en", "info")


def test_without_a_home_variable_the_system_is_asked() -> None:
    assert environment({}).home == Path.home() / ".exchange"


def test_what_is_set_is_taken() -> None:
    settings = environment(
        {
            "EXCHANGE_HOME": "/srv/exchange",
            "EXCHANGE_KAFKA": "kafka-1:9092,[::1]:9093",
            "EXCHANGE_HUB": "https://hub.zj.example:8443/",
            "EXCHANGE_LANG": "zh",
            "EXCHANGE_LOG_LEVEL": "debug",
        }
    )
    assert settings.home == Path("/srv/exchange")
    assert settings.kafka == "kafka-1:9092,[::1]:9093"
    assert settings.hub == "https://hub.zj.example:8443"
    assert (settings.language, settings.log_level) == ("zh", "debug")


def test_a_database_is_named_by_its_address_and_never_shown() -> None:
    address = "postgresql://auditor:secret@db.example/exchange"
    settings = environment({"EXCHANGE_DATABASE_URL": address})
    assert settings.database == address
    assert "secret" not in repr(settings)
    error = refused(EXCHANGE_DATABASE_URL="mysql://auditor:secret@db.example/exchange")
    assert "secret" not in f"{error.text} {error.remedy}"
    assert environment({}).database is None


def test_a_relative_home_is_made_absolute() -> None:
    assert environment({"EXCHANGE_HOME": "here"}).home == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_CN", "LANG": "C"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "EXCHANGE_LANG": "en"}, "en"),
    ],
    ids=["chinese", "english", "lc-all-first", "lc-messages-next", "ours-wins"],
)
def test_the_language_follows_the_locale_unless_set(
    variables: dict[str, str], language: str
) -> None:
    assert environment(variables).language == language


def test_a_misspelt_name_is_an_error_that_names_the_nearest() -> None:
    error = refused(EXCHANGE_KAFKAA="localhost:9092")
    assert "EXCHANGE_KAFKAA" in error.text.en
    assert "EXCHANGE_KAFKA?" in error.remedy.en
    assert error.failure == "unknown-key"


def test_a_name_like_no_other_is_an_error_that_lists_them_all() -> None:
    assert "EXCHANGE_PASSPHRASE_FILE" in refused(EXCHANGE_ZZZZZZZ="1").remedy.en


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXCHANGE_KAFKA", "localhost"),
        ("EXCHANGE_KAFKA", "localhost:0"),
        ("EXCHANGE_KAFKA", "localhost:65536"),
        ("EXCHANGE_KAFKA", "a:1,,b:2"),
        ("EXCHANGE_KAFKA", "kafka://a:1"),
        ("EXCHANGE_HUB", "http://hub:8443"),
        ("EXCHANGE_HUB", "hub:8443"),
        ("EXCHANGE_HUB", "https://hub:0"),
        ("EXCHANGE_HUB", "https://hub:99999"),
        ("EXCHANGE_HUB", "https://li@hub"),
        ("EXCHANGE_HUB", "https://hub/path"),
        ("EXCHANGE_LANG", "de"),
        ("EXCHANGE_LOG_LEVEL", "verbose"),
    ],
)
def test_a_bad_value_is_an_error_that_names_the_variable(name: str, value: str) -> None:
    error = refused(**{name: value})
    assert name in error.text.en
    assert name in error.text.zh
    assert error.failure == "bad-value"


def test_the_passphrase_may_stand_in_the_environment() -> None:
    settings = environment({"EXCHANGE_PASSPHRASE": "correct horse"})
    passphrase = settings.passphrase()
    assert passphrase is not None
    assert passphrase.reveal() == "correct horse"
    assert "correct" not in repr(settings)


def test_the_passphrase_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n", "utf-8")
    file.chmod(0o600)
    passphrase = environment({"EXCHANGE_PASSPHRASE_FILE": str(file)}).passphrase()
    assert passphrase is not None
    assert passphrase.reveal() == "correct horse"


def test_two_passphrases_are_one_too_many() -> None:
    error = refused(EXCHANGE_PASSPHRASE="a", EXCHANGE_PASSPHRASE_FILE="/f")
    assert error.failure == "ambiguous"


def test_a_child_inherits_no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_PASSPHRASE", "correct horse")
    monkeypatch.setenv("EXCHANGE_PASSPHRASE_FILE", "/f")
    monkeypatch.setenv("EXCHANGE_LANG", "zh")
    child = child_environment(EXCHANGE_LOG_LEVEL="debug")
    assert child["EXCHANGE_LANG"] == "zh"
    assert child["EXCHANGE_LOG_LEVEL"] == "debug"
    assert not [name for name in child if "PASSPHRASE" in name]
