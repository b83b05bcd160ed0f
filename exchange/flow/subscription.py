"""What a grant entitles a reader to, worked out from the ledger's state. Pure."""

from dataclasses import dataclass
from typing import get_args

from exchange.errors import NotFound, UsageError
from exchange.model.acttypes import Level
from exchange.model.contract import Contract
from exchange.model.regions import contains
from exchange.registry.rows import Grant, Stream
from exchange.registry.state import Registry


@dataclass(frozen=True, slots=True)
class Subscription:
    """One grant, the contract it was given for, and the levels it covers whole."""

    grant: Grant
    contract: Contract
    levels: tuple[Level, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that arrive, in contract order."""
        covered = {name for level in self.levels for name in self.contract.fields_of(level)}
        return tuple(name for name in self.contract.names if name in covered)

    def covers(self, stream: Stream) -> bool:
        """Whether records of ``stream`` are within the grant's dataset and regions."""
        return stream.dataset == self.grant.dataset and any(
            contains(region, stream.region) for region in self.grant.regions
        )

    def covers_period(self, from_ms: int, to_ms: int) -> bool:
        """Whether an epoch lies wholly within the period of the grant."""
        return self.grant.from_ms <= from_ms and to_ms <= self.grant.to_ms


def subscription(registry: Registry, grant: bytes, member: str) -> Subscription:
    """The subscription under ``grant`` of ``member``.

    Raises NotFound for a grant the ledger does not hold or another member's. A revoked or expired
    grant is no error here: the hub says so, on the record, when keys are asked for.
    """
    row = registry.grants.get(grant)
    if row is None or row.consumer != member:
        raise NotFound(
            f"{member} holds no grant {grant.hex()[:16]}",
            f"{member} 没有授权 {grant.hex()[:16]}",
            remedy=("see: exchange grant list", "请查看：exchange grant list"),
            failure="grant",
        )
    encoded = registry.contracts.get(row.contract_hash)
    if encoded is None:
        raise NotFound(
            f"the contract of grant {grant.hex()[:16]} is not on the ledger",
            f"账本上没有授权 {grant.hex()[:16]} 所依据的合约",
            remedy=("see: exchange audit verify", "请运行：exchange audit verify"),
            failure="contract",
        )
    contract = Contract.decode(encoded)
    granted = set(row.fields)
    levels = tuple(
        level
        for level in get_args(Level)
        if (fields := contract.fields_of(level)) and granted.issuperset(fields)
    )
    if contract.key_section.level not in levels:
        raise UsageError(
            f"grant {grant.hex()[:16]} lacks the key fields of {row.dataset}",
            f"授权 {grant.hex()[:16]} 不包含 {row.dataset} 的主键字段",
            remedy=(
                f"apply for the fields {', '.join(contract.key_section.fields)} as well",
                f"请同时申请字段 {', '.join(contract.key_section.fields)}",
            ),
            failure="key-section",
        )
    return Subscription(row, contract, levels)
