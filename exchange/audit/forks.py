"""What an auditor is shown of the two headers in a `stream.fork`. Pure."""

from exchange.envelope.header import DOMAIN, decode_header
from exchange.errors import BundleRefused
from exchange.limits import HEADER_BYTES_MAX
from exchange.model.acts import ReportFork
from keys import cose
from keys.errors import KeysError


def stated(body: ReportFork) -> dict[str, object]:
    """Sequence and hash of each header, as it claims; whether it proves anything is the verdict's.

    A header that is none has null for both.
    """
    said: dict[str, object] = {}
    for name, raw in (("first", body.first), ("second", body.second)):
        said[f"{name}_sequence"], said[f"{name}_hash"] = _claims(raw)
    return said


def _claims(raw: bytes) -> tuple[int | None, str | None]:
    try:
        statement = cose.parse1(raw, bytes_max=HEADER_BYTES_MAX)
        header = decode_header(statement.payload)
    except (KeysError, BundleRefused):
        return None, None
    return header.sequence, cose.content_id(statement, DOMAIN).hex()
