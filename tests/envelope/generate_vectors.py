"""Write the frozen vectors of SPEC.md §7, or with ``--check`` compare them with what is written.

    python -m tests.envelope.generate_vectors [--check]

One file a vector, so that a change shows what it changes. Wrapped secrets (HPKE is randomised) are
kept in ``epochs.json`` and used again. Vectors are formats that exist in the world: one that has to
change means that what was sealed yesterday no longer opens. The bytes also depend on the
compressor, whose version requirements.lock fixes.
"""

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from exchange.model.batch import Batch
from tests.envelope import bad_cases, bad_contents
from tests.envelope.bad_cases import Bad
from tests.envelope.forging import EPOCHS, SIGNING, VECTORS
from tests.envelope.good_cases import Good, good_cases
from tests.envelope.reading import read


def bad_vectors() -> Iterator[Bad]:
    """Every bundle that must be refused."""
    return chain(
        bad_cases.malformed_bundles(),
        bad_cases.malformed_statements(),
        bad_cases.malformed_headers(),
        bad_cases.wrong_fields(),
        bad_cases.wrong_signatures(),
        bad_cases.wrong_ciphertexts(),
        bad_contents.wrong_keys(),
        bad_contents.wrong_frames(),
        bad_contents.wrong_compression(),
        bad_contents.wrong_structure(),
        bad_contents.wrong_stamps(),
    )


def files() -> dict[Path, str]:
    """What the folder of vectors should hold, by path."""
    made = {VECTORS / f"good-{one.name}.json": _good(one) for one in good_cases()}
    for bad in bad_vectors():
        path = VECTORS / f"bad-{bad.name}.json"
        if path in made:
            raise ValueError(f"two vectors are called {bad.name}")
        made[path] = _bad(bad)
    return {
        path: json.dumps(value, ensure_ascii=False, indent=1) + "\n" for path, value in made.items()
    }


def main(arguments: list[str]) -> int:
    """Write the files, or report how they differ; the exit code."""
    wanted = files()
    kept = {path: path.read_text("utf-8") for path in VECTORS.glob("*.json") if path != EPOCHS}
    differing = sorted(
        path.name for path in wanted.keys() | kept.keys() if wanted.get(path) != kept.get(path)
    )
    if arguments == ["--check"]:
        for name in differing:
            sys.stderr.write(f"tests/envelope/vectors/{name} is not what the code makes\n")
        return 1 if differing else 0
    for path in kept.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, "utf-8")
    sys.stdout.write(f"{len(wanted)} vectors, {len(differing)} changed\n")
    return 0


def opened(batch: Batch) -> list[Any]:
    """What a reader delivers, as JSON: columns, operations, versions."""
    return [batch.columns, batch.operations, batch.versions]


def read_case(one: Good) -> Batch:
    """What comes out of a good bundle."""
    return read(one.made.raw, public=SIGNING.raw, contract=one.contract, keys=one.keys)


def _good(one: Good) -> dict[str, Any]:
    return {
        "says": one.says,
        "contract": _text(one.contract.encoded),
        "public": SIGNING.raw.hex(),
        "keys": _keys(one.keys),
        "epoch_secret": bytes(one.live.secret).hex(),
        "opens_to": json.dumps(opened(read_case(one)), ensure_ascii=False),
        "header_hash": one.made.header_hash.hex(),
        "bundle": _text(one.made.raw),
    }


def _bad(one: Bad) -> dict[str, Any]:
    expected = one.expected
    return {
        "failure": one.failure,
        "contract": _text(one.contract.encoded),
        "public": one.public.hex(),
        "keys": _keys(one.keys),
        "epoch_secret": None if one.epoch_secret is None else one.epoch_secret.hex(),
        "expected": {
            "origin": expected.origin,
            "dataset": expected.dataset,
            "provider": expected.provider,
            "stream": expected.stream.hex(),
            "region": expected.region,
        },
        "bundle": _text(one.raw),
    }


def _keys(keys: Mapping[int, bytes]) -> dict[str, str]:
    return {str(level): key.hex() for level, key in sorted(keys.items())}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
