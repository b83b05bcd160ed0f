"""Who speaks, and whether they may at this position; exchange/ledger/SPEC.md section 6.

`examine_act` runs the steps of that section in order. The first that fails is an `ActRefused` whose
failure class is the reason the act is void.
"""

from typing import Final

from exchange.errors import ActRefused
from exchange.ledger.act import Act, ParsedAct, parse_act, verify_act
from exchange.limits import CLOCK_SKEW_MS_MAX
from exchange.model.acts import Genesis
from exchange.registry.rows import SigningKey
from exchange.registry.state import Registry

INSTANCE_KINDS: Final = frozenset(
    {"stream.open", "stream.progress", "stream.gap", "stream.fork", "keys.ask", "receipt.file"}
)
"""What adapters say; everything else an officer says."""

_TEXT: Final = {
    "malformed": ("is not one the ledger takes", "不是账本接受的行为"),
    "wrong-origin": ("is for another log", "属于另一日志"),
    "unknown-key": ("is signed by a key that is not enrolled for it", "签署密钥未登记"),
    "inactive": ("is signed by a member or instance that has stopped", "签署方已停用"),
    "kind": ("is of a kind that this key does not sign", "该密钥无权签署此类行为"),
    "not-yet": ("was issued in the future", "签发时间在未来"),
    "expired": ("has expired", "已过期"),
    "seen-before": ("stands on the ledger already", "账本上已有该行为"),
}
_REMEDY: Final = {
    "wrong-origin": ("check the log origin in the configuration", "请核对配置中的日志来源"),
    "unknown-key": ("have the key enrolled first", "请先登记密钥"),
    "inactive": ("ask the authority", "请联系主管部门"),
    "kind": ("sign it with the officer's or the instance's key", "请改用负责人或实例密钥签署"),
    "not-yet": ("correct this machine's clock", "请校准本机时钟"),
}
VOID_REASONS: Final = frozenset(_TEXT) | {"signature"}
"""Every reason for which an act can be void."""
_SIGN_ANEW: Final = ("sign a new act", "请重新签署")


def examine_act(raw: bytes, registry: Registry, at_ms: int, known: Act | None = None) -> Act:
    """The act in ``raw`` if it is not void at ``at_ms`` in this state, else `ActRefused`.

    ``known`` is an act that this process verified before: its signature is not checked again when
    bytes and key are the same.
    """
    if known is not None and known.raw == raw:
        claimed: ParsedAct | Act = known
    else:
        claimed = _parsed(raw)  # 1
    holder = _holder(claimed, registry)  # 2 to 5
    if isinstance(claimed, Act) and claimed.public == holder.public:
        act = claimed
    else:
        act = verify_act(_reparsed(claimed), holder.public)  # 6
    if at_ms < act.issued_ms - CLOCK_SKEW_MS_MAX:  # 7
        raise void("not-yet")
    if at_ms >= act.expires_ms:
        raise void("expired")
    if act.id in registry.seen:  # 8
        raise void("seen-before")
    return act


def void(reason: str) -> ActRefused:
    """The refusal of an act that is void for ``reason``."""
    en, zh = _TEXT[reason]
    remedy = _REMEDY.get(reason, _SIGN_ANEW)
    return ActRefused(f"the act {en}", f"该行为{zh}", remedy=remedy, failure=reason)


def _parsed(raw: bytes) -> ParsedAct:
    claimed = parse_act(raw)
    if isinstance(claimed.body, Genesis):
        raise void("malformed")
    return claimed


def _reparsed(claimed: ParsedAct | Act) -> ParsedAct:
    return parse_act(claimed.raw) if isinstance(claimed, Act) else claimed


def _holder(claimed: ParsedAct | Act, registry: Registry) -> SigningKey:
    if claimed.origin != registry.origin:  # 2
        raise void("wrong-origin")
    key = registry.signing_keys.get(claimed.kid)  # 3
    if key is None or (key.member, key.instance) != (claimed.member, claimed.instance):
        raise void("unknown-key")
    if not _is_active(key, registry):  # 4
        raise void("inactive")
    if (claimed.kind in INSTANCE_KINDS) != (key.instance is not None):  # 5
        raise void("kind")
    return key


def _is_active(key: SigningKey, registry: Registry) -> bool:
    if key.instance is None:
        return registry.active(key.member)
    return registry.stopped_at(registry.registrations[key.kid]) is None
