"""A hub's signed answer to an act it admitted: made, and verified (SPEC.md "Answer").

The hub calls `sign_answer` after it has read its own entry back; a member calls `verify_answer` and
believes nothing else that a hub says about an act. What the sealed keys hold is not looked at here.

    raw = sign_answer(answer, signer)
    verified = verify_answer(raw, origin=origin, act=act_id, entry_keys=entry_keys)
"""

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Final

from exchange.errors import ReleaseRefused
from exchange.flow.ports import Admitted, KeysAnswered
from exchange.limits import ANSWER_BYTES_MAX, ASK_ITEMS_MAX
from keys.cbor import decode, encode
from keys.cose import Signer, parse1, sign1, verify1
from keys.errors import KeysError
from keys.identity import kid_of
from keys.suite import SUITE_1

VERSION: Final = 1
ANSWER_DOMAIN: Final = "exchange/v1/answer"
_VERSION, _ORIGIN, _ACT, _INDEX, _ENTRY, _TIME, _PERMIT, _RULES, _REFUSED, _SEALED = range(10)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub says about one act; hashes are 32 bytes, ``time_ms`` is the hub's clock.

    ``refused`` maps the index of an item of a key request to the rules that refuse it; ``sealed``
    is empty when no keys are handed over.
    """

    origin: str
    act: bytes
    index: int
    entry_hash: bytes
    time_ms: int
    permit: bool
    rules: tuple[str, ...]
    refused: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    sealed: bytes = field(default=b"", repr=False)


_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedAnswer:
    """An answer that a hub of this log signed about this act; only `verify_answer` makes one."""

    answer: Answer
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify_answer makes a VerifiedAnswer")

    @property
    def admitted(self) -> Admitted:
        """Where the act stands and what the rules said."""
        said = self.answer
        return Admitted(said.act, said.index, said.entry_hash, said.permit, said.rules)

    @property
    def keys(self) -> KeysAnswered:
        """The same for a key request: refused items and the sealed keys, still closed."""
        return KeysAnswered(self.admitted, self.answer.refused, self.answer.sealed)


def sign_answer(answer: Answer, signer: Signer) -> bytes:
    """The COSE_Sign1 of ``answer`` under a hub's entry key."""
    payload: dict[int, object] = {
        _VERSION: VERSION,
        _ORIGIN: answer.origin,
        _ACT: answer.act,
        _INDEX: answer.index,
        _ENTRY: answer.entry_hash,
        _TIME: answer.time_ms,
        _PERMIT: answer.permit,
        _RULES: list(answer.rules),
    }
    if answer.refused:
        payload[_REFUSED] = [[item, list(answer.refused[item])] for item in sorted(answer.refused)]
    if answer.sealed:
        payload[_SEALED] = answer.sealed
    return sign1(encode(payload), ANSWER_DOMAIN, signer)


def verify_answer(
    raw: bytes, *, origin: str, act: bytes, entry_keys: Iterable[bytes]
) -> VerifiedAnswer:
    """The answer in ``raw``; `ReleaseRefused` names the first step of SPEC.md that failed.

    ``entry_keys`` are the hubs' public entry keys that genesis (or a later act) names.
    """
    answer = _read(_signed_payload(raw, entry_keys))  # answer-malformed, answer-signature
    if answer.origin != origin:
        raise _refused("answer-origin", "is of another log", "来自另一日志")
    if answer.act != act:
        raise _refused("answer-act", "is about another act", "针对的是另一行为")
    return VerifiedAnswer(answer, _MADE_HERE)


def _signed_payload(raw: bytes, entry_keys: Iterable[bytes]) -> object:
    by_kid = {kid_of(SUITE_1.signature_algorithm, public): public for public in entry_keys}
    try:
        statement = parse1(raw, bytes_max=ANSWER_BYTES_MAX)
    except KeysError as error:
        raise _malformed(error.failure) from error
    if statement.kid not in by_kid:
        raise _unsigned()
    try:
        verified = verify1(statement, ANSWER_DOMAIN, by_kid[statement.kid])
    except KeysError as error:
        raise _unsigned() from error
    try:
        return decode(verified.payload, bytes_max=ANSWER_BYTES_MAX)
    except KeysError as error:
        raise _malformed(error.failure) from error


def _read(payload: object) -> Answer:
    match payload:
        case {
            0: int(version), 1: str(origin), 2: bytes(act), 3: int(index), 4: bytes(entry_hash),
            5: int(time_ms), 6: bool(permit), 7: list(rules), **rest,
        } if version == VERSION and bool not in map(type, (version, index, time_ms)):  # fmt: skip
            pass
        case _:
            raise _malformed("fields")
    if len(act) != 32 or len(entry_hash) != 32 or min(index, time_ms) < 0 or set(rest) - {8, 9}:
        raise _malformed("fields")
    sealed = rest.get(_SEALED)
    if sealed is not None and not (isinstance(sealed, bytes) and sealed):
        raise _malformed("sealed")
    return Answer(
        origin,
        act,
        index,
        entry_hash,
        time_ms,
        permit,
        rules=_texts(rules),
        refused=_refusals(rest),
        sealed=sealed or b"",
    )


def _texts(rules: list[object]) -> tuple[str, ...]:
    texts = tuple(rule for rule in rules if isinstance(rule, str))
    if len(texts) != len(rules):
        raise _malformed("rules")
    return texts


def _refusals(rest: Mapping[object, object]) -> Mapping[int, tuple[str, ...]]:
    if _REFUSED not in rest:
        return MappingProxyType({})
    pairs = rest[_REFUSED]
    if not isinstance(pairs, list) or not 0 < len(pairs) <= ASK_ITEMS_MAX:
        raise _malformed("refused")
    refused: dict[int, tuple[str, ...]] = {}
    last = -1
    for pair in pairs:
        match pair:
            case [int(item), list(rules)] if not isinstance(item, bool) and item > last:
                refused[item] = _texts(rules)
                last = item
            case _:
                raise _malformed("refused")
    return MappingProxyType(refused)


def _malformed(why: str) -> ReleaseRefused:
    return _refused("answer-malformed", f"is malformed ({why})", f"格式错误（{why}）")


def _unsigned() -> ReleaseRefused:
    return _refused(
        "answer-signature", "is not signed by a hub of this log", "未由本日志的枢纽签名"
    )


def _refused(failure: str, en: str, zh: str) -> ReleaseRefused:
    return ReleaseRefused(
        f"the hub's answer {en}",
        f"枢纽的应答{zh}",
        remedy=(
            "do not use it; check the pinned genesis and the address of the hub",
            "请勿使用；请核对所固定的创世记录与枢纽地址",
        ),
        failure=failure,
    )
