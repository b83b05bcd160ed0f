"""A process that commits bundles into a store until it is done or killed.

``python -m tests.adapters.committer KIND LOCATION BUNDLES``: goes on from the stored position until
``BUNDLES`` are in, and says ``go`` after its first commit.
"""

import sys
from typing import Final

from exchange.flow.ports import Delivery
from tests.adapters.stores import STREAM, Store, bundle

RECORDS: Final = 150
"""Enough for the bulk path of PostgreSQL."""


def nth(sequence: int) -> Delivery:
    """Bundle ``sequence``: new keys, one that every bundle rewrites, one that the next deletes."""
    first = sequence * (RECORDS + 3)
    records: list[tuple[object, ...]] = [(f"{sequence}-{row}", "33", row) for row in range(RECORDS)]
    records += [("always", "33", sequence), (f"brief-{sequence}", "33", 0)]
    records.append((f"brief-{sequence - 1}", None, None))
    return bundle(
        sequence,
        records,
        versions=range(first + 1, first + 1 + len(records)),
        operations=[0] * (RECORDS + 2) + [1],
    )


def main(kind: str, location: str, bundles: str) -> None:
    """Commit what is left."""
    sink = Store(kind, location).open()
    done = sink.positions().get(STREAM, (-1, ""))[0]
    for sequence in range(done + 1, int(bundles)):
        sink.commit(nth(sequence))
        if sequence == done + 1:
            sys.stdout.write("go\n")
            sys.stdout.flush()
    sink.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
