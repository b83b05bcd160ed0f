"""The ledger's topic: how it must be, and how it is begun; exchange/ledger/SPEC.md section 11."""

from typing import Final

from exchange.bus.ports import Bus, Outcome, TopicSpec
from exchange.errors import BusUnavailable, LedgerBroken
from exchange.ledger.entry import leaf_hash
from exchange.ledger.leaves import truncated

PARTITION: Final = 0
_TRIES: Final = 20
_FETCH_MS: Final = 250


def ledger_topic(name: str, *, nodes: int) -> TopicSpec:
    """The topic on a cluster of ``nodes`` brokers: safe against power loss in either case."""
    config = {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "unclean.leader.election.enable": "false",
    }
    if nodes < 3:
        # One disk: an acknowledged entry must be on it before anybody relies on the entry.
        return TopicSpec(name, 1, 1, {**config, "flush.messages": "1"})
    return TopicSpec(name, 1, 3, {**config, "min.insync.replicas": "2"})


async def begin_ledger(bus: Bus, spec: TopicSpec, genesis: bytes, *, read_before: int = 0) -> None:
    """Create the topic and put entry 0 on it. Safe to repeat with the same bytes.

    ``read_before`` is how many leaves this machine has read from it: a ledger that had any is never
    begun anew, because what is lost must be restored, not overwritten.

    Raises `LedgerBroken`: failure ``not-empty`` if the topic holds anything else already,
    ``head-gone`` if its beginning was deleted, ``truncated`` if all of it was.
    """
    await bus.ensure_topic(spec)
    producer = await bus.producer()
    try:
        for _ in range(_TRIES):
            found = await _first_message(bus, spec.name)
            if found is not None:
                return _check(found, genesis, spec.name)
            if read_before:
                raise truncated(read_before, 0, "leaves")
            produced = await producer.produce(spec.name, PARTITION, genesis)
            if produced.outcome is Outcome.NOT_WRITTEN:
                break
    finally:
        await producer.close()
    raise _unavailable(spec.name)


async def _first_message(bus: Bus, topic: str) -> bytes | None:
    """The first message; None only if the topic is empty, so that nothing is written twice."""
    place = (topic, PARTITION)
    first, end = await bus.bounds(*place)
    if first > 0:
        raise head_gone(topic, first)
    if first == end:
        return None
    consumer = await bus.consumer({place: first}, live=True)
    try:
        for _ in range(_TRIES):
            for message in await consumer.fetch(messages_max=1, wait_ms=_FETCH_MS):
                return message.value or b""
    finally:
        await consumer.close()
    raise _unavailable(topic)


def head_gone(topic: str, first: int) -> LedgerBroken:
    """Kafka has deleted what stood before offset ``first``."""
    return LedgerBroken(
        f"the beginning of topic {topic} is gone: it starts at offset {first}",
        f"主题 {topic} 的开头已丢失：现从位移 {first} 开始",
        remedy=(
            "restore the topic from a copy; its retention must be unlimited",
            "请从副本恢复该主题；其保留期须为无限",
        ),
        failure="head-gone",
    )


def _unavailable(topic: str) -> BusUnavailable:
    return BusUnavailable(
        f"entry 0 could not be written to {topic} and read back",
        f"无法向 {topic} 写入并读回创世条目",
        remedy=("look at Kafka's log, then try again", "请查看 Kafka 日志后重试"),
    )


def _check(found: bytes, genesis: bytes, topic: str) -> None:
    if leaf_hash(found) != leaf_hash(genesis):
        raise LedgerBroken(
            f"topic {topic} is not empty: it cannot become a new ledger",
            f"主题 {topic} 不为空，不能作为新账本",
            remedy=("choose another topic", "请选用其他主题"),
            failure="not-empty",
        )
