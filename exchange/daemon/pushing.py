"""From a source to the bus: everything a source holds, once, with nothing lost on the way.

    source ──► publisher.push ──► flush ──► report
                   └─ rejected records ──► quarantine (encrypted)

Records that violate the contract are kept before the next batch is read; the others go on. A crash
at any point is repaired by pushing the same source again: records are upserts by key, so a sink
ends with the same rows.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exchange.flow.ports import Clock, Source, Unreadable
from exchange.flow.publish import Publisher
from exchange.flow.quarantine import Quarantine
from exchange.model.text import Text
from exchange.model.validate import Rejected

PORTION_RECORDS: Final = 10_000
"""Records taken from a source at a time; more would cost memory and gain no speed."""
FAULTS_TOLD_MAX: Final = 20
"""Faults that are told one by one; all of them are kept and counted."""

Lines = int | Sequence[int]


@dataclass(slots=True)
class Pushing:
    """What became of a source; ``faults`` are the first `FAULTS_TOLD_MAX`."""

    accepted: int = 0
    rejected: int = 0
    unreadable: int = 0
    faults: list[Rejected] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every record was accepted."""
        return not (self.rejected or self.unreadable)

    @property
    def empty(self) -> bool:
        """Whether the source held nothing at all."""
        return self.clean and not self.accepted


class Pushes:
    """Pushes whole sources of one dataset through ``publisher``."""

    def __init__(
        self, publisher: Publisher, quarantine: Quarantine, dataset: str, *, clock: Clock
    ) -> None:
        self._publisher = publisher
        self._quarantine = quarantine
        self._dataset = dataset
        self._clock = clock
        self.begun = False
        """Whether records of a source have been taken, so that some of them may be published."""

    async def push(
        self, source: Source, name: str, *, advance: Callable[[int], None] = lambda _: None
    ) -> Pushing:
        """Push all of ``source``; returns when Kafka has acknowledged it and it is anchored.

        ``name`` is how kept records call their source. Raises `BusUnavailable` with everything
        sealed so far in the spool: the next push sends it.
        """
        done = Pushing()
        batches = source.batches(PORTION_RECORDS)
        while (batch := await asyncio.to_thread(_next, batches)) is not None:
            lines, columns = batch
            self.begun = True
            pushed = await self._publisher.push(columns, first_line=lines)
            done.accepted += pushed.accepted
            self._note(done, pushed.rejected, name, lines, columns)
            _note_unreadable(done, source.take_rejected())
            advance(len(next(iter(columns.values()), ())))
        _note_unreadable(done, source.take_rejected())
        await self._publisher.flush()
        await self._publisher.report()
        return done

    def _note(
        self,
        done: Pushing,
        rejected: Sequence[Rejected],
        name: str,
        lines: Lines,
        columns: dict[str, list[Any]],
    ) -> None:
        if not rejected:
            return
        done.rejected += len({one.line for one in rejected})
        done.faults.extend(rejected[: FAULTS_TOLD_MAX - len(done.faults)])
        kept = self._quarantine.keep(
            self._dataset, name, columns, rejected, lines=lines, now_ms=self._clock()
        )
        done.kept.append(kept)


def _note_unreadable(done: Pushing, bad: Sequence[Unreadable]) -> None:
    done.unreadable += len(bad)
    told = [Rejected(one.line, "", Text(*one.reason), Text(*one.remedy)) for one in bad]
    done.faults.extend(told[: FAULTS_TOLD_MAX - len(done.faults)])


def _next(
    batches: Iterator[tuple[Lines, dict[str, list[Any]]]],
) -> tuple[Lines, dict[str, list[Any]]] | None:
    return next(batches, None)
