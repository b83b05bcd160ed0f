"""What an act comes to, before the rules are asked: questions for the engine, or a denial.

Each kind of act has one ``examine_…`` function, which takes the body and an `Asked` and returns a
`Case` or a `Denied`. Pure; a denial is a value with its rule and its reason, never an exception.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from exchange.model.actcodec import Body
from exchange.model.text import Text
from exchange.registry import facts
from exchange.registry.busrules import STATE
from exchange.registry.lawbook import Lawbook
from exchange.registry.state import Registry
from exchange.registry.terms import Law
from policies.facts import ContextValue, MemberFacts, Question, Resource


@dataclass(frozen=True, slots=True)
class Denied:
    """A refusal under a rule of the bus."""

    rule: str
    why: Text


Pending = Callable[[], Question]
"""A question that is put together only if it has to be asked: where a verdict is carried, the many
questions of a key request never are."""


@dataclass(frozen=True, slots=True)
class Case:
    """Questions, all of which must be permitted; for a key request one an item instead.

    ``until_ms`` is the instant from which a permit would no longer hold, apart from the act's own
    expiry.
    """

    questions: tuple[Question | Pending | Denied, ...]
    until_ms: int | None = None
    itemised: bool = False


class Spoken(Protocol):
    """An act: an authentic one in a fold, one that nobody signed where somebody only asks."""

    @property
    def id(self) -> bytes:
        """SHA-256 of what is signed, 32 bytes; empty for one that nobody signed."""

    @property
    def kid(self) -> bytes:
        """The key that signed it."""

    @property
    def kind(self) -> str:
        """Its name on the ledger."""

    @property
    def member(self) -> str:
        """Who speaks."""

    @property
    def instance(self) -> str | None:
        """Which adapter of it; None for its officers."""

    @property
    def body(self) -> Body | None:
        """What it says; always there in a fold."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An authentic act and the state it meets. ``at_ms`` is ledger time at its position.

    ``law`` gives the rule set in force, to the few acts that need more of it than a verdict;
    ``book`` opens rule sets that are to be adopted.
    """

    act: Spoken
    registry: Registry
    at_ms: int
    law: Callable[[], Law]
    book: Lawbook

    @property
    def actor(self) -> MemberFacts:
        """The member that signed."""
        return facts.member_facts(self.registry.members[self.act.member])

    def question(
        self,
        resource: Resource,
        related: tuple[Resource, ...] = (),
        **context: ContextValue,
    ) -> Question:
        """The question about this act; ledger time is in every context."""
        context["time"] = self.at_ms
        return Question(self.act.kind, self.actor, resource, related, context)


def nothing_there(en: str, zh: str) -> Denied:
    """What the act names is not on the ledger, or does not stand as it must."""
    return Denied(STATE, Text(en, zh))
