"""Compares a topic as it is with the topic as it must be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.bus.failures import topic_misconfigured
from exchange.bus.ports import TopicSpec


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the brokers describe it. ``replicas`` is that of its poorest partition."""

    partitions: int
    replicas: int
    config: Mapping[str, str]


def found_topic(
    partitions: Sequence[Mapping[str, Any]], entries: Iterable[tuple[str, str]]
) -> FoundTopic:
    """From Kafka's description: ``replicas`` of each partition, pairs of key and value."""
    poorest = min(len(partition["replicas"]) for partition in partitions)
    return FoundTopic(len(partitions), poorest, dict(entries))


def check_topic(spec: TopicSpec, found: FoundTopic) -> None:
    """Raise `TopicMisconfigured` for the first difference that matters.

    The number of partitions must match exactly, because a message's place is agreed on the
    ledger; more replicas than wanted are fine; every wanted configuration value must be the
    actual one, wherever it comes from (topic, broker, or Kafka's default).
    """
    if found.partitions != spec.partitions:
        raise topic_misconfigured(
            spec.name, "partitions", str(spec.partitions), str(found.partitions)
        )
    if found.replicas < spec.replicas:
        raise topic_misconfigured(
            spec.name, "replication.factor", str(spec.replicas), str(found.replicas)
        )
    for key, wanted in sorted(spec.config.items()):
        actual = found.config.get(key, "(unknown key)")
        if actual != wanted:
            raise topic_misconfigured(spec.name, key, wanted, actual)
