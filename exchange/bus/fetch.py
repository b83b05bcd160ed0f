"""Brings Apache Kafka onto this machine, once per user and version.

``deploy/kafka/pom.xml`` pins what to bring and ``SHA256SUMS`` beside it what each jar must be.
Maven fetches into a directory of its own; it is renamed to its final name only when it is whole
and every jar is the expected one. So an interrupted fetch leaves nothing that could be mistaken
for Kafka, and is simply done again. Two processes that need Kafka at once wait for one another on
a lock, and the second finds the work done.
"""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from exchange.errors import ToolMissing, Unavailable

POM: Final = "kafka/pom.xml"
SUMS: Final = "kafka/SHA256SUMS"
JAVA_MIN: Final = 17

Progress = Callable[[str, int, int], None]
"""``(what is being done, jars here, jars needed)``; called while a fetch goes on."""


class FetchFailed(Unavailable):
    """Maven did not bring what the pom names. Nothing was kept; try again."""

    category = "fetch-failed"


@dataclass(frozen=True, slots=True)
class Distribution:
    """An Apache Kafka that is here: its version and its jars, in a stable order."""

    version: str
    directory: Path
    jars: tuple[Path, ...]


def tool(name: str, package: str) -> str:
    """The path of the program ``name``; `ToolMissing` says which Debian package has it."""
    path = shutil.which(name)
    if path is not None:
        return path
    raise ToolMissing(
        f"{name} is not installed, and Kafka needs it",
        f"未安装 {name}，Kafka 无法运行",
        remedy=(f"apt-get install -y {package}", f"请执行 apt-get install -y {package}"),
        failure=f"{name}-missing",
    )


def java() -> str:
    """The path of a Java new enough for Kafka; `ToolMissing` otherwise."""
    path = shutil.which("java") or tool("java", java_package())
    shown = subprocess.run(
        [path, "-version"], capture_output=True, text=True, timeout=60, check=False
    )
    version = shown.stderr.partition('"')[2].partition('"')[0]
    major = version.partition(".")[0]
    if major.isdecimal() and int(major) >= JAVA_MIN:
        return path
    package = java_package()
    raise ToolMissing(
        f"java is version {version or 'unknown'}, and Kafka needs {JAVA_MIN} or newer",
        f"java 版本为 {version or '未知'}，Kafka 需要 {JAVA_MIN} 或更高版本",
        remedy=(f"apt-get install -y {package}", f"请执行 apt-get install -y {package}"),
        failure="java-old",
    )


def java_package() -> str:
    """The Debian package of a Java that is new enough and that this system offers.

    Which one that is differs: Debian 12 has openjdk-17, Debian 13 openjdk-21. The newest that apt
    knows; where there is no apt, or it knows none yet, the distribution's default.
    """
    offered = [number for number in _offered_java() if number >= JAVA_MIN]
    return f"openjdk-{max(offered)}-jre-headless" if offered else "default-jre-headless"


def _offered_java() -> Iterator[int]:
    apt = shutil.which("apt-cache")
    if apt is None:
        return
    command = [apt, "search", "--names-only", "^openjdk-[0-9]+-jre-headless$"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in found.stdout.splitlines():
        number = line.removeprefix("openjdk-").partition("-")[0]
        if number.isdecimal():
            yield int(number)


def pinned_version(pom: Path) -> str:
    """The version of Kafka that ``pom`` pins, ``4.x.y``."""
    # The file is ours, shipped with the program; no entity in it comes from anybody else.
    root = ElementTree.parse(pom).getroot()  # noqa: S314
    return root.findtext("./{*}properties/{*}kafka.version", default="unknown")


def expected_sums(sums: Path) -> dict[str, str]:
    """SHA-256 in hex by name of jar."""
    lines = (line.split() for line in sums.read_text("ascii").splitlines())
    return {name: digest for digest, name in lines}


def fetch(pom: Path, sums: Path, cache: Path, progress: Progress) -> Distribution:
    """Kafka as ``pom`` pins it, from ``cache`` or else from Maven.

    Raises `ToolMissing` without Maven and `FetchFailed` when Maven fails.
    """
    key = hashlib.sha256(pom.read_bytes() + sums.read_bytes()).hexdigest()[:16]
    version = pinned_version(pom)
    target = cache / f"kafka-{version}-{key}"
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache / f"kafka-{key}.lock", progress):
            if not target.is_dir():
                _fetch_into(target, pom, expected_sums(sums), progress)
    return Distribution(version, target, tuple(sorted(target.glob("*.jar"))))


@contextmanager
def _alone(lock: Path, progress: Progress) -> Iterator[None]:
    with lock.open("wb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that fetches Kafka", 0, 0)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch_into(target: Path, pom: Path, sums: Mapping[str, str], progress: Progress) -> None:
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    _run_maven(pom, partial, len(sums), progress)
    progress("checking the jars", len(sums), len(sums))
    for name in sums.keys() | {path.name for path in partial.iterdir()}:
        _check_jar(partial / name, sums.get(name))
    partial.rename(target)


def _check_jar(path: Path, expected: str | None) -> None:
    actual = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    if actual is None or actual != expected:
        raise FetchFailed(
            f"{path.name} is not the file that deploy/{SUMS} names",
            f"{path.name} 与 deploy/{SUMS} 记录的文件不一致",
            remedy=(
                "delete it from Maven's repository (~/.m2) and try again; if it comes back, "
                "do not use that source",
                "请从 Maven 本地仓库（~/.m2）删除该文件后重试；若仍不一致，请勿使用该来源",
            ),
            failure="jar-differs",
        )


def _run_maven(pom: Path, into: Path, needed: int, progress: Progress) -> None:
    """Run Maven's copy-dependencies; its lines become progress, its last ones the failure."""
    command = [
        tool("mvn", "maven"),
        "--batch-mode",
        "--strict-checksums",
        f"--file={pom}",
        "dependency:copy-dependencies",
        f"-DoutputDirectory={into}",
        "-DincludeScope=runtime",
    ]
    progress("asking Maven for Apache Kafka", 0, needed)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as maven:
        errors = _follow(maven.stdout or iter(()), needed, progress)
    if maven.returncode != 0:
        raise FetchFailed(
            f"Maven could not fetch Apache Kafka: {errors or 'it said nothing'}",
            f"Maven 未能下载 Apache Kafka：{errors or '没有输出'}",
            remedy=(
                "check the network and Maven's settings (~/.m2/settings.xml), then try again",
                "请检查网络与 Maven 设置（~/.m2/settings.xml）后重试",
            ),
            failure="maven-failed",
        )


def _follow(lines: Iterable[str], needed: int, progress: Progress) -> str:
    """Report each jar that Maven says it has downloaded; give its first error."""
    jars, error = 0, ""
    for line in lines:
        if "Downloaded from" in line and ".jar " in line:
            jars = min(jars + 1, needed)
            progress(line.partition(".jar ")[0].rpartition("/")[2] + ".jar", jars, needed)
        elif "ERROR" in line and not error:
            error = line.partition("]")[2].strip()[:300]
    return error
