"""What a long-running adapter is told: one strict TOML file.

::

    [adapter]
    kind = "source"  # or "sink"
    member = "civil-affairs"
    instance = "main"
    metrics_port = 0  # 0: no metrics port

    [source]  # kind = "source"
    dataset = "village-register"
    folder = "/srv/outbox"  # files are taken from here, oldest name first
    pattern = "*.csv"
    format = "csv"  # or "jsonl"
    delimiter = ","
    every_s = 5  # how often the folder is looked at

    [sink]  # kind = "sink"
    grant = "3f0c…"  # id of a grant, may be cut
    out = "sqlite:/srv/villages.db"  # as `exchange pull --out`
    dsn_file = "/etc/exchange/dsn"  # instead of out: a file that holds a connection string

An unknown key is an error that names file and line.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from exchange.errors import ConfigurationInvalid
from exchange.model.faultwords import unfit
from exchange.wiring.delimiter import DELIMITER, delimiter_of
from exchange.wiring.home import DEFAULT_INSTANCE
from exchange.wiring.tomlfile import Table, parse, read_toml

Text = Annotated[str, Field(min_length=1, max_length=1_000)]


def _separating(said: str) -> str:
    sign = delimiter_of(said)
    if sign is None:
        raise unfit(DELIMITER)
    return sign


Delimiter = Annotated[str, AfterValidator(_separating)]


class AdapterTable(Table):
    """``[adapter]``."""

    kind: Literal["source", "sink"]
    member: Text
    instance: Text = DEFAULT_INSTANCE
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0


class SourceTable(Table):
    """``[source]``."""

    dataset: Text
    folder: Text
    pattern: Text = "*.csv"
    format: Literal["csv", "jsonl"] = "csv"
    delimiter: Delimiter = ","
    every_s: Annotated[int, Field(ge=1, le=86_400)] = 5


class SinkTable(Table):
    """``[sink]``."""

    grant: Text
    out: str = ""
    dsn_file: str = ""


class AdapterConfiguration(Table):
    """The whole file."""

    adapter: AdapterTable
    source: SourceTable | None = None
    sink: SinkTable | None = None


def read_configuration(path: Path) -> AdapterConfiguration:
    """The configuration in ``path``; `ConfigurationInvalid` names file, line and key."""
    document = read_toml(path)
    read = parse(document, AdapterConfiguration)
    kind = read.adapter.kind
    if getattr(read, kind) is None or (read.source is not None and read.sink is not None):
        line = document.line(("adapter", "kind"))
        raise ConfigurationInvalid(
            f"{path}:{line}: kind is {kind!r}, so there must be one table [{kind}] and no other",
            f"{path}:{line}：kind 为 {kind!r}，须有且仅有 [{kind}] 一节",
            remedy=(f"write the table [{kind}]", f"请编写 [{kind}] 一节"),
            failure="kind",
        )
    return read


def template(kind: Literal["source", "sink"], member: str) -> str:
    """A configuration to start from."""
    head = f'[adapter]\nkind = "{kind}"\nmember = "{member}"\ninstance = "main"\nmetrics_port = 0\n'
    if kind == "source":
        return head + (
            '\n[source]\ndataset = "DATASET"\n'
            "# Put whole files here under another name and rename them: what matches is read.\n"
            'folder = "outbox"\npattern = "*.csv"\nformat = "csv"\ndelimiter = ","\nevery_s = 5\n'
        )
    return head + (
        '\n[sink]\ngrant = "GRANT"\n'
        "# sqlite:PATH, a folder for JSON Lines, or postgresql://…; a password belongs into a\n"
        "# file of mode 0600 that dsn_file names instead.\n"
        'out = "sqlite:received.db"\n'
    )
