"""The claim of an organisation to be enrolled: public keys and proofs; SPEC.md "Claim"."""

import base64
import binascii
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import StringConstraints, ValidationError

from exchange.errors import CheckFailed, ConfigurationInvalid
from exchange.limits import POSSESSION_BYTES_MAX
from exchange.model.acts import EnrolMember
from exchange.model.acttypes import MemberKind
from exchange.model.faultwords import BASE64_FORM, in_words
from exchange.registry.possession import check_keys
from exchange.wiring.home import HexHash
from exchange.wiring.homekeys import OFFICER
from exchange.wiring.newcomer import Newcomer, enrolment
from exchange.wiring.tomlfile import Table, parse, quoted, read_toml
from keys import cbor, cose
from keys.custody import Custody
from keys.errors import KeysError
from keys.identity import check_signing_key

CLAIM_DOMAIN: Final = "exchange/v1/claim"
_FORMAT: Final = 1
_CLAIM_BYTES_MAX: Final = 8_192
_MADE_HERE: Final = object()

Base64 = Annotated[str, StringConstraints(pattern=BASE64_FORM, max_length=12_000)]


class ClaimTable(Table):
    """The file, before anything in it is believed."""

    format: Literal[1]
    origin: str
    genesis: HexHash
    member: str
    kind: MemberKind
    name_zh: str
    name_en: str
    credit_code: str
    region: str
    officer: HexHash
    proof: Base64
    signature: Base64


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim whose signature and proof were verified; only `read_claim` makes one."""

    origin: str
    genesis: str
    body: EnrolMember
    officer_kid: bytes
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only read_claim makes a Claim")

    def check_ledger(self, origin: str, genesis: str) -> None:
        """`CheckFailed` unless the claim is for this ledger."""
        if (self.origin, self.genesis) != (origin, genesis):
            raise CheckFailed(
                f"the claim is for the ledger {self.origin[:80]!r} with pin {self.genesis[:12]}…,"
                f" not for {origin!r} with pin {genesis[:12]}…",
                f"该申请文件针对账本 {self.origin[:80]!r}（创世哈希 {self.genesis[:12]}…），"
                f"而非 {origin!r}（{genesis[:12]}…）",
                remedy=(
                    "the department joins again with a connection file of this ledger:"
                    " exchange member invite",
                    "请用本账本的接入文件重新加入：exchange member invite",
                ),
                failure="claim-ledger",
            )

    def check_officer(self, kid: str) -> None:
        """`CheckFailed` unless the officer key has the id (hex) that was told another way."""
        if self.officer_kid.hex() != kid.strip().lower():
            raise CheckFailed(
                f"the officer key of this claim is {self.officer_kid.hex()}, not the one named",
                f"该申请文件的机构密钥为 {self.officer_kid.hex()}，与所指明的不同",
                remedy=(
                    "do not enrol it; ask the department which key it has: exchange keys list",
                    "请勿接纳；请向该机构核实其密钥：exchange keys list",
                ),
                failure="officer-key",
            )


def make_claim(newcomer: Newcomer, custody: Custody, *, origin: str, genesis: str) -> str:
    """The text of the claim file, signed by the officer key in custody."""
    body = enrolment(newcomer, custody, origin)
    signature = cose.sign1(_payload(origin, genesis, body), CLAIM_DOMAIN, custody.signer(OFFICER))
    said = {
        "origin": origin,
        "genesis": genesis,
        "member": body.member,
        "kind": body.member_kind,
        "name_zh": body.name_zh,
        "name_en": body.name_en,
        "credit_code": body.credit_code,
        "region": body.region,
        "officer": body.officer.hex(),
        "proof": base64.b64encode(body.proof).decode("ascii"),
        "signature": base64.b64encode(signature).decode("ascii"),
    }
    lines = [f"{name} = {quoted(text)}" for name, text in said.items()]
    first = "# Claim to be enrolled, for the authority. Nothing in this file is secret.\n"
    return first + "\n".join([f"format = {_FORMAT}", *lines]) + "\n"


def read_claim(file: Path) -> Claim:
    """The claim in ``file``, its signature and proof verified.

    `ConfigurationInvalid` for a file that is no claim, `CheckFailed` with failure ``claim`` for one
    that was changed or is not signed by the key in it.
    """
    said = parse(read_toml(file), ClaimTable)
    try:
        body = _body(said)
        signature = cose.parse1(_decoded(said.signature), bytes_max=_CLAIM_BYTES_MAX)
        verified = cose.verify1(signature, CLAIM_DOMAIN, body.officer)
        if verified.payload != _payload(said.origin, said.genesis, body):
            raise _changed(file, "content")
        check_keys(
            body.proof,
            origin=said.origin,
            member=body.member,
            instance="",
            signing=body.officer,
            kem=b"",
        )
        kid = check_signing_key(body.officer)
    except KeysError as error:
        raise _changed(file, getattr(error, "failure", error.category)) from None
    except ValidationError as error:
        raise _malformed(file, error) from None
    except binascii.Error:
        raise _changed(file, "base64") from None
    return Claim(said.origin, said.genesis, body, kid, _MADE_HERE)


def _body(said: ClaimTable) -> EnrolMember:
    return EnrolMember(
        member=said.member,
        member_kind=said.kind,
        name_zh=said.name_zh,
        name_en=said.name_en,
        credit_code=said.credit_code,
        region=said.region,
        officer=bytes.fromhex(said.officer),
        proof=_decoded(said.proof, POSSESSION_BYTES_MAX),
    )


def _payload(origin: str, genesis: str, body: EnrolMember) -> bytes:
    return cbor.encode([_FORMAT, origin, bytes.fromhex(genesis), body.to_map()])


def _decoded(text: str, bytes_max: int = _CLAIM_BYTES_MAX) -> bytes:
    return base64.b64decode(text, validate=True)[:bytes_max]


def _changed(file: Path, why: str) -> CheckFailed:
    return CheckFailed(
        f"{file} is not as its maker signed it ({why}); nobody was enrolled",
        f"{file} 与其签署内容不符（{why}），未接纳任何机构",
        remedy=(
            "get the claim from the department again, and compare the officer key id by telephone",
            "请向该机构重新索取申请文件，并通过电话核对机构密钥编号",
        ),
        failure="claim",
    )


def _malformed(file: Path, error: ValidationError) -> ConfigurationInvalid:
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    words = in_words(first)
    return ConfigurationInvalid(
        f"{file}: {name}: {words.en}",
        f"{file}：{name}：{words.zh}",
        remedy=("get the claim from the department again", "请向该机构重新索取申请文件"),
        failure="bad-value",
    )
