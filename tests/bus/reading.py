"""Short words for what every test of the bus does."""

import asyncio

from exchange.bus.ports import Bus, Consumer, Message, Outcome, Produced, Producer


async def read(consumer: Consumer, count: int, *, wait_ms: int = 10_000) -> list[Message]:
    """The next ``count`` messages, or those that came before ``wait_ms`` of silence."""
    found: list[Message] = []
    while len(found) < count:
        more = await consumer.fetch(messages_max=count - len(found), wait_ms=wait_ms)
        if not more:
            break
        found += more
    return found


async def read_all(bus: Bus, topic: str, partition: int = 0) -> list[Message]:
    """Everything on a partition."""
    first, following = await bus.bounds(topic, partition)
    consumer = await bus.consumer({(topic, partition): first}, live=False)
    found: list[Message] = []
    while consumer.positions()[topic, partition] < following:
        found += await consumer.fetch(messages_max=1_000, wait_ms=1_000)
    await consumer.close()
    return found


async def produce_all(
    producer: Producer, topic: str, values: list[bytes], partition: int = 0
) -> list[Produced]:
    """Produce all at once; outcomes in order."""
    return await asyncio.gather(*(producer.produce(topic, partition, v) for v in values))


def outcomes(produced: list[Produced]) -> set[Outcome]:
    """The different outcomes among ``produced``."""
    return {one.outcome for one in produced}
