"""A contract drafted from a data file: read a sample, guess, give YAML to correct."""

from pathlib import Path
from typing import Final

import orjson

from adapters.ports import OPERATION
from exchange.model.infer import infer_contract
from exchange.wiring.sources import open_source

SAMPLE_RECORDS: Final = 100_000
"""Enough to see rare values; a second or two, and some hundred MB for wide files."""


def draft_contract(file: Path, *, delimiter: str = ",") -> str:
    """YAML text of a draft for ``file`` (CSV or JSON Lines, as its name says), named after it.

    Raises adapters' `SourceUnreadable` for a file that is neither, `InputUnreadable` without rows.
    """
    source = open_source(str(file), None, delimiter=delimiter)
    _, columns = next(iter(source.batches(SAMPLE_RECORDS)), (1, {}))
    texts = {
        name: [_text(value) for value in values]
        for name, values in columns.items()
        if name != OPERATION
    }
    return infer_contract(texts, dataset=file.name.split(".")[0])


def _text(value: object) -> str | None:
    """What a CSV file would hold for ``value`` of a JSON record."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
