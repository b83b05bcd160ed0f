"""Bodies of requests to a hub, written by members and read by hubs (exchange/hub/SPEC.md "Paths").

Readers raise `keys.errors.MalformedCbor`, failure ``shape`` when the CBOR is sound and is something
else than what the path takes.
"""

from collections.abc import Sequence
from typing import Final

from exchange.limits import ASK_BYTES_MAX, ASK_ITEMS_MAX, POSSESSION_BYTES_MAX
from keys.cbor import decode, encode
from keys.errors import MalformedCbor

COSE: Final = "application/cose"
CBOR: Final = "application/cbor"


def ask_body(act: bytes, headers: Sequence[bytes]) -> bytes:
    """The body of `POST /v1/keys`: ``headers[i]`` is the signed header that item ``i`` names."""
    return encode([act, list(headers)])


def read_ask(raw: bytes) -> tuple[bytes, list[bytes]]:
    """Act and headers of `ask_body`."""
    match decode(raw, bytes_max=ASK_BYTES_MAX, items_max=64 + ASK_ITEMS_MAX):
        case [bytes(act), list(headers)] if len(headers) <= ASK_ITEMS_MAX:
            checked = [header for header in headers if isinstance(header, bytes)]
            if len(checked) == len(headers):
                return act, checked
    raise _misshapen("[act, [header, ...]]")


def possession_body(dataset: str, kid: bytes, wrapped: bytes) -> bytes:
    """The body of `POST /v1/possession`."""
    return encode([dataset, kid, wrapped])


def read_possession(raw: bytes) -> tuple[str, bytes, bytes]:
    """Dataset, kid and wrapped challenge of `possession_body`."""
    match decode(raw, bytes_max=POSSESSION_BYTES_MAX):
        case [str(dataset), bytes(kid), bytes(wrapped)]:
            return dataset, kid, wrapped
    raise _misshapen("[dataset, kid, wrapped challenge]")


def _misshapen(wanted: str) -> MalformedCbor:
    return MalformedCbor(
        f"the body is not {wanted}",
        f"请求体应为 {wanted}",
        remedy=("send what exchange/hub/SPEC.md describes", "请按接口规范发送"),
        failure="shape",
    )
