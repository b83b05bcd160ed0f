"""Where to read a topic from after a restart, so that years of it are not read again.

Only a hint, kept by the reader's machine: everything before these offsets was judged when the sink
stood exactly where it stands now. The hint is bound to the sink's positions, so a sink that was
emptied, restored or written by another reader is served from the beginning. Losing the hint costs
time and nothing else; a wrong one can only hide bundles that an anchor on the ledger then reports
as withheld.
"""

import errno
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import orjson
import structlog

from exchange.bus.ports import Place

_LOG = structlog.get_logger(__name__)
FORMAT: Final = 1
Positions = Mapping[str, tuple[int, str]]


class Resumes(Protocol):
    """Keeps one reader's hint."""

    def load(self, positions: Positions) -> dict[Place, int]:
        """The offsets to read from, if the sink stands where it stood; {} otherwise."""
        ...

    def save(self, offsets: Mapping[Place, int], positions: Positions) -> None:
        """Replace the hint. May fail silently: it is a hint."""
        ...


class NoResume:
    """Reads from the beginning, always."""

    def load(self, positions: Positions) -> dict[Place, int]:
        """See Resumes."""
        return {}

    def save(self, offsets: Mapping[Place, int], positions: Positions) -> None:
        """See Resumes."""


class ResumeFile:
    """A hint in one small JSON file, replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, positions: Positions) -> dict[Place, int]:
        """See Resumes. A file that is torn, foreign or of another sink's state is no hint."""
        try:
            held = orjson.loads(self._path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        match held:
            case {"format": 1, "sink": str(sink), "offsets": list(offsets)} if sink == _digest(
                positions
            ):
                return dict(place for entry in offsets for place in _place(entry))
            case _:
                return {}

    def save(self, offsets: Mapping[Place, int], positions: Positions) -> None:
        """See Resumes."""
        entries = [[topic, partition, offset] for (topic, partition), offset in offsets.items()]
        held = {"format": FORMAT, "sink": _digest(positions), "offsets": sorted(entries)}
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(orjson.dumps(held))
            fresh.replace(self._path)
        except OSError as error:
            _LOG.warning("no resume hint kept", failure=errno.errorcode.get(error.errno or 0, "io"))


def _digest(positions: Positions) -> str:
    lines = sorted(f"{stream} {at} {head}" for stream, (at, head) in positions.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _place(entry: object) -> list[tuple[Place, int]]:
    match entry:
        case [str(topic), int(partition), int(offset)] if offset >= 0:
            return [((topic, partition), offset)]
        case _:
            return []
