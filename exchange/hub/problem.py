"""What a caller sees of an error: one JSON object and a truthful status (SPEC.md "Errors").

Nothing of a body, a token or a stack ever stands in it; an error nobody foresaw says only that.
"""

import base64
from typing import Final

from starlette.responses import Response

from exchange.errors import (
    ActRefused,
    ExchangeError,
    LedgerBroken,
    NotAuthenticated,
    NotFound,
    RateLimited,
    RuleRefused,
    Unavailable,
    UsageError,
)
from exchange.model.problem import Problem, Sentences
from exchange.model.text import Text
from keys.errors import CustodyError, KeyMissing, KeysError, MalformedCbor, MalformedSign1

ExpectedError = ExchangeError | KeysError
RETRY_AFTER_SECONDS: Final = {429: 1, 503: 2}
"""A share refills within a second; what a hub waits for, its readiness looks at every second."""
_ACT_STATUS: Final = {
    "seen-before": 409,
    "unknown-key": 401,
    "inactive": 401,
    "signature": 401,
    "kind": 422,
    "wrong-origin": 422,
    "not-yet": 422,
    "expired": 422,
}
"""Failure classes of exchange/ledger/SPEC.md §6; all others mean that an act is malformed."""

_STATUS: Final[tuple[tuple[tuple[type[Exception], ...], int], ...]] = (
    ((NotAuthenticated,), 401),
    ((RuleRefused,), 403),
    ((NotFound, KeyMissing), 404),
    ((RateLimited,), 429),
    ((Unavailable, CustodyError, LedgerBroken), 503),
    ((UsageError, MalformedCbor, MalformedSign1), 400),
    ((ExchangeError, KeysError), 422),
)
"""The first row that fits."""


class WithStatus(ExchangeError):
    """A refusal of HTTP itself, which has no class below: 404, 405, 408, 413, 415, 500."""

    category = "http"

    def __init__(
        self,
        status: int,
        failure: str,
        sentence: Text,
        *,
        remedy: tuple[str, str] = ("", ""),
        retriable: bool = False,
    ) -> None:
        super().__init__(sentence.en, sentence.zh, remedy=remedy, failure=failure)
        self.status = status
        self.may_retry = retriable


class SeenBefore(ActRefused):
    """An act that stands already; ``answer`` is the hub's signed answer for the entry."""

    def __init__(self, refused: ActRefused, answer: bytes) -> None:
        remedy = (refused.remedy.en, refused.remedy.zh)
        super().__init__(refused.text.en, refused.text.zh, remedy=remedy, failure=refused.failure)
        self.answer = answer


def status_of(error: ExpectedError) -> int:
    """The HTTP status that tells the truth about ``error``."""
    if isinstance(error, WithStatus):
        return error.status
    if isinstance(error, ActRefused):
        return _ACT_STATUS.get(error.failure, 400)
    return next(status for kinds, status in _STATUS if isinstance(error, kinds))


def problem_of(error: ExpectedError) -> Problem:
    """The JSON object of ``error``."""
    retriable = error.may_retry if isinstance(error, WithStatus) else error.retriable
    return Problem(
        category=error.category,
        failure=error.failure,
        message=Sentences.of(error.text),
        remedy=Sentences.of(error.remedy),
        rules=list(error.rules) if isinstance(error, RuleRefused) else [],
        retriable=retriable,
        answer=_base64url(error.answer) if isinstance(error, SeenBefore) else None,
    )


def respond(error: ExpectedError) -> Response:
    """The whole response. A refused body is not read to its end: the connection closes."""
    status = status_of(error)
    headers = {"Cache-Control": "no-store"}
    if status in RETRY_AFTER_SECONDS and error.retriable:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS[status])
    if status in {408, 413, 415}:
        headers["Connection"] = "close"
    if status == 401:
        headers["WWW-Authenticate"] = "Exchange"
    content = problem_of(error).model_dump_json(exclude_none=True)
    return Response(content, status, headers, media_type="application/json")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
