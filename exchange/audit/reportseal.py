"""The signed statement over a report's files: REPORT-SPEC.md section 4. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Final

from exchange.errors import CheckFailed
from keys import cbor, cose
from keys.cose import Sign1, Signer
from keys.errors import KeysError, SignatureInvalid

VERSION: Final = 1
REPORT_DOMAIN: Final = "exchange/v1/report"
STATEMENT: Final = "report.cose"
STATEMENT_BYTES_MAX: Final = 1 << 20
(
    _VERSION, _ORIGIN, _ISSUER, _MEMBER, _FROM, _TO, _ISSUED, _SIZE, _ROOT, _FILES
) = range(10)  # fmt: skip
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class Statement:
    """What the issuer signs: about whom, of which period and which head, and every file's hash.

    ``files`` are (name, SHA-256), ascending by name.
    """

    origin: str
    issuer: str
    member: str
    from_ms: int
    to_ms: int
    issued_ms: int
    size: int
    root: bytes
    files: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A well-formed statement that nobody has verified yet."""

    statement: Statement
    sign1: Sign1


@dataclass(frozen=True, slots=True)
class Sealed:
    """A statement whose signature was checked; only `verify` makes one."""

    statement: Statement
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify makes a Sealed")


def hashes(files: Mapping[str, bytes]) -> tuple[tuple[str, bytes], ...]:
    """What a statement says of the files."""
    return tuple((name, hashlib.sha256(files[name]).digest()) for name in sorted(files))


def sign(statement: Statement, signer: Signer) -> bytes:
    """The bytes of `STATEMENT`."""
    payload = {
        _VERSION: VERSION,
        _ORIGIN: statement.origin,
        _ISSUER: statement.issuer,
        _MEMBER: statement.member,
        _FROM: statement.from_ms,
        _TO: statement.to_ms,
        _ISSUED: statement.issued_ms,
        _SIZE: statement.size,
        _ROOT: statement.root,
        _FILES: [list(file) for file in statement.files],
    }
    return cose.sign1(cbor.encode(payload), REPORT_DOMAIN, signer)


def parse(raw: bytes) -> Claimed:
    """Take a statement apart; `CheckFailed` with failure ``report-malformed``."""
    try:
        sign1 = cose.parse1(raw, bytes_max=STATEMENT_BYTES_MAX)
        payload = cbor.decode(sign1.payload, bytes_max=STATEMENT_BYTES_MAX)
    except KeysError:
        raise _malformed() from None
    match payload:
        case {
            0: 1, 1: str(origin), 2: str(issuer), 3: str(member), 4: int(from_ms), 5: int(to_ms),
            6: int(issued_ms), 7: int(size), 8: bytes(root), 9: list(files), **rest,
        } if not rest:  # fmt: skip
            named = tuple(map(_file, files))
        case _:
            raise _malformed()
    if [name for name, _ in named] != sorted({name for name, _ in named}):
        raise _malformed()
    return Claimed(
        Statement(origin, issuer, member, from_ms, to_ms, issued_ms, size, root, named), sign1
    )


def verify(claimed: Claimed, public: bytes) -> Sealed:
    """The statement, if ``public`` signed it; `CheckFailed` with ``report-signature``."""
    try:
        cose.verify1(claimed.sign1, REPORT_DOMAIN, public)
    except SignatureInvalid:
        raise CheckFailed(
            f"the report is not signed by {claimed.statement.issuer}",
            f"报告并非由 {claimed.statement.issuer} 签署",
            remedy=("ask its issuer for the report again", "请向出具机构重新索取报告"),
            failure="report-signature",
        ) from None
    return Sealed(claimed.statement, _MADE_HERE)


def _file(pair: object) -> tuple[str, bytes]:
    match pair:
        case [str(name), bytes(digest)] if len(digest) == 32:
            return name, digest
    raise _malformed()


def _malformed() -> CheckFailed:
    return CheckFailed(
        f"{STATEMENT} is no signed report",
        f"{STATEMENT} 不是有效的报告签名",
        remedy=("ask its issuer for the report again", "请向出具机构重新索取报告"),
        failure="report-malformed",
    )
