"""What a member is told when a hub says no, says nothing, or is no hub of its ledger."""

import ssl
from typing import Final

import httpx
from pydantic import ValidationError

from exchange.errors import (
    CheckFailed,
    ExchangeError,
    HubUnavailable,
    Refused,
    RuleRefused,
    UsageError,
)
from exchange.model.problem import Problem


def _by_category(root: type[ExchangeError]) -> dict[str, type[ExchangeError]]:
    found: dict[str, type[ExchangeError]] = {}
    for kind in root.__subclasses__():
        found |= _by_category(kind)
    return found | {root.category: root}  # a kind of a kind shares its category: the first is it


_KINDS: Final = _by_category(Refused) | _by_category(UsageError)


def error_of(response: httpx.Response) -> ExchangeError:
    """The error of exchange/errors.py that a hub's JSON object stands for.

    Whatever is retriable becomes `HubUnavailable` with the hub's own words and failure class; a
    category unknown to this version becomes `Refused`.
    """
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return not_a_hub(f"status-{response.status_code}")
    en, zh = problem.message.en, problem.message.zh
    remedy = (problem.remedy.en, problem.remedy.zh)
    if problem.retriable:
        return HubUnavailable(en, zh, remedy=remedy, failure=problem.failure)
    if problem.category == RuleRefused.category:
        return RuleRefused(
            en, zh, rules=tuple(problem.rules), remedy=remedy, failure=problem.failure
        )
    kind = _KINDS.get(problem.category, Refused)
    return kind(en, zh, remedy=remedy, failure=problem.failure)


def unreachable(address: str, error: httpx.TransportError) -> HubUnavailable | CheckFailed:
    """No answer from ``address``. A certificate of another CA is no outage: `CheckFailed`."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CheckFailed(
                f"{address} does not show a certificate of the pinned CA",
                f"{address} 的证书并非由所固定的 CA 签发",
                remedy=(
                    "check the hub's address; do not replace ca.pem unless the authority says so",
                    "请核对枢纽地址；未经主管部门确认请勿更换 ca.pem",
                ),
                failure="tls-certificate",
            )
        cause = cause.__cause__ or cause.__context__
    return HubUnavailable(
        f"the hub at {address} does not answer ({type(error).__name__})",
        f"枢纽 {address} 无响应（{type(error).__name__}）",
        remedy=(
            "see 'exchange status', then repeat the command: nothing takes effect twice",
            "请运行 exchange status 查看，然后重复同一命令：不会重复生效",
        ),
        failure="no-answer",
    )


def not_a_hub(what: str) -> HubUnavailable:
    """Something answered that does not speak as a hub does."""
    return HubUnavailable(
        f"what answers there does not speak as a hub ({what})",
        f"该地址的应答不符合枢纽接口（{what}）",
        remedy=("check the hub's address and version", "请核对枢纽的地址与版本"),
        failure="no-hub",
    )
