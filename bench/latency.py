"""One record, from the provider's call to the commit in the subscriber's PostgreSQL.

Publisher, hub, broker, subscriber and database are processes of their own on one machine. Records
come one by one at random moments, so that no fetch or timer is hit in step. The clock stops when
the sink's commit has returned, with ``synchronous_commit`` and fsync on.
"""

import asyncio
import random
import time
from typing import Final

from bench.follower import follower
from bench.installation import Installation
from bench.rounds import quantile
from bench.villages import Villages

PAUSE_S: Final = (0.02, 0.06)
WARM_UPS: Final = 20
"""The first record of an epoch waits for its key; that is told apart."""


async def latency(
    site: Installation, villages: Villages, conninfo: str, *, count: int
) -> dict[str, float]:
    """Milliseconds from push to commit: quantiles over ``count`` records, and of the first one."""
    shared = await site.dataset("latency", whole=True)
    chance = random.Random(1)
    pushed: list[int] = []
    acknowledged: list[int] = []
    async with follower(site, shared, conninfo) as running, site.publisher(shared) as publisher:
        for row in villages.sample(count + WARM_UPS).rows:
            await asyncio.sleep(chance.uniform(*PAUSE_S))
            pushed.append(time.monotonic_ns())
            await publisher.push({name: [value] for name, value in row.items()})
            await publisher.flush()
            acknowledged.append(time.monotonic_ns())
        await running.delivered(len(pushed))
        took = [
            (running.committed_ns[sequence] - began) / 1e6 for sequence, began in enumerate(pushed)
        ]
        kept = [(done - began) / 1e6 for began, done in zip(pushed, acknowledged, strict=True)]
        commits = [running.commit_ms[sequence] for sequence in range(len(pushed))]
    usual = took[WARM_UPS:]
    return {
        "records": len(usual),
        "p50_ms": round(quantile(usual, 0.50), 2),
        "p90_ms": round(quantile(usual, 0.90), 2),
        "p99_ms": round(quantile(usual, 0.99), 2),
        "max_ms": round(max(usual), 2),
        "first_ms": round(took[0], 2),
        "acknowledged_p50_ms": round(quantile(kept[WARM_UPS:], 0.50), 2),
        "acknowledged_p99_ms": round(quantile(kept[WARM_UPS:], 0.99), 2),
        "commit_p50_ms": round(quantile(commits[WARM_UPS:], 0.50), 2),
        "commit_p99_ms": round(quantile(commits[WARM_UPS:], 0.99), 2),
    }
