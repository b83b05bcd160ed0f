"""What the SQL sinks share: names, safe quoting, and the statements both databases understand.

For dataset ``exam-results`` a store gets

* ``exam_results_records``: the contract's columns, ``_version`` and ``_deleted``; primary key as in
  the contract. A deleted record stays as a tombstone (key and version, the rest NULL), so that a
  late upsert with a lower version cannot bring it back;
* ``exam_results``: a view of what is not deleted, the contract's columns only. Read this one;
* ``exchange_positions``: for each dataset and stream the last bundle committed;
* ``exchange_disputed``: (dataset, version, objection, since) of records that somebody disputes;
* ``exam_results_disputed``: a view of those that are still held in that version, with
  ``_objection`` and ``_disputed_since_ms``. Whoever uses a record looks here first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.errors import SinkMismatch
from adapters.ports import Delivery

VERSION: Final = "_version"
DELETED: Final = "_deleted"

_DATASET: Final = re.compile(r"[a-z][a-z0-9-]{1,62}")


def quoted(name: str) -> str:
    """``name``, which `Table.of` has checked, as an SQL identifier."""
    return f'"{name}"'


@dataclass(frozen=True, slots=True)
class Table:
    """The table of one dataset: ``columns`` are (name, field type of the contract), in order."""

    dataset: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]

    @classmethod
    def of(cls, dataset: str, columns: Sequence[tuple[str, str]], key: Sequence[str]) -> "Table":
        """Checked: all names are plain and the key is among the columns.

        Names become part of statements; nothing but letters, digits and ``_`` gets there.
        """
        names = [name for name, _ in columns]
        plain = all(name.isidentifier() and not name.startswith("_") for name in names)
        if not (plain and _DATASET.fullmatch(dataset) and key and set(key) <= set(names)):
            raise SinkMismatch(
                "a table needs plain names and the whole key among its columns",
                "建表需要合规的名称，且列中须含完整主键",
                remedy=("grant the key section", "请授权主键所在分段"),
                failure="key-missing",
            )
        return cls(dataset=dataset, columns=tuple(columns), key=tuple(key))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the contract's columns."""
        return tuple(name for name, _ in self.columns)

    @property
    def stored_names(self) -> tuple[str, ...]:
        """Names of all columns of the records table."""
        return (*self.names, VERSION, DELETED)

    @property
    def view(self) -> str:
        """The view's name, unquoted."""
        return self.dataset.replace("-", "_")

    @property
    def records(self) -> str:
        """The records table's name, unquoted."""
        return f"{self.view}_records"

    def create_records(self, types: dict[str, str], flag_type: str) -> str:
        """``CREATE TABLE IF NOT EXISTS``; ``types`` maps field types to the store's."""
        lines = [
            f"{quoted(name)} {types[kind]}{' NOT NULL' if name in self.key else ''}"
            for name, kind in self.columns
        ]
        lines.append(f"{VERSION} {types['integer']} NOT NULL")
        lines.append(f"{DELETED} {flag_type} NOT NULL")
        lines.append(f"PRIMARY KEY ({_list(self.key)})")
        return f"CREATE TABLE IF NOT EXISTS {quoted(self.records)} ({', '.join(lines)})"

    def view_query(self) -> str:
        """What the view shows."""
        names = _list(self.names)
        return " ".join(("SELECT", names, "FROM", quoted(self.records), "WHERE NOT", DELETED))

    @property
    def disputed(self) -> str:
        """The name of the view of disputed records, unquoted."""
        return f"{self.view}_disputed"

    def disputed_query(self) -> str:
        """What that view shows; the dataset's name was checked by `Table.of`."""
        names = ", ".join(f"held.{quoted(name)}" for name in self.names)
        return " ".join(
            (
                "SELECT",
                names,
                ", said.objection AS _objection, said.since_ms AS _disputed_since_ms FROM",
                quoted(self.records),
                f"AS held JOIN exchange_disputed AS said ON said.version = held.{VERSION}",
                f"WHERE NOT held.{DELETED} AND said.dataset = '{self.dataset}'",
            )
        )

    def upsert(self, rows: str) -> str:
        """Insert ``rows`` (``VALUES (…)`` or a query); a higher version replaces, others do not."""
        target = quoted(self.records)
        others = [name for name in self.stored_names if name not in self.key]
        updates = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
        return (
            f"INSERT INTO {target} AS kept ({_list(self.stored_names)}) {rows}"
            f" ON CONFLICT ({_list(self.key)}) DO UPDATE SET {updates}"
            f" WHERE excluded.{VERSION} > kept.{VERSION}"
        )


CREATE_POSITIONS: Final = (
    "CREATE TABLE IF NOT EXISTS exchange_positions (dataset text NOT NULL, stream text NOT NULL,"
    " sequence bigint NOT NULL, header_hash text NOT NULL, PRIMARY KEY (dataset, stream))"
)

CREATE_DISPUTED: Final = (
    "CREATE TABLE IF NOT EXISTS exchange_disputed (dataset text NOT NULL, version bigint NOT NULL,"
    " objection text NOT NULL, since_ms bigint NOT NULL,"
    " PRIMARY KEY (dataset, version, objection))"
)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))


def rows_of(table: Table, delivery: Delivery) -> list[list[object]]:
    """The delivery's columns as stored: the contract's, versions, deleted flags.

    Raises `SinkMismatch` if the delivery's columns are not the table's.
    """
    if delivery.columns.keys() != set(table.names):
        raise SinkMismatch(
            f"a bundle of {table.dataset} has other columns than this sink was opened for",
            f"数据集 {table.dataset} 的数据包与目标表的列不一致",
            remedy=("open the sink anew for the present grant", "请按现行授权重新打开目标"),
            failure="columns",
        )
    columns: list[list[object]] = [delivery.columns[name] for name in table.names]
    if delivery.operations is None:
        return [*columns, list(delivery.versions), [False] * len(delivery.versions)]
    deleted = [operation == 1 for operation in delivery.operations]
    for place, name in enumerate(table.names):
        if name not in table.key:
            columns[place] = [
                None if gone else value for value, gone in zip(columns[place], deleted, strict=True)
            ]
    return [*columns, list(delivery.versions), list(deleted)]
