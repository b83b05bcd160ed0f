"""Where the time goes: measured beside the benchmarks, for the targets that are missed.

Three looks, none of them from memory: a profiled round, its time summed by part of the product;
processor seconds of every process of a run; and the timers that a hub keeps of itself. A profiled
round is slower than a measured one, so it gives shares, not rates.
"""

import cProfile
import os
import pstats
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx

from bench.installation import Installation
from bench.rounds import Run
from exchange.wiring.homekafka import embedded, is_embedded
from exchange.wiring.pinnedca import pinned_context

_PARTS: Final = (
    ("waiting", ("select.epoll", "selectors.py")),
    ("validate", ("exchange/model/",)),
    ("split and gather", ("exchange/flow/split.py", "exchange/flow/waiting.py")),
    ("columns and JSON", ("exchange/envelope/columns.py",)),
    ("zstd", ("exchange/envelope/frame.py",)),
    ("encrypt, hash, sign, verify", ("exchange/envelope/", "/keys/")),
    ("ledger and registry", ("exchange/ledger/", "exchange/registry/", "/policies/")),
    ("hub requests", ("exchange/wiring/remote", "exchange/flow/keyring.py", "/httpx/")),
    ("spool", ("exchange/bus/outbox.py",)),
    ("Kafka client", ("exchange/bus/", "/aiokafka/")),
)
"""Part → where its code lies; what lies elsewhere counts for whoever called it."""

Function = tuple[str, int, str]


async def profiled(run: Run) -> dict[str, float]:
    """Milliseconds by part of the product in one round of ``run``, on its own thread."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        await run()
    finally:
        profile.disable()
    return by_part(pstats.Stats(profile).stats)  # type: ignore[attr-defined]


def by_part(stats: Mapping[Function, tuple[Any, ...]]) -> dict[str, float]:
    """Milliseconds by part, of a profile's table of functions."""
    shares: dict[Function, dict[str, float]] = {}
    spent: dict[str, float] = defaultdict(float)
    for function, (_, _, own_s, _, _) in stats.items():
        for part, share in _shares(function, stats, shares).items():
            spent[part] += own_s * share * 1000
    return {part: round(spent[part], 1) for part in sorted(spent, key=spent.__getitem__)[::-1]}


def _shares(
    function: Function,
    stats: Mapping[Function, tuple[Any, ...]],
    known: dict[Function, dict[str, float]],
) -> dict[str, float]:
    """To which parts a function's own time counts: its own part, or those of its callers."""
    if function in known:
        return known[function]
    known[function] = {"other": 1.0}  # for a function that calls itself through others
    where = f"{function[0]}:{function[2]}"
    part = next((name for name, marks in _PARTS if any(mark in where for mark in marks)), None)
    if part is not None:
        known[function] = {part: 1.0}
        return known[function]
    callers = stats[function][4] if function in stats else {}
    weights = {caller: float(row[3]) for caller, row in callers.items()}
    total = sum(weights.values())
    if total > 0:
        found: dict[str, float] = defaultdict(float)
        for caller, weight in weights.items():
            for name, share in _shares(caller, stats, known).items():
                found[name] += share * weight / total
        known[function] = found
    return known[function]


def cpu_seconds(site: Installation, conninfo: str) -> dict[str, float]:
    """Processor seconds so far of hub, broker, PostgreSQL and this process."""
    found = {"hub": seconds_of(site.hub_pid), "benchmark": seconds_of(os.getpid())}
    if is_embedded(site.home, site.settings) and (node := embedded(site.home).running()):
        found["broker"] = seconds_of(node.pid)
    server = dict(one.split("=", 1) for one in conninfo.split()).get("host", "")
    pid_file = Path(server) / "data" / "postmaster.pid"
    if pid_file.is_file():
        pid = int(pid_file.read_text("ascii").split()[0])
        living = [seconds_of(child) for child in _children(pid)]
        found["PostgreSQL"] = seconds_of(pid, ended_children=True) + sum(living)
    return found


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two looks; negative never, for a process may have ended."""
    return {name: round(max(0.0, after[name] - before.get(name, 0.0)), 2) for name in after}


def seconds_of(pid: int, *, ended_children: bool = False) -> float:
    """Processor seconds of a process, all threads; of its ended children too, if wanted."""
    fields = _stat(pid)
    ticks = sum(map(int, islice(fields, 11, 15 if ended_children else 13)))
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()


def _children(parent: int) -> Iterable[int]:
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and int(_stat(int(folder.name))[1]) == parent:
                yield int(folder.name)
        except (FileNotFoundError, ProcessLookupError):
            continue


async def hub_timers(site: Installation) -> dict[str, float]:
    """Sums and counts of the hub's own timers, as its /metrics gives them to this machine."""
    root = site.home.root()
    context = pinned_context(site.home.ca_file, root.ca)
    async with httpx.AsyncClient(verify=context, base_url=site.home.hub_address) as client:
        text = (await client.get("/metrics")).text
    found: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        bare = name.partition("{")[0]
        if bare.endswith(("_seconds_sum", "_seconds_count")):
            found[bare] += float(value)
    return dict(found)


def mean_ms(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Timer → mean milliseconds between two looks; timers that did not run are left out."""
    means = {}
    for name in after:
        timer = name.removesuffix("_seconds_sum")
        if timer == name:
            continue
        count = after[f"{timer}_seconds_count"] - before.get(f"{timer}_seconds_count", 0.0)
        if count > 0:
            spent = after[name] - before.get(name, 0.0)
            means[timer.removeprefix("exchange_").replace("_", " ")] = round(
                spent * 1000 / count, 2
            )
    return means
