"""Whose signatures make a head good enough: c2sp.org/tlog-policy files; LOG-SPEC.md section 6.

A policy names logs, witnesses, groups of them, and the quorum. `check_quorum` is the only maker of
`Witnessed`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass
from typing import Final

from exchange.errors import ConfigurationInvalid, NoteRefused
from exchange.ledger.cosignature import (
    HubVerifiers,
    LogKeys,
    SignedHead,
    refused,
    verified_time,
)
from exchange.ledger.note import SignatureType, VerifierKey, parse_vkey

POLICY_BYTES_MAX: Final = 1 << 20
NAMES_MAX: Final = 256
NONE: Final = "none"
_ALLOWED: Final = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_SPACE: Final = re.compile(r"[ \t]+")
_LOG_TYPES: Final = (SignatureType.ED25519, SignatureType.MLDSA)
_WITNESS_TYPES: Final = (SignatureType.COSIGNATURE, SignatureType.MLDSA)
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness: its key, and where it takes checkpoints ("" if the policy does not say)."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """So many of its members, which are witnesses or groups, must have signed."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. ``logs`` may be empty: then the ledger's own hubs are the log."""

    logs: tuple[tuple[VerifierKey, str], ...]
    witnesses: Mapping[str, WitnessKey]
    groups: Mapping[str, Group]
    quorum: str

    def log(self, origin: str) -> LogKeys:
        """The keys that the policy lists for the log of ``origin``: any one of them will do."""
        keys = [key for key, _ in self.logs if key.name == origin]
        return LogKeys(origin, tuple(HubVerifiers(key.id.hex(), (key,)) for key in keys))

    def met(self, signed: Iterable[str]) -> bool:
        """Whether the witnesses of these names are a quorum."""
        return self.quorum == NONE or self._counts(self.quorum, frozenset(signed))

    def _counts(self, name: str, signed: frozenset[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in signed
        return sum(self._counts(one, signed) for one in group.members) >= group.threshold


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A head that a quorum of witnesses cosigned; only `check_quorum` makes one.

    ``times`` are when, by the name of the witness, in seconds.
    """

    head: SignedHead
    times: Mapping[str, int]
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only check_quorum makes a Witnessed")


def check_quorum(head: SignedHead, policy: Policy) -> Witnessed:
    """``head`` as witnessed, if those who cosigned it are a quorum.

    Raises `NoteRefused` with ``quorum`` (naming who is missing), ``signature`` if the line of a
    known key does not verify, or ``unsigned`` if the policy lists logs and none of them signed.
    """
    if policy.logs and not any(
        verified_time(key, head.note, head.checkpoint) is not None
        for key, _ in policy.logs
        if key.name == head.checkpoint.origin
    ):
        raise refused("unsigned")
    times = cosigned(head, policy)
    if not policy.met(times):
        missing = ", ".join(name for name in policy.witnesses if name not in times)
        raise NoteRefused(
            f"the checkpoint of {head.checkpoint.size} entries lacks its quorum of witnesses;"
            f" missing: {missing}",
            f"条目数为 {head.checkpoint.size} 的检查点未达到见证人法定数；缺少：{missing}",
            remedy=(
                "wait for the witnesses, then try again; ask those that are missing",
                "请等待见证人后重试，并联系缺少的见证人",
            ),
            failure="quorum",
        )
    return Witnessed(head, times, _MADE_HERE)


def cosigned(head: SignedHead, policy: Policy) -> dict[str, int]:
    """Which witnesses of ``policy`` signed ``head``, and when; `NoteRefused` with ``signature``."""
    times = {}
    for name, witness in policy.witnesses.items():
        time_s = verified_time(witness.key, head.note, head.checkpoint)
        if time_s:  # a cosignature without a time is about no newest head
            times[name] = time_s
    return times


def parse_policy(raw: bytes, place: str = "policy") -> Policy:
    """The policy in ``raw``; `ConfigurationInvalid` names ``place`` and the line of a fault."""
    if len(raw) > POLICY_BYTES_MAX or not _ALLOWED.fullmatch(raw):
        raise _wrong(place, 0, "a byte that no policy may hold, or too many")
    parsed = _Parsed(place)
    # Octets with the high bit set are opaque; surrogates keep them as they are.
    for number, line in enumerate(raw.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = _SPACE.split(line.strip(" \t"))
        if words != [""] and not words[0].startswith("#"):
            parsed.take(number, words)
    return parsed.whole()


class _Parsed:
    """What the lines so far have said."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._logs: list[tuple[VerifierKey, str]] = []
        self._witnesses: dict[str, WitnessKey] = {}
        self._groups: dict[str, Group] = {}
        self._grouped: set[str] = set()
        self._quorum = ""

    def take(self, number: int, words: list[str]) -> None:
        """One line that is neither empty nor a comment."""
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self._logs.append((self._key(number, vkey, _LOG_TYPES), "".join(url)))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                key = self._key(number, vkey, _WITNESS_TYPES)
                self._witnesses[self._new(number, name)] = WitnessKey(name, key, "".join(url))
            case ["group", name, threshold, *members] if members:
                self._group(number, name, threshold, tuple(members))
            case ["quorum", name] if not self._quorum and (name == NONE or self._defined(name)):
                self._quorum = name
            case _:
                raise _wrong(self._place, number, "not a line of a policy, or names nobody above")

    def whole(self) -> Policy:
        """The policy; it must have a quorum, and no key twice."""
        if not self._quorum:
            raise _wrong(self._place, 0, "no quorum line")
        return Policy(tuple(self._logs), self._witnesses, self._groups, self._quorum)

    def _group(self, number: int, name: str, threshold: str, members: tuple[str, ...]) -> None:
        count = {"all": len(members), "any": 1}.get(threshold, 0)
        if threshold.isascii() and threshold.isdigit() and threshold[0] != "0":
            count = int(threshold) if len(threshold) < 5 else 0
        fresh = len(set(members)) == len(members) and self._grouped.isdisjoint(members)
        if not (0 < count <= len(members) and fresh and all(map(self._defined, members))):
            raise _wrong(self._place, number, "a wrong threshold, or a member it cannot have")
        self._grouped.update(members)
        self._groups[self._new(number, name)] = Group(count, members)

    def _defined(self, name: str) -> bool:
        return name in self._witnesses or name in self._groups

    def _new(self, number: int, name: str) -> str:
        if name == NONE or self._defined(name):
            raise _wrong(self._place, number, f"the name {name} is taken")
        if len(self._witnesses) + len(self._groups) >= NAMES_MAX:
            raise _wrong(self._place, number, f"more than {NAMES_MAX} names")
        return name

    def _key(self, number: int, vkey: str, types: tuple[SignatureType, ...]) -> VerifierKey:
        try:
            key = parse_vkey(vkey)
        except (NoteRefused, UnicodeEncodeError):
            raise _wrong(self._place, number, "not a vkey this build knows") from None
        logs = [held for held, _ in self._logs]
        ours = logs if types is _LOG_TYPES else [held.key for held in self._witnesses.values()]
        if key.type not in types or key.public in [held.public for held in ours]:
            raise _wrong(self._place, number, "a key of another purpose, or named twice")
        return key


def _wrong(place: str, number: int, why: str) -> ConfigurationInvalid:
    shown = why.encode("utf-8", "replace").decode()
    return ConfigurationInvalid(
        f"{place}:{number}: {shown}",
        f"{place}:{number}：策略文件有误（{shown}）",
        remedy=(
            "write it as c2sp.org/tlog-policy says: log, witness, group and quorum lines",
            "请按 c2sp.org/tlog-policy 书写 log、witness、group、quorum 各行",
        ),
        failure="policy",
    )
