"""How the embedded Kafka node is configured: one broker that is its own controller.

Written out in full where Kafka's default would surprise: topics are never made by accident,
nothing expires unless its topic says so, the time of a message is the broker's, and a single node
keeps one copy of everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.bus.ports import TOPIC_BYTES_MAX

HOST: Final = "127.0.0.1"
HEAP: Final = ("-Xms128m", "-Xmx512m")
FAST_START: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""A node for one machine: a quick start and a small footprint before peak throughput."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the node listens, on the loopback interface."""

    broker: int
    controller: int


def properties(ports: Ports, data: Path) -> dict[str, str]:
    """``server.properties`` for a combined node that keeps its log in ``data``."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{ports.controller}",
        "listeners": f"PLAINTEXT://{HOST}:{ports.broker},CONTROLLER://{HOST}:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{ports.broker}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        **_TOPICS,
        **_ONE_NODE,
        **_SMALL,
    }


def render(settings: Mapping[str, str]) -> str:
    """A Java properties file."""
    escaped = ((key, value.replace("\\", "\\\\")) for key, value in settings.items())
    return "".join(f"{key}={value}\n" for key, value in escaped)


_TOPICS: Final = {
    "auto.create.topics.enable": "false",
    "num.partitions": "1",
    "log.message.timestamp.type": "LogAppendTime",
    "compression.type": "producer",
    "message.max.bytes": str(TOPIC_BYTES_MAX),
    "replica.fetch.max.bytes": str(TOPIC_BYTES_MAX),
    "log.cleanup.policy": "delete",
    "log.retention.ms": "-1",
    "log.retention.bytes": "-1",
    "log.segment.bytes": str(256 << 20),
}
_ONE_NODE: Final = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After kill -9 the next start must not wait for the session of the broker that died.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
}
_SMALL: Final = {
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
    "log.index.size.max.bytes": str(1 << 20),
}
