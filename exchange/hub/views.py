"""What the doors read of a running hub: its members, its ledger, its readiness."""

from pathlib import Path

from exchange.errors import NotFound, RuleRefused
from exchange.hub.parts import Head, Published
from exchange.hub.readiness import Readiness, Step
from exchange.model.text import Text
from exchange.registry.facts import member_facts
from exchange.wiring.hub import OpenHub
from exchange.wiring.hubkeys import CUSTODY_FILE
from policies.facts import LogFacts, Question


class LedgerMembers:
    """`exchange.hub.parts.KnowsMembers` over the registry and the rules in force."""

    def __init__(self, hub: OpenHub) -> None:
        self._hub = hub

    def signing_key(self, member: str, instance: str) -> bytes | None:
        """See `KnowsMembers`."""
        return self._hub.registry.signing_key(member, instance)

    def is_authority(self, member: str) -> bool:
        """See `KnowsMembers`."""
        return member == self._hub.registry.authority

    def check_may_read(self, member: str, now_ms: int) -> None:
        """See `KnowsMembers`."""
        registry = self._hub.registry
        question = Question(
            action="ledger.read",
            principal=member_facts(registry.members[member]),
            resource=LogFacts(registry.origin),
            context={"time": max(now_ms, registry.time_ms)},
        )
        answer = self._hub.fold.engine.decide(question)
        if not answer.permit:
            raise RuleRefused(
                f"{member} may not read the ledger: {', '.join(answer.rules)}",
                f"{member} 不得读取账本：{', '.join(answer.rules)}",
                rules=answer.rules,
                remedy=(
                    f"see: exchange rules explain {answer.rules[0]}",
                    f"请查看：exchange rules explain {answer.rules[0]}",
                ),
            )


class LedgerPages:
    """`exchange.hub.parts.ReadsLedger` over the hub's follower."""

    def __init__(self, hub: OpenHub) -> None:
        self._hub = hub

    def head(self) -> Head:
        """See `ReadsLedger`."""
        follower = self._hub.follower
        return Head(follower.size, follower.root(), self._hub.registry.time_ms)

    async def entries(self, first: int, *, count_max: int, bytes_max: int) -> list[bytes]:
        """See `ReadsLedger`."""
        follower = self._hub.follower
        return await follower.entries(first, count_max=count_max, bytes_max=bytes_max)


class PublishedLog:
    """`exchange.hub.parts.ServesLog` over the hub's sealer and its files."""

    def __init__(self, hub: OpenHub) -> None:
        self._hub = hub

    def serve(self, path: str) -> bytes:
        """See `ServesLog`."""
        return self._hub.log.serve(path)

    def published(self) -> Published | None:
        """See `ServesLog`."""
        sealer = self._hub.sealer
        if sealer.signed is None:
            return None
        return Published(
            entries=sealer.published_size,
            unsealed=max(0, self._hub.follower.size - sealer.published_size),
            age_ms=max(0, self._hub.clock.now_ms() - sealer.published_ms),
            cosignatures_missing=sealer.cosignatures_missing,
        )


def readiness_of(hub: OpenHub) -> Readiness:
    """The steps a hub needs, in the order in which they build on each other."""

    async def custody() -> None:
        file = hub.home.hub_directory / CUSTODY_FILE
        if not file.is_file():
            raise _custody_gone(file)

    async def kafka() -> None:
        await hub.bus.ready()

    async def ledger() -> None:
        hub.check_open()
        await hub.follower.catch_up()

    async def rules() -> None:
        _ = hub.fold.engine  # raises where the law in force is unknown to this program

    async def log() -> None:
        if hub.sealer.trouble is not None:
            raise hub.sealer.trouble

    steps = (
        Step("custody", Text("key custody", "密钥库"), custody),
        Step("kafka", Text("Kafka", "消息服务器"), kafka),
        Step("ledger", Text("ledger", "账本"), ledger),
        Step("rules", Text("rules", "规则"), rules),
        Step("clock", Text("clock", "时钟"), hub.appender.check_clock),
        Step("log", Text("published log", "公开日志"), log),
    )
    return Readiness(steps, now_s=lambda: hub.clock.monotonic_ms() / 1000)


def _custody_gone(file: Path) -> NotFound:
    """The hub still holds its keys in memory; it would not start again, nor make new ones."""
    return NotFound(
        f"{file} is gone",
        f"{file} 已不存在",
        remedy=(
            "restore it from a backup before this hub stops: exchange keys restore",
            "请在枢纽停止前从备份恢复：exchange keys restore",
        ),
        failure="custody-gone",
    )
