"""The story of the demo, scene by scene. Each scene does what the commands do, then checks it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from exchange.cli import demotexts as texts
from exchange.cli.demolife import LEVELS, MATTER, ask
from exchange.cli.demostage import (
    AUDITOR,
    AUTHORITY,
    CITY,
    CITY_NAME,
    CIVIL,
    EXAMS,
    HUMAN,
    NAMES,
    RESULTS,
    VILLAGES,
    Stage,
    cast,
    demo_file,
    exam_rows,
    stored_rows,
    village_rows,
    write_csv,
)
from exchange.errors import NotFound

if TYPE_CHECKING:
    from exchange.audit.reads import Read
    from exchange.audit.record import Record
    from exchange.audit.verify import Examined
    from exchange.bus.ports import Message
    from exchange.flow.report import Report
    from exchange.wiring.passphrase import Passphrase
    from exchange.wiring.settings import Settings

Enter = Callable[[str], Awaitable[None]]
"""Opens the office of a member for the rest of the story."""
CORRECTED: Final = 500
"""Records in the bundle that is sealed after the revocation, and in the one tampered with."""
_POLL_S: Final = 0.1


async def enrol(stage: Stage, passphrase: "Passphrase", settings: "Settings", enter: Enter) -> None:
    """The authority enrols three departments and an auditor; each opens its office."""
    from exchange.wiring.enrol import enrol_member

    stage.open_scene(texts.ENROLLING)
    await enter(AUTHORITY)
    word = stage.screen.word
    stage.tell(texts.AUTHORITY, name=word(NAMES[AUTHORITY]), member=AUTHORITY)
    for newcomer in cast():
        member = newcomer.member
        admitted = await enrol_member(stage.offices[AUTHORITY], newcomer, passphrase, settings)
        await enter(member)
        name = word(NAMES[member])
        stage.tell(texts.ENROLLED, name=name, member=member, index=admitted.index)


async def publish_register(stage: Stage) -> None:
    """Civil Affairs publishes the real register."""
    stage.open_scene(texts.PUSHING_A)
    expected = len(village_rows()["code"])
    with demo_file("villages-33.csv.gz") as path:
        accepted = await _push(stage, CIVIL, VILLAGES, str(path), total=expected)
    stage.must(accepted == expected, texts.PUSHING_A, f"{accepted}/{expected}")
    stage.tell(texts.PUSHED, records=f"{accepted:,}")


async def receive_register(stage: Stage) -> None:
    """Human Resources is granted the register by asking, and receives it whole."""
    stage.open_scene(texts.AT_ONCE)
    grant, rules = await ask(stage, VILLAGES, replace(MATTER, purpose="verification"), ("all",))
    stage.must(grant is not None, texts.AT_ONCE, "no grant")
    stage.grants[VILLAGES] = grant or b""
    stage.tell(texts.GRANTED_AT_ONCE, grant=stage.grants[VILLAGES].hex()[:12], rules=rules)
    report = await pull(stage, VILLAGES)
    names, rows = await asyncio.to_thread(stored_rows, stage.received(VILLAGES), VILLAGES)
    source = village_rows()
    same = rows == sorted(zip(*(source[name] for name in names), strict=True))
    stage.must(same and report.whole, texts.AT_ONCE, f"{len(rows)} rows")
    stage.tell(texts.RECEIVED, records=f"{report.records:,}", rows=f"{len(rows):,}")


async def publish_results(stage: Stage) -> None:
    """The Examination Authority publishes generated results."""
    stage.open_scene(texts.PUSHING_B)
    file = write_csv(stage.folder / EXAMS / "exam-results.csv", stage.exam_columns)
    accepted = await _push(stage, EXAMS, RESULTS, str(file), total=stage.records)
    stage.must(accepted == stage.records, texts.PUSHING_B, f"{accepted}/{stage.records}")
    stage.tell(texts.PUSHED, records=f"{accepted:,}")


async def receive_exactly(stage: Stage) -> None:
    """What arrives is exactly what was granted, compared with the source."""
    report = await pull(stage, RESULTS)
    names, rows = await asyncio.to_thread(stored_rows, stage.received(RESULTS), RESULTS)
    contract = stage.contracts[RESULTS]
    granted = [name for level in LEVELS for name in contract.fields_of(level)]
    stage.must(list(names) == granted and report.whole, texts.PARTLY, ", ".join(names))
    expected = exam_rows(stage.exam_columns, granted, CITY)
    stage.must(rows == expected, texts.PARTLY, f"{len(rows)}/{len(expected)} rows")
    stage.tell(
        texts.EXACTLY,
        records=f"{len(rows):,}",
        all=f"{stage.records:,}",
        fields=len(names),
        all_fields=len(contract.fields),
        region=stage.screen.word(CITY_NAME),
    )


async def revoke_and_try(stage: Stage) -> None:
    """A bundle sealed after the revocation does not open."""
    from exchange.wiring import applications

    stage.open_scene(texts.REVOKING)
    admitted = await applications.revoke(
        stage.offices[EXAMS], stage.grants[RESULTS], reason="演示：核验工作结束"
    )
    stage.tell(texts.REVOKED, index=admitted.index)
    in_city = [row for row, city in enumerate(stage.exam_columns["city"]) if city == CITY]
    chosen = {
        name: [values[row] for row in in_city[:CORRECTED]]
        for name, values in stage.exam_columns.items()
    }
    file = write_csv(stage.folder / EXAMS / "corrections.csv", chosen)
    await _push(stage, EXAMS, RESULTS, str(file), total=len(chosen["ticket"]))
    before = await asyncio.to_thread(stored_rows, stage.received(RESULTS), RESULTS)
    report = await pull(stage, RESULTS)
    after = await asyncio.to_thread(stored_rows, stage.received(RESULTS), RESULTS)
    rules = sorted({rule for halt in report.halted.values() for rule in halt.rules})
    closed = report.records == 0 and before == after and "REV-01" in rules
    stage.must(closed, texts.REVOKING, f"{report.records} records, {rules}")
    stage.tell(texts.CLOSED, rules=", ".join(rules))


async def tamper(stage: Stage) -> None:
    """One changed byte makes a bundle nobody's; the genuine ones are delivered all the same."""
    stage.open_scene(texts.TAMPERING)
    source = village_rows()
    update = {name: values[:CORRECTED] for name, values in source.items()}
    file = write_csv(stage.folder / CIVIL / "update.csv", update)
    accepted = await _push(stage, CIVIL, VILLAGES, str(file), total=CORRECTED)
    await _attack(stage)
    report = await pull(stage, VILLAGES)
    refused = sum(report.ignored.values())
    stage.must(
        refused == 1 and report.records == accepted and report.whole,
        texts.TAMPERING,
        f"{report.ignored}, {report.records} records",
    )
    stage.tell(texts.TAMPERED, failure=", ".join(report.ignored), records=report.records)


async def audit(stage: Stage) -> "tuple[Record, list[Read], Examined]":
    """The auditor reads the whole ledger itself, and compares it with the hub's word."""
    from exchange.audit.reads import reads
    from exchange.audit.record import Record
    from exchange.audit.verify import Survey, examine

    stage.open_scene(texts.AUDITING)
    office = stage.offices[AUDITOR]
    head = await office.hub.head()
    record, survey = Record(), Survey()
    office.view.listen(record.take)
    office.view.listen(survey.take)
    office.view.scrutinise()
    registry = await office.registry()
    found = examine(office.view.follower, survey, registry, hub=(head.size, head.root))
    told = {rule for row in record.refusals() for rule in row.all_rules}
    stage.must(
        {"DUTY-01", "OBL-01", "FEE-01", "REV-01"} <= told, texts.AUDITING, ", ".join(sorted(told))
    )
    used = reads(record.rows, registry)
    stage.must(all(not read.unreceipted for read in used), texts.AUDITING, "receipts")
    return record, used, found


async def _attack(stage: Stage) -> None:
    """Take the newest bundle off the topic, change one byte, put it back: no key is needed."""
    office = stage.offices[CIVIL]
    dataset = office.view.registry.datasets[VILLAGES]
    newest: Message | None = None
    for partition in range(dataset.partitions):
        first, end = await office.bus.bounds(dataset.topic, partition)
        if first == end:
            continue
        consumer = await office.bus.consumer({(dataset.topic, partition): end - 1}, live=True)
        for message in await consumer.fetch(messages_max=1, wait_ms=5_000):
            if newest is None or message.timestamp_ms > newest.timestamp_ms:
                newest = message
        await consumer.close()
    if newest is None or newest.value is None:
        raise NotFound("the topic is empty", "主题中没有消息", failure="no-bundle")
    forged = bytearray(newest.value)
    forged[len(forged) // 2] ^= 0x01
    producer = await office.bus.producer()
    await producer.produce(newest.topic, newest.partition, bytes(forged))
    await producer.close()


async def _push(stage: Stage, member: str, dataset: str, file: str, *, total: int) -> int:
    from exchange.cli.push import push_file

    with stage.screen.progress(texts.SEALING, total=total) as advance:
        done = await push_file(stage.offices[member], dataset, file, advance=advance)
    stage.pushed += done.accepted
    return done.accepted


async def pull(stage: Stage, dataset: str) -> "Report":
    """Deliver ``dataset`` into the database of Human Resources."""
    from exchange.wiring.adapters import Target
    from exchange.wiring.transfer import find_subscription, open_subscriber

    office = stage.offices[HUMAN]
    entitled = await find_subscription(office, stage.grants[dataset])
    target = Target("sqlite", str(stage.received(dataset)))
    async with open_subscriber(office, entitled, target) as subscriber:
        with stage.screen.progress(texts.OPENING, total=None) as advance:
            running = asyncio.create_task(subscriber.run(follow=False))
            seen = 0
            while not running.done():
                await asyncio.wait({running}, timeout=_POLL_S)
                advance(subscriber.report.records - seen)
                seen = subscriber.report.records
            report = await running
    stage.note_pull(report)
    return report
