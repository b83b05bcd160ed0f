"""A ledger of any size, each entry made as a hub makes it: ``python -m bench.bigledger COUNT``.

Members sign acts (bench/traffic.py); the hub's own `Appender` authenticates each, decides by the
rules, signs the entry, sends it, reads it back and folds it. Nothing is shortened but the bus,
which is in memory, and the calendar: ``SPAN_DAYS`` go by however many entries there are. About
a millisecond an entry on one core, so a million take some 20 minutes; they are kept in the user's
cache with the rules they were decided by, and used again.
"""

import asyncio
import json
import random
import struct
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from bench.traffic import Traffic, founded
from bench.villages import CACHE
from exchange.bus.memory import MemoryCluster
from exchange.registry.statehash import state_hash
from policies.engine import Engine
from policies.ruleset import RuleSet
from tests.ledger.drafts import DAY_MS
from tests.ledger.hubs import TOPIC, Hub, begin
from tests.ledger.world import World

SPAN_DAYS: Final = 300
SEED: Final = 4
PORTION: Final = 5_000
"""Entries that are in memory at a time."""
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class BigLedger:
    """A ledger in ``directory``; ``root`` and ``state`` are those of its hub, in hex.

    ``entries.bin`` has the entries, each behind its length in 4 bytes, ``ledger.json`` what stands
    here, ``rules/`` the rule set that decided them.
    """

    directory: Path
    pin: str
    size: int
    root: str
    state: str
    seconds: float
    kinds: dict[str, int]
    verdicts: dict[str, int]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """One that was made before. Raises `FileNotFoundError`."""
        said = json.loads((directory / "ledger.json").read_text("utf-8"))
        return cls(directory=directory, **said)

    def save(self) -> None:
        """Write ``ledger.json``, which makes the directory a ledger."""
        said = asdict(self)
        del said["directory"]
        text = json.dumps(said, ensure_ascii=False, indent=2) + "\n"
        (self.directory / "ledger.json").write_text(text, "utf-8")

    def engine(self) -> Engine:
        """The rules in force on this ledger, whatever ships today."""
        return Engine(RuleSet.read(self.directory / "rules"))

    def entries(self) -> Iterator[bytes]:
        """The entries, in order."""
        with (self.directory / "entries.bin").open("rb") as file:
            while head := file.read(_LENGTH.size):
                yield file.read(*_LENGTH.unpack(head))


def big_ledger(count: int, *, cache: Path = CACHE) -> BigLedger:
    """A ledger of ``count`` entries: the one in the cache, or made now."""
    directory = cache / f"ledger-{count}"
    try:
        return BigLedger.load(directory)
    except FileNotFoundError:
        return asyncio.run(make(directory, count))


async def make(directory: Path, count: int, *, seed: int = SEED) -> BigLedger:
    """Make one of exactly ``count`` entries. Raises `ValueError` if that is too few to begin."""
    began = time.monotonic()
    (directory / "rules").mkdir(parents=True, exist_ok=True)
    for name, content in RuleSet.read().files.items():
        (directory / "rules" / name).write_bytes(content)
    world = founded(seed=seed)
    cluster = MemoryCluster(seed=seed, now_ms=world.now_ms)
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    world.fold = hub.fold
    pen = _Pen(world, hub, cluster, step_ms=SPAN_DAYS * DAY_MS / count, seed=seed)
    traffic = Traffic(world, seed=seed)
    first = traffic.opening()
    if count < hub.follower.size + len(first):
        raise ValueError(f"a ledger of {count} entries is too small for its members")
    with (directory / "entries.bin").open("wb") as file:
        for body, by in first:
            await pen.write(world.sign(body, by=by), body.kind)
        while hub.follower.size < count:
            body, by = traffic.next()
            await pen.write(world.sign(body, by=by), body.kind)
            if hub.follower.size % PORTION == 0:
                pen.empty(file.write)
                _tell(hub.follower.size, count)
        pen.empty(file.write)
    made = BigLedger(
        directory=directory,
        pin=world.pin.hex(),
        size=hub.follower.size,
        root=hub.follower.root().hex(),
        state=state_hash(hub.registry).hex(),
        seconds=round(time.monotonic() - began, 1),
        kinds=pen.kinds,
        verdicts=pen.verdicts,
    )
    await hub.stop()
    made.save()
    return made


class _Pen:
    """Appends through the hub, lets time pass, and takes what was written off the cluster."""

    def __init__(
        self, world: World, hub: Hub, cluster: MemoryCluster, *, step_ms: float, seed: int
    ) -> None:
        self.kinds: dict[str, int] = {}
        self.verdicts: dict[str, int] = {}
        self._world = world
        self._hub = hub
        self._cluster = cluster
        self._step_ms = step_ms
        self._chance = random.Random(seed)

    async def write(self, raw: bytes, kind: str) -> None:
        """Append an act, whatever the verdict."""
        appended = await self._hub.append(raw)
        verdict = "permit" if appended.permit else "deny"
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        passed_ms = int(self._chance.expovariate(1 / self._step_ms))
        self._world.advance(passed_ms)
        self._cluster.advance(passed_ms)

    def empty(self, write: Callable[[bytes], object]) -> None:
        """Hand everything on the topic to ``write`` and drop it: the hub has read it."""
        messages = self._cluster.messages(TOPIC, 0)
        for message in messages:
            assert message.value is not None
            write(_LENGTH.pack(len(message.value)) + message.value)
        if messages:
            self._cluster.expire(TOPIC, 0, messages[-1].offset + 1)


def _tell(done: int, count: int) -> None:
    print(f"bench: {done:,} of {count:,} entries", file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(big_ledger(int(sys.argv[1])))
