"""Which Kafka a home uses: the environment's, the configuration's, or its own embedded node."""

from typing import Final

from exchange.bus.fetch import Progress
from exchange.bus.local import LocalKafka
from exchange.bus.ports import TOPIC_BYTES_MAX, TopicSpec
from exchange.errors import BusUnavailable
from exchange.registry.rows import Dataset
from exchange.wiring.home import Home
from exchange.wiring.settings import Settings

REPLICAS: Final = 3
"""Copies of a topic on a cluster; the embedded node keeps one."""
_DAY_MS: Final = 86_400_000


def is_embedded(home: Home, settings: Settings) -> bool:
    """Whether this home runs its own Kafka."""
    return not (settings.kafka or home.table.kafka.bootstrap)


def embedded(home: Home, progress: Progress | None = None) -> LocalKafka:
    """The home's own node, running or not."""
    if progress is None:
        return LocalKafka(home.kafka_directory)
    return LocalKafka(home.kafka_directory, progress=progress)


def bootstrap_of(home: Home, settings: Settings) -> str:
    """``host:port[,…]`` to connect to; `BusUnavailable` if the embedded node is not running."""
    named = settings.kafka or home.table.kafka.bootstrap
    if named:
        return named
    running = embedded(home).running()
    if running is None:
        raise BusUnavailable(
            "the Kafka of this home is not running",
            "本主目录的 Kafka 未运行",
            remedy=("start it with: exchange up", "请先执行：exchange up"),
            failure="kafka-down",
        )
    return running.bootstrap


def data_topic(dataset: Dataset, retention_days: int, *, replicas: int) -> TopicSpec:
    """The topic of a dataset: retained, never compacted (decision 1)."""
    return TopicSpec(
        name=dataset.topic,
        partitions=dataset.partitions,
        replicas=replicas,
        config={
            "cleanup.policy": "delete",
            "retention.ms": str(retention_days * _DAY_MS),
            "retention.bytes": "-1",
            "max.message.bytes": str(TOPIC_BYTES_MAX),
            "compression.type": "producer",
        },
    )
