"""Raw bodies, taken in with a running limit: nobody can make the hub hold more than it stated."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import ClientDisconnect, Request

from exchange.hub.problem import WithStatus
from exchange.limits import BODY_SECONDS_MAX
from exchange.model.text import Text

LET_PASS_BYTES_MAX: Final = 1 << 20
LET_PASS_SECONDS_MAX: Final = 1.0


async def read_body(
    request: Request,
    *,
    bytes_max: int,
    content_type: str,
    seconds_max: float = BODY_SECONDS_MAX,
) -> bytes:
    """All bytes of the body; `WithStatus` 413, 415 or 408.

    A declared length over the limit is refused before a byte is kept, an undeclared one as soon as
    the limit is passed.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != content_type:
        raise _wrong_type(content_type)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > bytes_max:
        await _let_pass(request.stream(), int(declared) - bytes_max)
        raise _too_large(bytes_max)
    stream = request.stream()
    body = bytearray()
    try:
        async with asyncio.timeout(seconds_max):
            async for chunk in stream:
                body += chunk
                if len(body) > bytes_max:
                    await _let_pass(stream, 0)
                    raise _too_large(bytes_max)
    except (TimeoutError, ClientDisconnect):
        raise _too_slow(seconds_max) from None
    return bytes(body)


async def no_body(request: Request, *, seconds_max: float = BODY_SECONDS_MAX) -> bytes:
    """The empty body of a request that has none; `WithStatus` 413 for any byte, 408 for silence."""
    try:
        async with asyncio.timeout(seconds_max):
            async for chunk in request.stream():
                if chunk:
                    raise _too_large(0)
    except (TimeoutError, ClientDisconnect):
        raise _too_slow(seconds_max) from None
    return b""


async def _let_pass(stream: AsyncIterator[bytes], over_bytes: int) -> None:
    """Throw away the rest of a body that is a little too long.

    A connection that is closed while bytes are unread is reset, and the caller would see that
    instead of the refusal. Whoever sends far more is cut off.
    """
    if over_bytes > LET_PASS_BYTES_MAX:
        return
    passed = 0
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(LET_PASS_SECONDS_MAX):
            async for chunk in stream:
                passed += len(chunk)
                if passed > LET_PASS_BYTES_MAX:
                    return


def _too_large(bytes_max: int) -> WithStatus:
    return WithStatus(
        413,
        "body-too-large",
        Text(
            f"the body is longer than {bytes_max} bytes",
            f"请求体超过 {bytes_max} 字节",
        ),
        remedy=("send fewer items in one request", "请减少单次请求的内容"),
    )


def _wrong_type(content_type: str) -> WithStatus:
    return WithStatus(
        415,
        "content-type",
        Text(f"the body must be {content_type}", f"请求体类型应为 {content_type}"),
        remedy=(f"set Content-Type: {content_type}", f"请设置 Content-Type: {content_type}"),
    )


def _too_slow(seconds_max: float) -> WithStatus:
    return WithStatus(
        408,
        "body-too-slow",
        Text(
            f"the body did not arrive within {seconds_max:g} seconds",
            f"请求体未在 {seconds_max:g} 秒内到达",
        ),
        remedy=("check the network and try again", "请检查网络后重试"),
        retriable=True,
    )
