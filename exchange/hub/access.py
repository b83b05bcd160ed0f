"""Who is at the door: tokens, shares and the rule for reading (SPEC.md "Request token").

The order is the point: shape, key, signature, time, request, nonce, share, rule. What fails to
authenticate costs the address it came from, never the member it names.
"""

import time

from starlette.requests import Request

from exchange.errors import ExchangeError, RuleRefused
from exchange.flow.token import Asked, VerifiedToken, parse_token, replayed, verify_token
from exchange.hub.parts import Parts
from exchange.hub.problem import status_of
from exchange.hub.throttle import Nonces, Refusals
from exchange.ledger.fairness import Shares
from exchange.limits import (
    ADDRESS_REFUSALS_BURST,
    ADDRESS_REFUSALS_PER_S,
    MEMBER_REQUESTS_BURST,
    MEMBER_REQUESTS_PER_S,
    TOKEN_AGE_MS_MAX,
)
from exchange.registry.authenticate import VOID_REASONS
from keys.errors import KeysError

_CHARGED = frozenset({400, 401, 408, 413, 415})
"""Refusals that need no member: they count against the address. So do all void acts: many read the
ledger, so whoever sends an act that is expired or stands there already need not have signed it."""


class Access:
    """Authenticates requests of one hub."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._nonces = Nonces(keep_ms=2 * TOKEN_AGE_MS_MAX)
        self._members = Shares(per_s=MEMBER_REQUESTS_PER_S, burst=MEMBER_REQUESTS_BURST)
        self._addresses = Refusals(
            per_s=ADDRESS_REFUSALS_PER_S, burst=ADDRESS_REFUSALS_BURST, now_s=time.monotonic
        )

    async def check_address(self, request: Request) -> None:
        """RateLimited for an address that has been refused too often of late."""
        self._addresses.check(address_of(request))

    async def check_open(self, request: Request) -> None:
        """The same, then Unavailable while the hub has not read the whole ledger.

        Without the ledger nobody can be told from a stranger.
        """
        await self.check_address(request)
        self._parts.check_open()

    def charge_address(self, request: Request, error: ExchangeError | KeysError) -> None:
        """Count a refusal that no member answers for."""
        if status_of(error) in _CHARGED or error.failure in VOID_REASONS:
            self._addresses.count(address_of(request))

    def member(self, request: Request, body: bytes) -> VerifiedToken:
        """Who signed this request, and may read. NotAuthenticated, RateLimited, RuleRefused."""
        now_ms = self._parts.clock()
        claimed = parse_token(request.headers.get("authorization"))
        token = verify_token(
            claimed,
            Asked(request.method, target_of(request), body),
            origin=self._parts.origin,
            public=self._parts.members.signing_key(claimed.member, claimed.instance),
            now_ms=now_ms,
        )
        if self._nonces.used(token.member, token.nonce, now_ms):
            raise replayed()
        self._members.take(token.member, int(time.monotonic() * 1000))
        self._nonces.note(token.member, token.nonce, now_ms)
        self._parts.members.check_may_read(token.member, now_ms)
        return token

    def authority_officer(self, request: Request, body: bytes) -> VerifiedToken:
        """The same, for an officer of the authority only; RuleRefused for anybody else."""
        token = self.member(request, body)
        if token.instance or not self._parts.members.is_authority(token.member):
            raise RuleRefused(
                "only an officer of the authority may do this",
                "仅主管部门的经办人可执行此操作",
                rules=("AUTHORITY-01",),
                remedy=("use --as with the authority's member", "请以主管部门身份（--as）执行"),
            )
        return token


def address_of(request: Request) -> str:
    """The peer's address as the socket knows it; no forwarding header is believed."""
    return request.client.host if request.client else ""


def target_of(request: Request) -> str:
    """Path with query exactly as they were sent."""
    path: str = request.scope["raw_path"].decode("ascii", "replace")
    query: str = request.scope["query_string"].decode("ascii", "replace")
    return f"{path}?{query}" if query else path
