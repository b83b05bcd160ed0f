"""``exchange rules explain --member M --dataset D``: whether it may read, and what is missing."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.screen import Screen, fill
from exchange.cli.session import Session
from exchange.cli.work import as_reader, short
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.mayread import Reading, Wanted
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office
    from policies.register import Register

Fields = Annotated[str, typer.Option("--fields", help="Fields, comma-separated; default: all.")]
Sections = Annotated[
    str, typer.Option("--section", help="Sections by level instead of fields, for instance 1,2.")
]
Regions = Annotated[
    str, typer.Option("--region", help="GB/T 2260 codes, comma-separated; default: everywhere.")
]

_MAY: Final = Text(
    "yes: {member} may read {dataset} for {purpose}, under grant {grant}",
    "可以：{member} 可就 {purpose} 读取 {dataset}，授权 {grant}",
)
_MAY_NOT: Final = Text(
    "no: {member} may not read {dataset} for {purpose}",
    "不可以：{member} 不得就 {purpose} 读取 {dataset}",
)
_NEAREST: Final = Text("nearest grant: {grant}", "最接近的授权：{grant}")
_MISSING: Final = Text("- {what}. What to do: {remedy}", "- {what}。办法：{remedy}")


def explain_reading(
    session: Session,
    member: str,
    dataset: str,
    purpose: str,
    duty: str,
    fields: str,
    section: str,
    region: str,
) -> None:
    """Ask the rules in force, and tell what they say in the language of the session."""
    if not (member and dataset and purpose):
        raise UsageError(
            "a member, a dataset and a purpose are needed",
            "须指明成员、数据集与用途",
            remedy=(
                "say --member M --dataset D --purpose P",
                "请写 --member 成员 --dataset 数据集 --purpose 用途",
            ),
            failure="incomplete",
        )

    async def work(office: "Office") -> "tuple[Wanted, Reading, Register]":
        from exchange.audit.mayread import Wanted, may_read
        from exchange.wiring.clock import now_ms
        from exchange.wiring.lawbook import register_in_force

        registry = await office.registry()
        wanted = Wanted(
            member=member,
            dataset=dataset,
            purpose=purpose,
            duty=duty,
            fields=_wanted_fields(registry, dataset, fields, section),
            regions=_wanted_regions(region),
        )
        found = may_read(registry, office.view.engine, wanted, now_ms())
        return wanted, found, register_in_force(registry)

    wanted, found, register = as_reader(session, work)
    _tell(session.screen, wanted, found, register)
    session.screen.answer(reading_data(wanted, found, register))


def _wanted_fields(
    registry: "Registry", dataset: str, fields: str, section: str
) -> tuple[str, ...]:
    from exchange.wiring.applications import fields_of_levels

    row = registry.datasets.get(dataset)
    if section and row is not None:
        levels = [int(level) for level in section.split(",") if level.strip().isdigit()]
        return fields_of_levels(registry.shapes[row.contract_hash], levels)
    return tuple(name.strip() for name in fields.split(",") if name.strip())


def _wanted_regions(region: str) -> tuple[str, ...]:
    from exchange.model.regions import check_region

    codes = [code.strip() for code in region.split(",") if code.strip()]
    return tuple(map(check_region, codes)) or ("",)


def _tell(screen: Screen, wanted: "Wanted", found: "Reading", register: "Register") -> None:
    from exchange.cli.rules import tell_rules

    for line in _sentences(wanted, found):
        screen.say(line)
    tell_rules(screen, found.rules, register)


def sentences(wanted: "Wanted", found: "Reading", register: "Register") -> list[Text]:
    """The answer in whole sentences: yes or no, what is missing, and the rules with their texts."""
    rules = [
        Text(
            f"{rule} {register.rule(rule).title_en} ({register.citation(rule, 'en')})",
            f"{rule} {register.rule(rule).title_zh}（{register.citation(rule, 'zh')}）",
        )
        for rule in found.rules
    ]
    return [*_sentences(wanted, found), *rules]


def _sentences(wanted: "Wanted", found: "Reading") -> list[Text]:
    named = {"member": wanted.member, "dataset": wanted.dataset, "purpose": wanted.purpose}
    grant = short(found.grant)
    said = [fill(_MAY, **named, grant=grant) if found.permit else fill(_MAY_NOT, **named)]
    if found.grant is not None and not found.permit:
        said.append(fill(_NEAREST, grant=grant))
    for one in found.missing:
        en = fill(_MISSING, what=one.text.en, remedy=one.remedy.en).en
        zh = fill(_MISSING, what=one.text.zh, remedy=one.remedy.zh).zh
        said.append(Text(en, zh))
    return said


def reading_data(wanted: "Wanted", found: "Reading", register: "Register") -> dict[str, Any]:
    """The answer for programs, in both languages."""
    return {
        "member": wanted.member,
        "dataset": wanted.dataset,
        "purpose": wanted.purpose,
        "fields": list(wanted.fields),
        "regions": list(wanted.regions),
        "permit": found.permit,
        "grant": found.grant,
        "rules": [
            {
                "id": rule,
                "title": {lang: register.rule(rule).title(lang) for lang in ("en", "zh")},
                "citation": {lang: register.citation(rule, lang) for lang in ("en", "zh")},
                "badge": register.rule(rule).badge,
            }
            for rule in found.rules
        ],
        "missing": [
            {"what": one.what, "text": one.text, "remedy": one.remedy} for one in found.missing
        ],
    }
