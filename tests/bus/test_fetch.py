"""Fetching Kafka: whole or not at all, once, and only the jars that are expected."""

import hashlib
import threading
from pathlib import Path

import pytest

from exchange.bus.fetch import POM, SUMS, FetchFailed, expected_sums, fetch, pinned_version
from exchange.errors import ToolMissing
from exchange.shipped import deploy_file

POM_TEXT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<properties><kafka.version>4.9.9</kafka.version></properties></project>"""
MAVEN = """#!/bin/sh
for argument; do case $argument in -DoutputDirectory=*) out=${argument#*=};; esac; done
echo run >> "$0.runs"
echo "[INFO] Downloaded from central: https://repo.example/a/kafka-1.jar (1 kB at 1 kB/s)"
printf kafka > "$out/kafka-1.jar"
"""


class Shop:
    """A pom, its sums, a cache, and a Maven of our own."""

    def __init__(self, folder: Path) -> None:
        self.pom, self.sums = folder / "pom.xml", folder / "SHA256SUMS"
        self.cache, self.tools = folder / "cache", folder / "tools"
        self.pom.write_text(POM_TEXT, "utf-8")
        self.sums.write_text(f"{hashlib.sha256(b'kafka').hexdigest()}  kafka-1.jar\n", "utf-8")
        self.tools.mkdir()
        self.told: list[tuple[str, int, int]] = []

    def maven(self, script: str) -> None:
        """Install ``script`` as mvn."""
        (self.tools / "mvn").write_text(script, "utf-8")
        (self.tools / "mvn").chmod(0o755)

    @property
    def runs(self) -> int:
        """How often Maven ran."""
        return len((self.tools / "mvn.runs").read_text("utf-8").splitlines())

    def fetch(self) -> list[str]:
        """Fetch; names of the jars."""
        found = fetch(self.pom, self.sums, self.cache, lambda *now: self.told.append(now))
        assert found.version == "4.9.9"
        return [jar.name for jar in found.jars]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(tmp_path)
    made.maven(MAVEN)
    monkeypatch.setenv("PATH", f"{made.tools}:/usr/bin:/bin")
    return made


def test_a_fetch_shows_progress_and_happens_once(shop: Shop) -> None:
    assert shop.fetch() == ["kafka-1.jar"]
    assert shop.told[0] == ("asking Maven for Apache Kafka", 0, 1)
    assert ("kafka-1.jar", 1, 1) in shop.told
    assert shop.fetch() == ["kafka-1.jar"]
    assert shop.runs == 1


def test_two_fetchers_at_once_do_the_work_once(shop: Shop) -> None:
    shop.maven(MAVEN.replace("printf", "sleep 0.3; printf"))
    fetchers = [threading.Thread(target=shop.fetch) for _ in range(2)]
    for fetcher in fetchers:
        fetcher.start()
    for fetcher in fetchers:
        fetcher.join()
    assert shop.runs == 1
    assert any("another process" in what for what, _, _ in shop.told)


def test_an_interrupted_fetch_is_done_again(shop: Shop) -> None:
    whole = MAVEN
    shop.maven("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(FetchFailed):
        shop.fetch()
    shop.maven(whole)
    assert shop.fetch() == ["kafka-1.jar"]


def test_a_new_pom_is_another_fetch(shop: Shop) -> None:
    shop.fetch()
    shop.pom.write_text(POM_TEXT + "\n", "utf-8")
    shop.fetch()
    assert shop.runs == 2


@pytest.mark.parametrize("script", [MAVEN.replace("printf kafka", "printf forged"), "#!/bin/sh\n"])
def test_a_jar_that_differs_or_lacks_is_refused_by_name(shop: Shop, script: str) -> None:
    shop.maven(script)
    with pytest.raises(FetchFailed) as failed:
        shop.fetch()
    assert failed.value.failure == "jar-differs"
    assert "kafka-1.jar" in failed.value.text.en
    shop.maven(MAVEN)
    assert shop.fetch() == ["kafka-1.jar"]


def test_a_jar_nobody_expects_is_refused(shop: Shop) -> None:
    shop.maven(MAVEN + 'printf x > "$out/stranger.jar"\n')
    with pytest.raises(FetchFailed) as failed:
        shop.fetch()
    assert "stranger.jar" in failed.value.text.en


def test_mavens_first_error_is_passed_on(shop: Shop) -> None:
    shop.maven("#!/bin/sh\necho '[ERROR] no route to host'\necho '[ERROR] help'\nexit 1\n")
    with pytest.raises(FetchFailed) as failed:
        shop.fetch()
    assert failed.value.failure == "maven-failed"
    assert "no route to host" in failed.value.text.en
    assert failed.value.exit_code == 3


def test_a_missing_maven_names_the_package(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolMissing) as missing:
        shop.fetch()
    assert missing.value.remedy.en == "apt-get install -y maven"


def test_the_pinned_kafka_is_a_4_and_every_jar_of_it_is_listed() -> None:
    version = pinned_version(deploy_file(POM))
    assert version.startswith("4.")
    names = expected_sums(deploy_file(SUMS))
    assert f"kafka_2.13-{version}.jar" in names
    assert f"kafka-tools-{version}.jar" in names
