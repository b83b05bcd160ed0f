"""The demo's catalogue and applications: reviewed and published, returned, refused, answered.

Each scene does what the commands do, then checks it; demostory.py tells the rest.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from exchange.cli import demotexts as texts
from exchange.cli.demostage import (
    AUTHORITY,
    CITY,
    CITY_NAME,
    CIVIL,
    EXAMS,
    HUMAN,
    NAMES,
    RESULTS,
    VILLAGES,
    Stage,
    demo_file,
)
from exchange.cli.times import DAY_MS
from exchange.errors import RuleRefused
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.registry.rows import Request
    from exchange.wiring.publication import Described

PURPOSE: Final = "qualification-check"
DUTY: Final = "《社会保险法》第八条"
LEVELS: Final = (1, 2)
PERSONAL: Final = ("candidate", "resident_id")
ASSESSMENT: Final = "PIA-2026-0042"
"""Made up: the reference of the impact assessment that personal data needs (PI-02)."""


@dataclass(frozen=True, slots=True)
class _Matter:
    """What the demo's applications are for; see `exchange.wiring.applications.Matter`."""

    purpose: str = PURPOSE
    duty: str = DUTY
    scenario: str = "社会保险待遇资格核验"
    manner: str = "table"
    necessary: tuple[str, ...] = ()
    assessment: str = ""


MATTER: Final = _Matter()


def _datasets() -> "dict[str, tuple[str, Described]]":
    """What each provider says of its dataset."""
    from exchange.wiring.publication import Described

    return {
        VILLAGES: (
            CIVIL,
            Described(
                sharing="unconditional",
                secrecy="none",
                basis="《地名管理条例》",
                classification="基础信息资源/自然资源和空间地理",
                code="103001/000001",
                abstract="浙江省村（居）民委员会名录",
                openness="向社会开放",
                library="space",
                core_item=True,
                sources=("村社代码", "村社名称"),
            ),
        ),
        RESULTS: (
            EXAMS,
            Described(
                sharing="conditional",
                secrecy="none",
                basis="《政务数据共享条例》",
                classification="部门信息资源/教育考试",
                code="306002/000002",
                abstract="专业技术资格考试成绩（演示用生成数据）",
                openness="不开放",
                conditions=("仅用于专业技术资格核验",),
                scope=("department", "33"),
                uses=(PURPOSE,),
                sources=("专业技术资格考试成绩",),
            ),
        ),
    }


async def catalogue(stage: Stage) -> None:
    """A purpose is registered; both datasets are proposed, reviewed and published."""
    from exchange.model.contract import Contract
    from exchange.wiring import applications, publication

    stage.open_scene(texts.CATALOGUE)
    authority = stage.offices[AUTHORITY]
    purpose = texts.PURPOSE_TITLE
    await applications.define_purpose(
        authority, PURPOSE, title_zh=purpose.zh, title_en=purpose.en, duty=DUTY
    )
    stage.tell(texts.PURPOSE, purpose=PURPOSE, title=stage.screen.word(purpose))
    for dataset, (provider, said) in _datasets().items():
        with demo_file(f"{dataset}.yaml") as path:
            contract = Contract.from_yaml(path)
        stage.contracts[dataset] = contract
        # A cluster of one's own may hold the topics of earlier runs: each run has its own.
        own = replace(said, topic=f"{stage.home.table.log.topic}.{dataset}")
        await publication.propose(stage.offices[provider], contract, own)
        await publication.review(authority, dataset, ())
        await publication.publish(authority, dataset)
        stage.tell(
            texts.PROPOSED,
            provider=stage.screen.word(NAMES[provider]),
            dataset=dataset,
            sharing=said.sharing,
            fields=len(contract.fields),
            sections=len(contract.sections),
        )


async def ask_without_duty(stage: Stage) -> None:
    """An application that names no statutory duty is refused, on the record."""
    stage.open_scene(texts.NO_DUTY)
    nothing = replace(MATTER, duty="", necessary=PERSONAL, assessment=ASSESSMENT)
    await refused(stage, "DUTY-01", texts.NO_DUTY, lambda: ask(stage, RESULTS, nothing, ("all",)))


async def apply_properly(stage: Stage) -> None:
    """Returned once, completed; then refused barely, for money, and at last answered."""
    from exchange.wiring import applications

    request = await _returned_and_completed(stage)
    provider = stage.offices[EXAMS]
    registry = await provider.registry()
    stage.open_scene(texts.BARE)
    await refused(
        stage,
        "OBL-01",
        texts.BARE,
        lambda: applications.refuse(provider, request, basis="", reason=""),
    )
    stage.open_scene(texts.FEE)
    as_asked = applications.Wanted((), (), 0, 0, 0)
    await refused(
        stage,
        "FEE-01",
        texts.FEE,
        lambda: applications.approve(
            provider, request, as_asked, price="0.10 元/条", conditions=()
        ),
    )
    stage.open_scene(texts.PARTLY)
    shape = registry.shapes[request.contract_hash]
    fields = applications.fields_of_levels(shape, LEVELS)
    partly = applications.Wanted(fields, (CITY,), 0, 0, 0)
    admitted = await applications.approve(provider, request, partly, price="", conditions=())
    stage.grants[RESULTS] = applications.grant_of(provider.view.registry, admitted.act) or b""
    stage.tell(
        texts.GRANT,
        grant=stage.grants[RESULTS].hex()[:12],
        fields=", ".join(fields),
        region=f"{CITY} {stage.screen.word(CITY_NAME)}",
    )


async def ask(
    stage: Stage, dataset: str, matter: _Matter, fields: tuple[str, ...]
) -> tuple[bytes | None, str]:
    """An application of Human Resources for the province: its grant, if any, and the rules."""
    from exchange.wiring import applications
    from exchange.wiring.clock import now_ms

    office = stage.offices[HUMAN]
    now = now_ms()
    named = stage.contracts[dataset].names if fields == ("all",) else fields
    wanted = applications.Wanted(named, ("33",), now - DAY_MS, now + 30 * DAY_MS, now + 30 * DAY_MS)
    said = applications.Matter(
        matter.purpose,
        matter.duty,
        matter.scenario,
        matter.manner,
        matter.necessary,
        matter.assessment,
    )
    admitted = await applications.apply(office, dataset, wanted, said)
    grant = applications.grant_of(office.view.registry, admitted.act)
    return grant, ", ".join(admitted.rules)


async def refused(
    stage: Stage, rule: str, step: Text, attempt: Callable[[], Awaitable[object]]
) -> None:
    """``attempt`` must be refused under ``rule``; tell what the rule is and where it stands."""
    from policies.register import Register

    try:
        await attempt()
    except RuleRefused as error:
        register, language = Register.load(), stage.screen.language
        stage.must(rule in error.rules, step, ", ".join(error.rules))
        title = register.rule(rule).title(language)
        stage.tell(texts.REFUSED, rule=rule, title=title)
        stage.screen.say(texts.SOURCE, source=register.citation(rule, language))
        return
    stage.must(False, step, "permit")


async def _returned_and_completed(stage: Stage) -> "Request":
    """An application without scenario and manner goes back once, and comes back whole."""
    from exchange.wiring import applications

    stage.open_scene(texts.INCOMPLETE)
    fields = stage.contracts[RESULTS].names
    bare = replace(MATTER, scenario="", manner="", necessary=PERSONAL, assessment=ASSESSMENT)
    await ask(stage, RESULTS, bare, fields)
    office = stage.offices[HUMAN]
    registry = office.view.registry
    request = next(row for row in registry.requests.values() if row.dataset == RESULTS)
    stage.must(request.status == "returned", texts.INCOMPLETE, request.status)
    parts = [stage.screen.word(applications.PARTS[part]) for part in request.missing]
    stage.tell(texts.RETURNED, missing=", ".join(parts))
    rest = applications.Matter("", "", MATTER.scenario, MATTER.manner)
    await applications.complete(office, request, applications.Wanted((), (), 0, 0, 0), rest)
    stage.tell(
        texts.APPLIED,
        request=request.id.hex()[:12],
        purpose=stage.screen.word(texts.PURPOSE_TITLE),
        duty=DUTY,
    )
    return office.view.registry.requests[request.id]
