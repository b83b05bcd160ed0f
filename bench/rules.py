"""Decisions in a large state: ten thousand members, a hundred thousand datasets, a million grants.

``python -m bench.rules MEMBERS DATASETS GRANTS DECISIONS`` builds the state in a process of its own
and prints one JSON object; `rules` runs it and reads that.

Members and datasets are rows like those of a real fold, each with a contract of its own; every
grant is made by the effects that the fold applies to an application, duties that follow from it
included. A decision is what a hub does for one item of a key request: rows into a question, the
question into a slice, the slice to Cedar. *Cold* asks Cedar about a grant for the first time;
*cached* about a slice whose entities it was given before, with another context; *remembered* is
what a hub really does for a subscriber that asks epoch after epoch: the same a second of ledger
time later, answered from memory where the rules cannot tell the questions apart.
*Add* is the effect of an application that is granted, *apply* the same with its examination and the
decision before it.
"""

import asyncio
import gc
import hashlib
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.rounds import quantile
from exchange.model import acts
from exchange.registry import access
from exchange.registry.case import Asked
from exchange.registry.decide import examine, rule_on
from exchange.registry.effects import apply_effects
from exchange.registry.rows import Grant
from exchange.registry.supposed import Supposed
from exchange.wiring.lawbook import shipped_rules
from policies.facts import Answer, Question
from policies.slices import slice_of
from tests.ledger.drafts import HOUR_MS
from tests.ledger.world import World, exchange_world

TIMED: Final = 10_000
"""The newest grants, each timed alone."""
_FIELDS: Final = ("code", "name", "head")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the state is, and how many decisions are timed."""

    members: int
    datasets: int
    grants: int
    decisions: int


async def rules(scale: Scale) -> dict[str, float]:
    """The figures, measured in a fresh process so that its memory is the state's."""
    sizes = map(str, (scale.members, scale.datasets, scale.grants, scale.decisions))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.rules", *sizes, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"bench.rules ended with {process.returncode}")
    found: dict[str, float] = json.loads(out)
    return found


def measure(scale: Scale) -> dict[str, float]:
    """Build the state, time decisions in it, and add to it."""
    chance = random.Random(1)
    world = exchange_world()
    before = _resident_mb()
    _members_and_datasets(world, scale)
    adding = _grants(world, scale, chance)
    gc.collect()
    state_mb = _resident_mb() - before
    found: dict[str, Any] = {
        "members": len(world.registry.members),
        "datasets": len(world.registry.datasets),
        "grants": len(world.registry.grants),
        "state_mb": state_mb,
    }
    found |= _named("add", adding)
    found |= _decisions(world, scale, chance)
    return found


def _members_and_datasets(world: World, scale: Scale) -> None:
    registry = world.registry
    member, dataset = registry.members["health"], registry.datasets["villages"]
    for number in range(scale.members):
        name = f"member-{number}"
        registry.members[name] = replace(
            member, id=name, officer=_hash(name), officer_kid=_hash(name)[:16]
        )
    shape = registry.shapes[dataset.contract_hash]
    for number in range(scale.datasets):
        name = f"dataset-{number}"
        row = replace(
            dataset,
            id=name,
            provider=f"member-{number % scale.members}",
            proposal=_hash(f"proposal of {name}"),
            contract_hash=_hash(name),
            topic=f"data.{name}",
        )
        registry.datasets[name] = row
        registry.shapes[row.contract_hash] = replace(shape, dataset=name)


def _grants(world: World, scale: Scale, chance: random.Random) -> list[float]:
    """Microseconds that each of the newest grants took, as the fold adds it."""
    times = []
    for number in range(scale.grants):
        asked = _application(world, scale, chance, number)
        began = time.perf_counter()
        apply_effects(asked, 100 + number)
        if number >= scale.grants - TIMED:
            times.append(1e6 * (time.perf_counter() - began))
    return times


def _application(world: World, scale: Scale, chance: random.Random, number: int) -> Asked:
    """An application for a random dataset by a random member, of an id of its own."""
    dataset = f"dataset-{chance.randrange(scale.datasets)}"
    region = f"33{1 + chance.randrange(11):02d}"
    body = acts.Apply(
        dataset=dataset,
        contract=world.registry.datasets[dataset].contract_hash,
        fields=_FIELDS,
        regions=(region,),
        purpose=sys.intern("collaboration"),
        duty=sys.intern("社会保险法 第七条"),
        from_ms=world.now_ms,
        to_ms=world.now_ms + 366 * 24 * HOUR_MS,
        expires_ms=world.now_ms + 366 * 24 * HOUR_MS,
        scenario=sys.intern("医保结算"),
        manner="table",
        necessary=_FIELDS,
        assessment=sys.intern("PIA-2026-001"),
    )
    member = f"member-{chance.randrange(scale.members)}"
    act = Supposed(body.kind, member, body, id=_hash(f"grant {number}"))
    return _asked(world, act, world.now_ms)


def _decisions(world: World, scale: Scale, chance: random.Random) -> dict[str, float]:
    engine = shipped_rules()
    grants = chance.sample(list(world.registry.grants.values()), scale.decisions)
    keys = [partial(_key_question, world, grant) for grant in grants]
    at_ms = world.now_ms + HOUR_MS

    def decide(question: Callable[[int], Question], at_ms: int) -> Answer:
        return engine.decide(question(at_ms))

    def ask(question: Callable[[int], Question]) -> Answer:
        return engine.decide_slice(slice_of(question(at_ms)))

    cold, answers = _timed([partial(ask, question) for question in keys])
    refused = [answer for answer in answers if not answer.permit]
    if refused:
        raise RuntimeError(f"a decision of the benchmark is refused: {refused[0].rules}")
    # As many slices as the engine keeps entities of; another time is another context.
    few = keys[-512:]
    for question in few:
        engine.decide_slice(slice_of(question(at_ms + 1)))
    slices = [slice_of(question(at_ms + 2)) for question in few]
    cached, _ = _timed([partial(engine.decide_slice, one) for one in slices])
    for question in keys:
        decide(question, at_ms)
    again, _ = _timed([partial(decide, question, at_ms + 1_000) for question in keys])
    new = [_application(world, scale, chance, scale.grants + n) for n in range(scale.decisions)]
    whole, _ = _timed([partial(_admit, world, asked) for asked in new])
    return (
        _named("cold", cold)
        | _named("cached", cached)
        | _named("remembered", again)
        | _named("apply", whole)
    )


def _admit(world: World, asked: Asked) -> None:
    """An application as a hub and its fold take it: examined, decided, entered into the state."""
    verdict = rule_on(examine(asked), shipped_rules(), {})
    if not verdict.permit:
        raise RuntimeError(f"an application of the benchmark is refused: {verdict.rules}")
    apply_effects(asked, len(world.registry.grants))


def _key_question(world: World, grant: Grant, at_ms: int) -> Question:
    asked = _asked(world, Supposed(acts.AskKeys.kind, grant.consumer), at_ms)
    return access.key_question(
        asked,
        grant,
        purpose=grant.purpose,
        contract=grant.contract_hash,
        fields=grant.fields,
        region=grant.regions[0],
        period=(grant.from_ms, grant.from_ms + HOUR_MS // 4),
    )


def _asked(world: World, act: Supposed, at_ms: int) -> Asked:
    return Asked(act, world.registry, at_ms, shipped_rules, world.fold.book)


def _timed(calls: Sequence[Callable[[], Any]]) -> tuple[list[float], list[Any]]:
    """Microseconds of each call, and what it gave; the collector waits meanwhile."""
    gc.collect()
    gc.disable()
    times, given = [], []
    for call in calls:
        began = time.perf_counter()
        given.append(call())
        times.append(1e6 * (time.perf_counter() - began))
    gc.enable()
    return times, given


def _named(what: str, times: list[float]) -> dict[str, float]:
    return {
        f"{what}_p50_us": round(quantile(times, 0.5), 1),
        f"{what}_p99_us": round(quantile(times, 0.99), 1),
    }


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1_024, 1)
    return 0.0


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


if __name__ == "__main__":
    print(json.dumps(measure(Scale(*map(int, sys.argv[1:])))))
