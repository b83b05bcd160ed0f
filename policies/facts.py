"""What a question to the rules is made of, and what an answer is.

Plain frozen values: whoever asks fills them from its own state (the registry does), the engine
turns the few that a question reaches into Cedar entities. A policy sees nothing else: no clock, no
I/O. Times are milliseconds since the epoch and stand in the context because the asker owns time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ContextValue = bool | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """An organisation. ``kind``: department, authorised, authority, auditor, enterprise, person."""

    id: str
    kind: str
    active: bool


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """A dataset as proposed or published. ``sharing``: unconditional, conditional, refused.

    ``secrecy``: none, work (工作秘密), state (国家秘密).
    ``status``: proposed, published, withdrawn.
    ``library``: the base library it belongs to, or "". ``conditions``: all that may be imposed.
    ``reflow``: whether places below its provider's may read back their own rows.
    """

    id: str
    provider: str
    sharing: str
    secrecy: str
    status: str
    library: str = ""
    conditions: tuple[str, ...] = ()
    reflow: bool = False


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """An application for a dataset. ``status``: open, returned, approved, refused, withdrawn."""

    id: str
    consumer: str
    dataset: str
    status: str
    fields: tuple[str, ...]
    regions: tuple[str, ...]
    from_ms: int
    to_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A standing grant; ``contract`` is the hash of the contract it was given for, in hex."""

    id: str
    consumer: str
    dataset: str
    contract: str
    fields: tuple[str, ...]
    regions: tuple[str, ...]
    purpose: str
    duty: str
    from_ms: int
    to_ms: int
    expires_ms: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class LogFacts:
    """The bus itself: what members and authorities administer. ``id`` is the log origin."""

    id: str


@dataclass(frozen=True, slots=True)
class DutyFacts:
    """Who is obliged to do what, and to whom. ``open``: nobody has met it yet."""

    id: str
    obliged: str
    beneficiary: str
    kind: str
    open: bool


Resource = MemberFacts | DatasetFacts | RequestFacts | GrantFacts | LogFacts | DutyFacts


@dataclass(frozen=True, slots=True)
class Question:
    """Asks whether ``principal`` may do ``action`` to ``resource``.

    ``related`` holds further entities the resource refers to (a grant's dataset, the dataset's
    provider, the grant's consumer). ``context`` has exactly the attributes that the schema
    declares for the action; a missing, extra or mistyped one is a denial (ENGINE-01).
    """

    action: str
    principal: MemberFacts
    resource: Resource
    related: tuple[Resource, ...] = ()
    context: Mapping[str, ContextValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules say: permitted or not, and by which rows of rules.yaml, sorted by id.

    A permit names the permits that carried it, a denial the forbids; a denial with no forbid says
    ``BASIS-01`` (nothing permits it, 法无授权不可为), one by a failed evaluation ``ENGINE-01``.
    ``warnings`` are prohibitions that hold for what is permitted, and that the rule set only tells
    of; sorted, and empty on a denial.
    """

    permit: bool
    rules: tuple[str, ...]
    warnings: tuple[str, ...] = ()
