"""The benchmarks by name, in the order they run, on one installation and one PostgreSQL."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from bench import breakdown, bulk, evidence, ledger, rules, wholesale
from bench.installation import Installation, installation
from bench.latency import latency
from bench.rounds import Measured
from bench.villages import ROWS, Villages, load, villages_file
from exchange.wiring.homekafka import embedded, is_embedded
from tests.fixtures.postgres import running_server

LONG: Final = 4
"""How many times the long load is the usual one."""
ACT_RECORDS: Final = 2_000
"""Records that open the streams which small acts are about: some of every province."""


SMALL_STATE: Final = rules.Scale(50, 200, 1_000, 100)
LEDGER_ENTRIES: Final = 50_000
"""Of the long ledger that evidence is measured on; ``--entries 1000000`` for the whole of it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    records: int
    rounds: int
    latencies: int
    epochs: int
    acts: int
    seconds: float
    state: rules.Scale = SMALL_STATE
    """Of the ledger's state, for decisions."""
    entries: int = LEDGER_ENTRIES

    @classmethod
    def whole(cls) -> Self:
        """A run whose figures count."""
        return cls(
            records=ROWS,
            rounds=5,
            latencies=500,
            epochs=2_048,
            acts=3_000,
            seconds=20.0,
            state=rules.Scale(10_000, 100_000, 1_000_000, 10_000),
        )

    @classmethod
    def quick(cls) -> Self:
        """A run that shows that everything works."""
        return cls(
            records=20_000, rounds=1, latencies=20, epochs=64, acts=50, seconds=1.0, entries=1_000
        )


@dataclass(slots=True)
class Run:
    """What a benchmark is given, and where it leaves what it found."""

    site: Installation
    villages: Villages
    size: Size
    conninfo: str
    directory: Path
    notes: list[str]
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    where: dict[str, dict[str, float]] = field(default_factory=dict)
    """Where the time went: what was looked at → part → how much, by `bench.breakdown`."""

    @property
    def bulk(self) -> bulk.Bench:
        """For the bulk benchmarks."""
        return bulk.Bench(self.site, self.villages, self.size.rounds, self.notes)


async def _publish(run: Run) -> None:
    measured, parts = await bulk.publish(run.bulk)
    run.found["publish"] = _rates(measured)
    run.where["publish, profiled, ms"] = parts


async def _open(run: Run) -> None:
    measured, parts = await bulk.opened(run.bulk)
    run.found["open"] = _rates(measured)
    run.where["open, profiled, ms"] = parts


async def _wire(run: Run) -> None:
    run.found["wire"] = await bulk.wire(run.bulk)


async def _latency(run: Run) -> None:
    run.found["latency"] = await latency(
        run.site, run.villages, run.conninfo, count=run.size.latencies
    )


async def _load(run: Run) -> None:
    """The whole file, then four times as much: seconds, and whether memory stays where it is."""
    whole = run.villages.count == ROWS
    for name, times in (("load", 1), ("load-long", LONG)):
        count = run.villages.count * times
        with wholesale.repeated(villages_file(), count, run.directory) as file:
            before = breakdown.cpu_seconds(run.site, run.conninfo)
            loaded = await wholesale.load(run.site, file, run.conninfo, name=name, records=count)
            spent = breakdown.used(before, breakdown.cpu_seconds(run.site, run.conninfo))
        run.found[name] = asdict(loaded)
        run.where[f"{name}, processor seconds"] = {
            "push": loaded.push_processor_s,
            "subscriber": loaded.pull_processor_s,
            **spent,
        }
    if not whole:
        run.notes.append("load: the first rows only, as this is a quick run")


async def _release(run: Run) -> None:
    """Keys a second in acts of every size; then how long one takes at half of that."""
    async with ledger.asking(run.site, run.villages, epochs=run.size.epochs) as given:
        for items in (ledger.BULK_ITEMS, ledger.USUAL_ITEMS, ledger.ONE):
            some = min(items, run.size.epochs)
            count = max(8, min(2 * run.size.epochs // some, run.size.acts // 3))
            before = breakdown.cpu_seconds(run.site, run.conninfo)
            timers = await breakdown.hub_timers(run.site)
            released = await ledger.release(given, items=some, count=count)
            run.found[f"release-{items}"] = released
            spent = breakdown.used(before, breakdown.cpu_seconds(run.site, run.conninfo))
            run.where[f"release in acts of {items}, processor ms an act"] = {
                name: round(seconds * 1000 / count, 2) for name, seconds in spent.items()
            }
            run.where[f"release in acts of {items}, the hub's timers, mean ms"] = breakdown.mean_ms(
                timers, await breakdown.hub_timers(run.site)
            )
            if items != ledger.BULK_ITEMS:
                run.found[f"response-{items}"] = await ledger.response(
                    given,
                    items=some,
                    keys_per_s=released["keys_per_s"] / 2,
                    seconds=run.size.seconds,
                )


async def _replay(run: Run) -> None:
    run.found["acts"] = await ledger.acts(
        run.site, run.villages.sample(ACT_RECORDS), count=run.size.acts
    )
    run.found["replay"] = await ledger.replay(run.site)


async def _rules(run: Run) -> None:
    run.found["rules"] = await rules.rules(run.size.state)


async def _evidence(run: Run) -> None:
    """Replay, reconciling and proofs on a long ledger, each in a process of its own."""
    measured = await asyncio.to_thread(evidence.measured, run.size.entries, run.directory)
    run.found |= {f"ledger-{name}": figures for name, figures in measured.items()}


Benchmark = Callable[[Run], Awaitable[None]]

BENCHMARKS: Final[dict[str, Benchmark]] = {
    "wire": _wire,
    "publish": _publish,
    "open": _open,
    "latency": _latency,
    "load": _load,
    "replay": _replay,
    "release": _release,
    "rules": _rules,
    "evidence": _evidence,
}


async def measure(
    directory: Path, names: list[str], size: Size, notes: list[str]
) -> tuple[dict[str, dict[str, Any]], str]:
    """Run the benchmarks called ``names``: what they found, and the version of Kafka."""
    with running_server() as conninfo:
        async with installation(directory / "home") as site:
            run = Run(site, load(size.records), size, conninfo, directory, notes)
            for name, benchmark in BENCHMARKS.items():
                if name in names:
                    print(f"bench: {name}", file=sys.stderr, flush=True)
                    await benchmark(run)
            own = is_embedded(site.home, site.settings)
            version = embedded(site.home).version if own else "of EXCHANGE_KAFKA"
    return {**run.found, "where": run.where}, version


def _rates(measured: dict[str, Measured]) -> dict[str, Any]:
    return {name: one.as_json() for name, one in measured.items()}
