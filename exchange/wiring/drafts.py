"""A contract drafted from a CSV file: read a sample, guess, give YAML to correct."""

from pathlib import Path
from typing import Final

from adapters.csv_source import CsvSource
from exchange.model.infer import infer_contract

SAMPLE_RECORDS: Final = 100_000
"""Enough to see rare values; a second or two, and some hundred MB for wide files."""


def draft_contract(file: Path, *, delimiter: str = ",") -> str:
    """YAML text of a draft for ``file``, named after it.

    Raises adapters' `SourceUnreadable` for a file that is no CSV, `InputUnreadable` without rows.
    """
    batches = CsvSource(file, delimiter=delimiter).batches(SAMPLE_RECORDS)
    _, columns = next(batches, (1, {}))
    batches.close()
    columns.pop("_operation", None)
    return infer_contract(columns, dataset=file.name.split(".")[0])
