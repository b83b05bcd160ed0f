"""Where ``exchange audit replay``, ``verify`` and ``export`` take a ledger from, and how fast."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.cli.auditground import (
    begun,
    check_claims,
    check_head,
    newest_head,
    no_checkpoint,
    pin_known,
    policy_known,
    signed_heads,
)
from exchange.cli.session import Session
from exchange.cli.work import as_reader
from exchange.errors import InputUnreadable
from exchange.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from exchange.audit.archive import End
    from exchange.audit.replay import Replay, Replayed
    from exchange.ledger.cosignature import SignedHead
    from exchange.ledger.policy import Policy, Witnessed
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
    ``end`` the end of an archive, ``witnessed`` that head if a policy's quorum cosigned it,
    ``tiles`` how many tiles of hashes were compared with the entries.
    """

    found: "Replayed"
    rate: Rate
    stated: int | None = None
    head: "SignedHead | None" = None
    end: "End | None" = None
    witnessed: "Witnessed | None" = None
    tiles: int | None = None


def replay_ledger(
    session: Session,
    *,
    from_hub: bool = False,
    processes: int | None = None,
    policy: "Policy | None" = None,
) -> Run:
    """Replay what stands on Kafka, or what the hub publishes, and compare it with its head."""

    async def work(office: "Office") -> Run:
        return await replay_office(
            session, office, from_hub=from_hub, processes=processes, policy=policy
        )

    return as_reader(session, work)


async def replay_office(
    session: Session,
    office: "Office",
    *,
    from_hub: bool = False,
    offline: bool = False,
    processes: int | None = None,
    policy: "Policy | None" = None,
    held_to: "tuple[SignedHead, Witnessed | None] | None" = None,
    listen: "Listener | None" = None,
    finish: "Finisher | None" = None,
) -> Run:
    """The same inside an office; ``offline`` asks no hub, ``policy`` wants a cosigned head.

    ``held_to`` is a head that was fetched before, and who cosigned it. ``finish`` hears of the
    replay, and of the office, when all of it was checked.
    """
    from exchange.audit.replay import Replay
    from exchange.audit.tilecheck import check_tiles
    from exchange.ledger.mark import MarkFile
    from exchange.wiring import replaying

    topic = office.home.table.log.topic
    stated = None if offline else await office.hub.head()
    wanted = from_hub or policy is not None
    head, witnessed = await newest_head(office, policy) if wanted else held_to or (None, None)
    end = (await replaying.topic_bounds(office.bus, topic))[1]
    if head is not None and from_hub:
        end = head.checkpoint.size
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
    rate = timer.stop()
    if head is not None:
        check_head(replay, head.checkpoint.size, head.checkpoint.root.hex())
    if stated is not None and not from_hub:
        check_head(replay, stated.size, stated.root)
    tiles = await check_tiles(office.log, replay.leaves.tree) if from_hub else None
    if finish is not None:
        await finish(replay, office)
    size = stated.size if stated is not None and not from_hub else None
    return Run(replay.result(), rate, stated=size, head=head, witnessed=witnessed, tiles=tiles)


def replay_log(
    session: Session,
    where: str,
    *,
    pin: str,
    processes: int | None = None,
    policy: Path | None = None,
) -> Run:
    """Replay a published log that a folder or a web server holds; no key is needed.

    Its tiles of hashes are compared with what the entries give, every one.
    """
    from exchange.audit.replay import Replay
    from exchange.audit.tilecheck import check_tiles
    from exchange.ledger.checkpoint import parse_checkpoint
    from exchange.ledger.logreader import LogReader
    from exchange.ledger.note import parse_note
    from exchange.ledger.policy import check_quorum
    from exchange.wiring import replaying
    from exchange.wiring.logsource import open_source

    known = pin_known(session, pin, None)
    demanded = policy_known(session, known, policy)

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
            rate = timer.stop()
            begun(replay)
            tiles = await check_tiles(reader, replay.leaves.tree)  # names the entry of a fork
            (head,) = signed_heads((note,), replay)
        finally:
            await source.close()
        witnessed = check_quorum(head, demanded) if demanded is not None else None
        return Run(replay.result(), rate, head=head, witnessed=witnessed, tiles=tiles)

    return asyncio.run(run())


def replay_archive(
    session: Session,
    file: Path,
    *,
    pin: str,
    processes: int | None = None,
    policy: Path | None = None,
) -> Run:
    """Replay an archive; no home, no key and no network is needed, only the pin.

    With a policy, the newest checkpoint in it must have the quorum's cosignatures.
    """
    from exchange.audit.archive import ArchiveReader
    from exchange.audit.replay import Replay
    from exchange.ledger.policy import check_quorum
    from exchange.wiring import replaying

    with _opened(file) as source:
        reader = ArchiveReader(source)
        known = pin_known(session, pin, reader.header.pin)
        demanded = policy_known(session, known, policy)
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
        rate = timer.stop()
    check_claims(reader.header, replay)
    heads = signed_heads(reader.end.checkpoints if reader.end else (), replay)
    head = max(heads, key=lambda one: one.checkpoint.size, default=None)
    if demanded is not None and head is None:
        raise no_checkpoint()
    witnessed = check_quorum(head, demanded) if demanded is not None and head else None
    return Run(replay.result(), rate, head=head, end=reader.end, witnessed=witnessed)


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
