"""The sentences of the bus: each failure that a person may see, in two languages, in one place."""

from exchange.errors import BusUnavailable, NotFound, OffsetGone, TopicMisconfigured

EXPIRED = "offset-expired"
BEYOND_END = "offset-beyond-end"
DAMAGED = "CorruptRecordException"
"""aiokafka's name for a batch whose checksum does not fit."""


def bus_unavailable(bootstrap: str, cause: str) -> BusUnavailable:
    """Kafka at ``bootstrap`` does not answer; ``cause`` is a class of error, never a value."""
    if cause == DAMAGED:
        return BusUnavailable(
            f"what Kafka at {bootstrap} has stored is damaged: it fails its own checksum",
            f"{bootstrap} 的 Kafka 所存数据已损坏：未通过其自身的校验和",
            remedy=(
                "stop, keep the disk as it is, compare it with a replica or a backup, restore that",
                "请停止使用并原样保全磁盘，与副本或备份比对后恢复",
            ),
            failure="topic-damaged",
        )
    return BusUnavailable(
        f"Kafka at {bootstrap} does not answer ({cause})",
        f"无法连接 {bootstrap} 的 Kafka（{cause}）",
        remedy=(
            "start it with `exchange up`, or check EXCHANGE_KAFKA and [kafka] in exchange.toml;"
            " then try again",
            "请运行 `exchange up` 启动，或检查 EXCHANGE_KAFKA 与 exchange.toml 的 [kafka] 后重试",
        ),
    )


def partition_missing(topic: str, partition: int) -> NotFound:
    """There is no such partition."""
    return NotFound(
        f"the bus has no partition {partition} of topic {topic!r}",
        f"总线上不存在主题 {topic!r} 的分区 {partition}",
        remedy=(
            "check that EXCHANGE_KAFKA names the cluster this home was initialised with",
            "请确认 EXCHANGE_KAFKA 指向初始化时所用的集群",
        ),
        failure="topic-missing",
    )


def offset_gone(topic: str, partition: int, wanted: int, first: int, following: int) -> OffsetGone:
    """``wanted`` lies outside ``[first, following]``.

    ``failure`` is `EXPIRED` below it (retention took it) and `BEYOND_END` above it: then the
    partition was truncated, recreated or restored from a backup, and its history is not the one
    the reader knows.
    """
    place = f"{topic}[{partition}]"
    if wanted < first:
        return OffsetGone(
            f"offset {wanted} of {place} has expired; the first one kept is {first}",
            f"{place} 的位置 {wanted} 已过期，现存最早位置为 {first}",
            remedy=("ask the provider for a snapshot", "请向提供方申请快照"),
            failure=EXPIRED,
        )
    return OffsetGone(
        f"offset {wanted} of {place} lies beyond its end {following}: the topic was truncated",
        f"{place} 的位置 {wanted} 超出末尾 {following}：该主题曾被截断",
        remedy=(
            "stop and compare with the other readers; the broker lost or replaced its history",
            "请停止处理并与其他读取方核对：代理已丢失或替换历史数据",
        ),
        failure=BEYOND_END,
    )


def topic_misconfigured(topic: str, key: str, wanted: str, found: str) -> TopicMisconfigured:
    """The existing topic differs from what the bus needs, in ``key``."""
    return TopicMisconfigured(
        f"topic {topic!r} has {key}={found}, but {wanted} is needed",
        f"主题 {topic!r} 的 {key} 为 {found}，要求为 {wanted}",
        remedy=(
            f"set {key} with Kafka's own tools, or use another cluster",
            f"请用 Kafka 自带工具修改 {key}，或改用其他集群",
        ),
    )


def topic_refused(topic: str, cause: str) -> TopicMisconfigured:
    """The brokers refuse to create the topic; ``cause`` is their class of error."""
    return TopicMisconfigured(
        f"the brokers refused to create topic {topic!r} ({cause})",
        f"代理拒绝创建主题 {topic!r}（{cause}）",
        remedy=(
            "check the number of brokers, the permissions and the topic's configuration",
            "请检查代理数量、权限与主题配置",
        ),
        failure="topic-refused",
    )
