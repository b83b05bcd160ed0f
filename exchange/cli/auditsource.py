"""Where ``exchange audit replay``, ``verify`` and ``export`` take a ledger from, and how fast."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.cli.session import Session
from exchange.cli.work import as_reader
from exchange.errors import CheckFailed, InputUnreadable, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from exchange.audit.archive import End
    from exchange.audit.replay import Replay, Replayed
    from exchange.ledger.cosignature import SignedHead
    from exchange.ledger.verdict import Folded
    from exchange.wiring.office import Office

    Listener = Callable[[Folded, Replay], None]
    Finisher = Callable[[Replay, Office], Awaitable[None]]

_READING: Final = Text("replaying", "重放中")


@dataclass(frozen=True, slots=True)
class Rate:
    """How long a replay took, on the clock and in processors, of this process and its others."""

    seconds: float
    cpu_seconds: float
    processes: int


@dataclass(frozen=True, slots=True)
class Run:
    """A replay that ended well: what it found, how fast it went, what it was compared with.

    ``stated`` is the size that the hub states, ``head`` a signed checkpoint over the same tree,
    ``end`` the end of an archive.
    """

    found: "Replayed"
    rate: Rate
    stated: int | None = None
    head: "SignedHead | None" = None
    end: "End | None" = None


def replay_ledger(
    session: Session,
    *,
    from_hub: bool = False,
    processes: int | None = None,
    listen: "Listener | None" = None,
    finish: "Finisher | None" = None,
) -> Run:
    """Replay what stands on Kafka, or what the hub publishes, and compare it with the hub's head.

    ``finish`` hears of the replay, and of the office, when all of it was checked.
    """

    async def work(office: "Office") -> Run:
        return await replay_office(
            session, office, from_hub=from_hub, processes=processes, listen=listen, finish=finish
        )

    return as_reader(session, work)


async def replay_office(
    session: Session,
    office: "Office",
    *,
    from_hub: bool = False,
    offline: bool = False,
    processes: int | None = None,
    listen: "Listener | None" = None,
    finish: "Finisher | None" = None,
) -> Run:
    """The same inside an office; ``offline`` asks no hub."""
    from exchange.audit.replay import Replay
    from exchange.ledger.cosignature import verify_head
    from exchange.ledger.mark import MarkFile
    from exchange.wiring import replaying

    topic = office.home.table.log.topic
    stated = None if offline else await office.hub.head()
    head = verify_head(await office.log.checkpoint(), office.log_keys) if from_hub else None
    end = head.checkpoint.size if head else (await replaying.topic_bounds(office.bus, topic))[1]
    with (
        replaying.verifiers(processes, end) as checked,
        session.screen.progress(_READING, total=end) as advance,
    ):
        fold = replaying.auditing_fold()

        def heard(folded: "Folded") -> None:
            if listen is not None:
                listen(folded, replay)

        replay = Replay(office.home.pin, fold, checked, strict=from_hub, listen=heard)
        timer = _Timer(checked.processes)
        source = (
            replaying.log_messages(office.log, end, advance)
            if from_hub
            else replaying.topic_messages(office.bus, topic, advance)
        )
        async for messages in source:
            replay.take(messages)
        replay.finish()
    mark = office.home.member_directory(office.member) / "ledger.mark"
    replaying.check_mark(MarkFile(mark), replay, of_topic=not from_hub)
    if head is not None:
        check_head(replay, end, head.checkpoint.root.hex())
    elif stated is not None:
        check_head(replay, stated.size, stated.root)
    if finish is not None:
        await finish(replay, office)
    size = stated.size if stated is not None and head is None else None
    return Run(replay.result(), timer.stop(), stated=size, head=head)


def replay_log(session: Session, where: str, *, pin: str, processes: int | None = None) -> Run:
    """Replay a published log that a folder or a web server holds; no key is needed."""
    from exchange.audit.replay import Replay
    from exchange.ledger.checkpoint import parse_checkpoint
    from exchange.ledger.logreader import LogReader
    from exchange.ledger.note import parse_note
    from exchange.wiring import replaying
    from exchange.wiring.logsource import open_source

    known = pin_known(session, pin, None)

    async def run() -> Run:
        source = open_source(where)
        try:
            reader = LogReader(source)
            note = await reader.checkpoint()
            claimed = parse_checkpoint(parse_note(note).text).size
            with (
                replaying.verifiers(processes, claimed) as checked,
                session.screen.progress(_READING, total=claimed) as advance,
            ):
                replay = Replay(known, replaying.auditing_fold(), checked, strict=True)
                timer = _Timer(checked.processes)
                async for messages in replaying.log_messages(reader, claimed, advance):
                    replay.take(messages)
                replay.finish()
        finally:
            await source.close()
        (head,) = signed_heads((note,), replay)
        return Run(replay.result(), timer.stop(), head=head)

    return asyncio.run(run())


def replay_archive(session: Session, file: Path, *, pin: str, processes: int | None = None) -> Run:
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
            replay = Replay(known, replaying.auditing_fold(), checked, strict=True)
            timer = _Timer(checked.processes)
            for messages in replaying.archive_messages(reader):
                replay.take(messages)
                advance(len(messages))
            replay.finish()
    heads = signed_heads(reader.end.checkpoints if reader.end else (), replay)
    return Run(replay.result(), timer.stop(), head=heads[-1] if heads else None, end=reader.end)


def signed_heads(notes: "Sequence[bytes]", replay: "Replay") -> "list[SignedHead]":
    """The heads in ``notes``: each signed by a hub of this ledger, and a head of its tree.

    Raises `NoteRefused`, `CheckFailed`.
    """
    from exchange.audit.published import check_checkpoint
    from exchange.wiring.hublog import keys_of_log

    if not notes or replay.root is None:
        return []
    keys = keys_of_log(replay.root)
    return [check_checkpoint(note, keys, replay.leaves.tree) for note in notes]


def pin_known(session: Session, pin: str, claimed: bytes | None) -> bytes:
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
            remedy=_ask_for_pin(claimed),
            failure="no-pin",
        ) from None


def _ask_for_pin(claimed: bytes | None) -> tuple[str, str]:
    if claimed is None:
        return (
            "ask the authority for the pin, and say --pin",
            "请向主管部门核实创世哈希，并用 --pin 给出",
        )
    return (
        f"ask the authority for the pin; if it is {claimed.hex()}, say --pin with it",
        f"请向主管部门核实创世哈希；若为 {claimed.hex()}，请用 --pin 给出",
    )


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
