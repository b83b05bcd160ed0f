"""Bundles that open, each with what comes out of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exchange.envelope.seal import Epoch, Sealed
from exchange.model.contract import Contract
from tests.envelope import forging
from tests.envelope.forging import EXAMS, MIXED, VERSION, VILLAGES, batch, epoch, keys_of, sealed


@dataclass(frozen=True)
class Good:
    """One bundle, the keys that a reader has, and the fields that it should see."""

    name: str
    says: str
    contract: Contract
    live: Epoch
    made: Sealed
    levels: tuple[int, ...]

    @property
    def keys(self) -> dict[int, bytes]:
        """Level → section key."""
        return {level: keys_of(self.live, self.contract)[level] for level in self.levels}


def _good(
    name: str, says: str, contract: Contract, made: Sealed, live: Epoch, *levels: int
) -> Good:
    return Good(name, says, contract, live, made, levels or made.header.levels)


def _exams(rows: int) -> list[list[Any]]:
    return [
        [f"N{row:05d}", f"33{row % 11:02d}", 300 + row * 7 % 400, row % 97 == 0]
        for row in range(rows)
    ]


def good_cases() -> Iterator[Good]:
    """All of them; names are file names."""
    live = epoch(VILLAGES)
    first = sealed(VILLAGES, forging.TWO_VILLAGES, live)
    yield _good("two-villages", "one section, two records", VILLAGES, first, live)
    second = sealed(
        VILLAGES,
        batch(VILLAGES, [["330102001053", "涌金门社区"]], versions=[VERSION + 2]),
        live,
        sequence=1,
        previous=first.header_hash,
    )
    yield _good("second-of-the-stream", "names the first as its previous", VILLAGES, second, live)
    live = epoch(EXAMS, region="3301")
    made = sealed(EXAMS, forging.THREE_RESULTS, live)
    yield _good("three-sections", "every section opened", EXAMS, made, live)
    yield _good("two-of-three-sections", "the key of level 3 is not given", EXAMS, made, live, 1, 2)
    made = sealed(
        EXAMS,
        batch(
            EXAMS,
            _exams(4),
            operations=[0, 1, 0, 1],
            versions=[VERSION, VERSION + 5, VERSION + 6, VERSION + 90],
        ),
        live,
        name="deletes",
    )
    yield _good("deletes-and-gaps", "operations and versions listed", EXAMS, made, live)
    made = sealed(EXAMS, batch(EXAMS, _exams(2000)), live, name="bulk")
    yield _good("two-thousand-results", "compressed beyond the least padding", EXAMS, made, live)
    live = epoch(MIXED)
    rows: list[list[Any]] = [
        [-(1 << 63), 'quotes " and \\ and ,[{}]: and 逗号，'],
        [(1 << 63) - 1, "\\"],
        [0, ""],
        [1, None],
        [None, '","'],
        [2, "line\nbreak\ttab\x00null 🀄"],
    ]
    made = sealed(MIXED, batch(MIXED, rows), live)
    yield _good(
        "awkward-values", "text that looks like structure; nulls; 64 bits", MIXED, made, live
    )
