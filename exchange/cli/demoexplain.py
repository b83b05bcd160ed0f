"""The scene of the demo in which the bus explains itself: who may read what, in both languages."""

from typing import TYPE_CHECKING, Final

from exchange.cli.demostage import HUMAN, RESULTS, VILLAGES, Stage
from exchange.cli.mayread import sentences
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.mayread import Reading, Wanted
    from exchange.wiring.office import Office

_SCENE: Final = Text(
    "Whoever asks is told: may Human Resources read this, and if not, what is missing?",
    "有问必答：人社厅能否读取？若不能，缺少什么？",
)


async def explain_access(stage: Stage) -> None:
    """One grant that stands and one that was revoked, each in Chinese and in English."""
    stage.open_scene(_SCENE)
    office = stage.offices[HUMAN]
    for dataset, standing in ((VILLAGES, True), (RESULTS, False)):
        wanted, found = await _asked(office, stage.grants[dataset])
        stage.must(found.permit == standing, _SCENE, ", ".join(found.rules))
        said = sentences(wanted, found, office.view.engine.register)
        for line in (*(one.zh for one in said), *(one.en for one in said)):
            stage.screen.say(Text(f"   {line}", f"   {line}"))


async def _asked(office: "Office", grant: bytes) -> "tuple[Wanted, Reading]":
    """What the rules say now about all that a grant was given for."""
    from exchange.audit.mayread import Wanted, may_read
    from exchange.wiring.clock import now_ms

    registry = await office.registry()
    row = registry.grants[grant]
    wanted = Wanted(row.consumer, row.dataset, row.purpose, fields=row.fields, regions=row.regions)
    return wanted, may_read(registry, office.view.engine, wanted, now_ms())
