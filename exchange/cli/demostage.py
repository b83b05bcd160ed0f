"""Where the demo plays: its home, its cast, its offices, and what must come true on the way."""

import csv
import gzip
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exchange.cli import demotexts as texts
from exchange.cli.screen import Screen, fill
from exchange.errors import CheckFailed
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.report import Report
    from exchange.model.contract import Contract
    from exchange.wiring.home import Home
    from exchange.wiring.newcomer import Newcomer
    from exchange.wiring.office import Office

AUTHORITY: Final = "data-bureau"
CIVIL: Final = "civil-affairs"
EXAMS: Final = "exam-authority"
HUMAN: Final = "human-resources"
AUDITOR: Final = "audit-office"
VILLAGES: Final = "village-register"
RESULTS: Final = "exam-results"
CITY: Final = "3301"
CITY_NAME: Final = Text("Hangzhou", "杭州市")

NAMES: Final = {
    AUTHORITY: Text("Zhejiang Data Bureau", "浙江省数据局"),
    CIVIL: Text("Zhejiang Civil Affairs", "浙江省民政厅"),
    EXAMS: Text("Zhejiang Examination Authority", "浙江省教育考试院"),
    HUMAN: Text("Zhejiang Human Resources", "浙江省人力资源和社会保障厅"),
    AUDITOR: Text("Zhejiang Audit Office", "浙江省审计厅"),
}
CREDIT_CODES: Final = {
    AUTHORITY: "113300000DEM000017",
    CIVIL: "113300000DEM00002A",
    EXAMS: "123300000DEM00003A",
    HUMAN: "113300000DEM00004G",
    AUDITOR: "113300000DEM00005K",
}
"""Made up: valid check characters, DEM in the place of a body's number."""
_KINDS: Final = {EXAMS: "authorised", AUDITOR: "auditor"}


def cast() -> "list[Newcomer]":
    """Everybody but the authority, whom genesis names."""
    from exchange.wiring.newcomer import Newcomer

    return [
        Newcomer(
            member=member,
            kind=_KINDS.get(member, "department"),
            name_zh=NAMES[member].zh,
            name_en=NAMES[member].en,
            credit_code=CREDIT_CODES[member],
            region="33",
        )
        for member in (CIVIL, EXAMS, HUMAN, AUDITOR)
    ]


@dataclass(slots=True)
class Stage:
    """The demo's state; `must` is how a scene insists on what it tells."""

    home: "Home"
    screen: Screen
    records: int
    offices: "dict[str, Office]" = field(default_factory=dict)
    contracts: "dict[str, Contract]" = field(default_factory=dict)
    grants: dict[str, bytes] = field(default_factory=dict)
    exam_columns: dict[str, list[Any]] = field(default_factory=dict)
    pushed: int = 0
    delivered: int = 0
    tampered_refused: int = 0
    duties: dict[str, Any] = field(default_factory=dict)
    """What is overdue at the end, the escalation, and a projection."""
    scene: int = 0

    @property
    def folder(self) -> Path:
        """Where the departments of the demo keep their own files."""
        return self.home.path / "departments"

    def open_scene(self, heading: Text) -> None:
        """The next heading."""
        self.scene += 1
        self.screen.heading(Text(f"{self.scene}. {heading.en}", f"{self.scene}. {heading.zh}"))

    def tell(self, text: Text, **values: object) -> None:
        """A thing that came true."""
        filled = fill(text, **values)
        self.screen.say(Text(f"   ✓ {filled.en}", f"   ✓ {filled.zh}"))

    def must(self, holds: bool, step: Text, found: object = "") -> None:
        """`CheckFailed`, and with it exit 1, unless ``holds``."""
        if not holds:
            told = fill(texts.NOT_AS_TOLD, step=step.en, found=found)
            zh = fill(texts.NOT_AS_TOLD, step=step.zh, found=found).zh
            raise CheckFailed(told.en, zh, failure="not-as-told")

    def received(self, dataset: str) -> Path:
        """The database that Human Resources receives ``dataset`` into."""
        return self.home.member_directory(HUMAN) / "received" / f"{dataset}.db"

    def note_pull(self, report: "Report") -> None:
        """Count what a pull delivered and refused."""
        self.delivered += report.records
        self.tampered_refused += sum(report.ignored.values())


@contextmanager
def demo_file(name: str) -> Iterator[Path]:
    """A file of the demo's data, wherever the package is installed."""
    with as_file(files("exchange.cli") / "demodata" / name) as path:
        yield path


def village_rows() -> dict[str, list[str]]:
    """The register as columns, straight from its file."""
    with demo_file("villages-33.csv.gz") as path, gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return {name: list(values) for name, *values in zip(*rows, strict=True)}


def write_csv(path: Path, columns: dict[str, list[Any]]) -> Path:
    """A department's export."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def stored_rows(database: Path, dataset: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Column names and all rows of a received dataset, sorted."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        view = '"' + dataset.replace("-", "_") + '"'
        found = connection.execute(f"SELECT * FROM {view}")  # noqa: S608 - one of two names
        return tuple(column[0] for column in found.description), sorted(found.fetchall())


def exam_rows(
    columns: dict[str, list[Any]], fields: Sequence[str], city: str
) -> list[tuple[Any, ...]]:
    """What a sink must hold of the generated results: ``fields`` of the rows of ``city``."""
    typed = {name: [_stored(name, value) for value in columns[name]] for name in fields}
    rows = zip(*typed.values(), strict=True)
    return sorted(row for row, place in zip(rows, columns["city"], strict=True) if place == city)


def _stored(name: str, value: str) -> Any:  # noqa: ANN401 - text or number, by column
    if name == "passed":
        return int(value == "true")
    return int(value) if name == "place" else value
