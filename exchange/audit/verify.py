"""Whether the ledger that an auditor has read is whole, and the one the hub speaks of. Pure."""

from dataclasses import dataclass

from exchange.audit.published import Agreed
from exchange.errors import CheckFailed
from exchange.ledger.follower import Follower
from exchange.ledger.verdict import Folded
from exchange.registry.state import Registry


@dataclass(frozen=True, slots=True)
class Examined:
    """What a whole reading found.

    ``rejudged`` are entries whose hub's verdict did not hold where they came to stand (another
    entry was faster); ``void`` ones have no effect; ``junk`` is no entry.
    """

    entries: int
    root: bytes
    time_ms: int
    members: int
    grants: int
    denials: int
    rejudged: int
    void: int
    junk: dict[str, int]
    hub_size: int
    """Entries the hub states; -1 if no hub was asked."""
    published: Agreed | None = None
    """The signed head that the hub serves and that this reading has too; None if not asked."""


class Survey:
    """Counts entries as they are folded, and keeps none: a ledger may be long."""

    def __init__(self) -> None:
        self.denials = 0
        self.rejudged = 0
        self.void = 0
        self.lied: tuple[str, int] | None = None
        """The first hub that gave a verdict that the rules do not give, and where."""

    def take(self, folded: Folded) -> None:
        """Note the next leaf."""
        if not folded.fresh:
            self.void += 1
            return
        self.denials += not folded.permit or bool(folded.refused_items)
        self.rejudged += not folded.carried
        if folded.disputed and self.lied is None:
            self.lied = (folded.entry.statement.hub, folded.index)


def examine(
    follower: Follower, survey: Survey, registry: Registry, *, hub: tuple[int, str] | None
) -> Examined:
    """The findings, if the hub's head (size, root in hex) fits what was read; else `CheckFailed`.

    The follower has verified every signature and stopped at anything that contradicts the pin. A
    verdict that a hub carried counts in every fold while its footprint holds (the ledger's SPEC.md,
    section 7), so a fold that scrutinises has asked the rules about each of them as well.
    """
    if survey.lied is not None:
        raise disputed(*survey.lied)
    if hub is not None:
        size, root = hub
        if size > follower.size:
            raise _differs(
                f"the hub states {size} entries, Kafka holds {follower.size}",
                f"枢纽声称有 {size} 条，Kafka 上只有 {follower.size} 条",
                "hub-ahead",
            )
        if follower.leaves.tree.root(size).hex() != root:
            raise _differs(
                f"the hub's root of {size} entries is not that of the entries on Kafka",
                f"枢纽给出的前 {size} 条的根与 Kafka 上的条目不符",
                "root",
            )
    return Examined(
        entries=follower.size,
        root=follower.root(),
        time_ms=registry.time_ms,
        members=len(registry.members),
        grants=len(registry.grants),
        denials=survey.denials,
        rejudged=survey.rejudged,
        void=survey.void,
        junk=dict(follower.leaves.junk),
        hub_size=-1 if hub is None else hub[0],
    )


def disputed(hub: str, index: int) -> CheckFailed:
    """A hub wrote down a verdict that the rules do not give."""
    return _differs(
        f"hub {hub} gave entry {index} a verdict that the rules do not give",
        f"枢纽 {hub} 对第 {index} 条给出的裁决与规则不符",
        "verdict",
    )


def _differs(en: str, zh: str, failure: str) -> CheckFailed:
    return CheckFailed(
        f"the ledger does not verify: {en}",
        f"账本核验未通过：{zh}",
        remedy=(
            "keep every copy of the topic and compare them with another member's; stop the hub",
            "请保全主题的所有副本并与其他成员比对，同时停止枢纽",
        ),
        failure=failure,
    )
