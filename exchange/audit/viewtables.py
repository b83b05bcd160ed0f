"""The tables of the search view: one definition for SQLite and PostgreSQL.

A view can be thrown away and built again at any time; nothing is stored here that the ledger does
not say. Raise `FORMAT` whenever a table or the meaning of a column changes: a view of another
format is refused until it is built again.

Searching needs posting lists more than columns: ``audit_terms`` numbers every word that can be
asked for (``rule`` REV-01, ``dataset`` villages …), ``audit_marks`` lists the entries of each in
order. Ledger time never runs back, so a span of time is a span of indices.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

FORMAT: Final = 1

_LONG: Final = BigInteger().with_variant(Integer, "sqlite")  # an INTEGER key is SQLite's own rowid

TABLES: Final = MetaData()

POSITION: Final = Table(
    "audit_position",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("format", Integer, nullable=False),
    Column("pin", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
"""One row: how far the view has come. It changes in the transaction that brings the entries."""

HEADS: Final = Table(
    "audit_heads",
    TABLES,
    Column("size", _LONG, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
)
"""Sizes at which the view has answered questions, with their roots, for cursors."""

ENTRIES: Final = Table(
    "audit_entries",
    TABLES,
    Column("entry", _LONG, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("hub", Text, nullable=False),
    Column("act", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("grant", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("void", Text, nullable=False),
    Column("carried", Boolean, nullable=False),
    Column("disputed", Boolean, nullable=False),
    Column("rules", Text, nullable=False),
    Column("refused", Text, nullable=False),
    Column("sections", Text, nullable=False),
    Column("regions", Text, nullable=False),
)
"""One row an entry. Lists are words with spaces between them, ``refused`` is JSON."""

TERMS: Final = Table(
    "audit_terms",
    TABLES,
    Column("id", _LONG, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("entries", BigInteger, nullable=False),
    UniqueConstraint("name", "value"),
)
"""Words that can be asked for; ``entries`` is the number of entries that have it."""

MARKS: Final = Table(
    "audit_marks",
    TABLES,
    Column("term", _LONG, primary_key=True, autoincrement=False),
    Column("entry", _LONG, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Which entries have which word."""

Index("audit_entries_time", ENTRIES.c.time_ms, ENTRIES.c.entry)
Index("audit_entries_act", ENTRIES.c.act)
