"""Where ``exchange audit replay``, ``verify`` and ``export`` take a ledger from, and how fast."""

import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.cli.session import Session
from exchange.cli.work import as_reader
from exchange.errors import CheckFailed, InputUnreadable, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from exchange.audit.archive import End
    from exchange.audit.replay import Replay, Replayed
    from exchange.ledger.verdict import Folded
    from exchange.wiring.office import Office

    Listener = Callable[[Folded], None]

_READING: Final = Text("replaying", "重放中")


@dataclass(frozen=True, slots=True)
class Rate:
    """How long a replay took, on the clock and in processors, of this process and its others."""

    seconds: float
    cpu_seconds: float
    processes: int


@dataclass(frozen=True, slots=True)
class Run:
    """A replay that ended well: what it found, how fast it went, and what the source says of it.

    ``stated`` is the size and the root (hex) that the hub states, ``end`` the end of an archive.
    """

    found: "Replayed"
    rate: Rate
    stated: tuple[int, str] | None = None
    end: "End | None" = None


def replay_ledger(
    session: Session,
    *,
    from_hub: bool = False,
    offline: bool = False,
    processes: int | None = None,
    listen: "Listener | None" = None,
) -> Run:
    """Replay what stands on Kafka, or what the hub serves, and compare it with the hub's head."""

    async def work(office: "Office") -> Run:
        return await _replay_office(
            session, office, from_hub=from_hub, offline=offline, processes=processes, listen=listen
        )

    return as_reader(session, work)


async def _replay_office(
    session: Session,
    office: "Office",
    *,
    from_hub: bool,
    offline: bool,
    processes: int | None,
    listen: "Listener | None",
) -> Run:
    from exchange.audit.replay import Replay
    from exchange.ledger.mark import MarkFile
    from exchange.wiring import replaying

    topic = office.home.table.log.topic
    head = None if offline and not from_hub else await office.hub.head()
    end = head.size if from_hub and head else (await replaying.topic_bounds(office.bus, topic))[1]
    with (
        replaying.verifiers(processes, end) as checked,
        session.screen.progress(_READING, total=end) as advance,
    ):
        fold = replaying.auditing_fold()
        replay = Replay(office.home.pin, fold, checked, strict=from_hub, listen=listen)
        timer = _Timer(checked.processes)
        source = (
            replaying.hub_messages(office.hub, end, advance)
            if from_hub
            else replaying.topic_messages(office.bus, topic, advance)
        )
        async for messages in source:
            replay.take(messages)
        replay.finish()
    mark = office.home.member_directory(office.member) / "ledger.mark"
    replaying.check_mark(MarkFile(mark), replay)
    if head is not None:
        check_head(replay, head.size, head.root)
    stated = None if head is None else (head.size, head.root)
    return Run(replay.result(), timer.stop(), stated=stated)


def replay_archive(
    session: Session,
    file: Path,
    *,
    pin: str,
    processes: int | None = None,
    listen: "Listener | None" = None,
) -> Run:
    """Replay an archive; no home, no key and no network is needed, only the pin."""
    from exchange.audit.archive import ArchiveReader
    from exchange.audit.replay import Replay
    from exchange.wiring import replaying

    with _opened(file) as source:
        reader = ArchiveReader(source)
        known = pin_known(session, pin, reader.header.pin)
        with (
            replaying.verifiers(processes, None if file.stat().st_size > 1 << 20 else 0) as checked,
            session.screen.progress(_READING, total=None) as advance,
        ):
            fold = replaying.auditing_fold()
            replay = Replay(known, fold, checked, strict=True, listen=listen)
            timer = _Timer(checked.processes)
            for messages in replaying.archive_messages(reader):
                replay.take(messages)
                advance(len(messages))
            replay.finish()
    return Run(replay.result(), timer.stop(), end=reader.end)


def pin_known(session: Session, pin: str, claimed: bytes) -> bytes:
    """The pin that the caller or this home names; what an archive says of itself is no pin."""
    from exchange.errors import NotFound
    from exchange.ledger.genesis import parse_pin
    from exchange.wiring.home import open_home

    if pin:
        return parse_pin(pin)
    try:
        return open_home(session.home).pin
    except NotFound:
        raise UsageError(
            "which ledger this should be is not known: there is no home here and no --pin",
            "无法确定应为哪本账本：此处没有主目录，也未给出 --pin",
            remedy=(
                f"ask the authority for the pin; if it is {claimed.hex()}, say --pin with it",
                f"请向主管部门核实创世哈希；若为 {claimed.hex()}，请用 --pin 给出",
            ),
            failure="no-pin",
        ) from None


def check_head(replay: "Replay", size: int, root: str) -> None:
    """`CheckFailed` unless the hub's head lies on the ledger that was replayed."""
    tree = replay.leaves.tree
    if size > tree.size:
        raise CheckFailed(
            f"the hub states {size} entries, {tree.size} were read",
            f"枢纽声称有 {size} 条，实际读到 {tree.size} 条",
            remedy=_COMPARE,
            failure="hub-ahead",
        )
    if tree.root(size).hex() != root:
        raise CheckFailed(
            f"the hub's root of {size} entries is not that of the entries that were read",
            f"枢纽给出的前 {size} 条的根与读到的条目不符",
            remedy=_COMPARE,
            failure="root",
        )


_COMPARE: Final = (
    "keep every copy of the topic and compare them with another member's; stop the hub",
    "请保全主题的所有副本并与其他成员比对，同时停止枢纽",
)


@contextmanager
def _opened(file: Path) -> "Iterator[BinaryIO]":
    try:
        with file.open("rb") as source:
            yield source
    except OSError as error:
        raise InputUnreadable(
            f"{file} cannot be read: {error.strerror}",
            f"无法读取 {file}：{error.strerror}",
            remedy=("name a file that was made by: exchange audit export", "请指定导出的存档文件"),
            failure="unreadable",
        ) from None


class _Timer:
    """Starts at once."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._clock, self._core = time.monotonic(), _cpu_seconds()

    def stop(self) -> Rate:
        """What passed since; the verifiers have ended by then, so their time is known."""
        return Rate(
            max(time.monotonic() - self._clock, 1e-6),
            max(_cpu_seconds() - self._core, 1e-6),
            self._processes + 1,
        )


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
