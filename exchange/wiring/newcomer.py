"""What the ledger will say about an organisation, and the act that says it."""

from dataclasses import dataclass
from typing import Final, cast

from pydantic import ValidationError

from exchange.errors import UsageError
from exchange.model.acts import EnrolMember
from exchange.model.acttypes import MemberKind
from exchange.model.creditcode import credit_code_valid
from exchange.model.faultwords import in_words
from exchange.model.ids import slug
from exchange.model.regions import check_region
from exchange.registry.possession import prove_keys
from exchange.wiring.homekeys import OFFICER
from keys.custody import Custody

_OPTIONS: Final = {"member_kind": "kind"}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An organisation before it is enrolled; ``region`` is a GB/T 2260 code or ""."""

    member: str
    kind: str
    name_zh: str
    name_en: str
    credit_code: str
    region: str

    def checked(self) -> "Newcomer":
        """Itself, if its id and region may stand on a ledger and nothing is missing."""
        if not self.member:
            raise _lacking("--member")
        slug("member", self.member)
        check_region(self.region)
        for option in ("name_zh", "name_en", "credit_code"):
            if not getattr(self, option):
                raise _lacking("--" + option.replace("_", "-"))
        if not credit_code_valid(self.credit_code):
            raise _mistyped(self.credit_code)
        return self


def enrolment(newcomer: Newcomer, custody: Custody, origin: str) -> EnrolMember:
    """The body of the authority's act, with the proof of the officer key that custody holds."""
    officer = custody.public(OFFICER)
    proof = prove_keys(
        origin=origin,
        member=newcomer.member,
        instance="",
        signing=officer.raw,
        kem=b"",
        signer=custody.signer(officer.label),
    )
    try:
        return EnrolMember(
            member=newcomer.member,
            member_kind=cast(MemberKind, newcomer.kind),
            name_zh=newcomer.name_zh,
            name_en=newcomer.name_en,
            credit_code=newcomer.credit_code,
            region=newcomer.region,
            officer=officer.raw,
            proof=proof,
        )
    except ValidationError as error:
        raise unfit(error) from None


def unfit(error: ValidationError) -> UsageError:
    """What a person typed does not fit an act: names the option, never the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    option = "--" + _OPTIONS.get(name, name).replace("_", "-")
    words = in_words(first)
    return UsageError(
        f"{option}: {words.en}",
        f"{option}：{words.zh}",
        remedy=(f"correct {option}", f"请修改 {option}"),
        failure="bad-value",
    )


def _lacking(option: str) -> UsageError:
    return UsageError(
        f"{option} is missing",
        f"缺少 {option}",
        remedy=(f"add {option}: the ledger is to say it", f"请补充 {option}"),
        failure="missing-option",
    )


def _mistyped(code: str) -> UsageError:
    return UsageError(
        f"{code[:40]!r} is no unified social credit code (18 characters, GB 32100)",
        f"{code[:40]!r} 不是有效的统一社会信用代码（18 位，GB 32100）",
        remedy=(
            "copy it from the certificate: a check character finds mistyped ones",
            "请按证书填写：校验位可发现录入错误",
        ),
        failure="credit-code",
    )
