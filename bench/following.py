"""A subscriber in a process of its own, as a department runs one: ``python -m bench.following``.

Follows a grant into a database. On standard output a line ``ready``, then one JSON line a commit:
when it returned (the machine's monotonic clock, ns), how long it took, records, and the sequences.
Ends with SIGTERM. It imports what ``exchange adapter run`` does and no more, for its memory is
measured; the other side of the pipe is `bench.follower`.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from exchange.flow.ports import Delivery, Sink
from exchange.wiring.adapters import open_sink, target_of
from exchange.wiring.home import open_home
from exchange.wiring.homekeys import find_passphrase
from exchange.wiring.office import open_office
from exchange.wiring.settings import choose_allocator, environment
from exchange.wiring.transfer import find_subscription, subscriber_into


class _Telling:
    """A sink that says when each commit returned."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.close = sink.close

    def positions(self) -> dict[str, tuple[int, str]]:
        found = self._sink.positions()
        _tell("ready")  # the next thing the subscriber does is read
        return found

    def mark(self, marks: Sequence[tuple[int, str, int]]) -> None:
        """Hand the marks on."""
        self._sink.mark(marks)

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        began_ns = time.monotonic_ns()
        self._sink.commit_many(deliveries)
        at_ns = time.monotonic_ns()
        _tell(
            {
                "at_ns": at_ns,
                "commit_ms": (at_ns - began_ns) / 1e6,
                "records": sum(len(one.versions) for one in deliveries),
                "sequences": [one.sequence for one in deliveries],
            }
        )


def _tell(what: object) -> None:
    print(what if isinstance(what, str) else json.dumps(what), flush=True)


async def _follow(home: Path, member: str, grant: bytes, conninfo: str) -> None:
    settings = environment()
    passphrase = find_passphrase(home, settings, None)
    async with open_office(open_home(home), settings, member, passphrase) as office:
        entitled = await find_subscription(office, grant)
        target = target_of(conninfo, home)
        sink = open_sink(target, entitled)
        subscriber = await subscriber_into(office, entitled, _Telling(sink), sink_name=target.sink)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, subscriber.stop)
        await subscriber.run(follow=True)
        sink.close()


if __name__ == "__main__":
    choose_allocator()
    asyncio.run(_follow(Path(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3]), sys.argv[4]))
