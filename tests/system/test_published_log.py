"""A hub killed while it seals: the log is finished, and its heads are one history."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.logcheck import Logcheck
from tests.system.installation import PROVIDER, Installation, until

ROUNDS = 2
PLACES = ("hub/hub-1.head", "hub/log/checkpoint")


def shown(home: Path) -> list[bytes]:
    """The heads that stand on disk."""
    return [(home / place).read_bytes() for place in PLACES if (home / place).exists()]


def another(home: Path) -> Callable[[], bool]:
    """Tells whether other heads stand there than now."""
    before = shown(home)
    return lambda: shown(home) != before


@pytest.fixture(scope="module")
def heads(
    shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Checkpoints as they stood on disk after each kill, as files."""
    shared_installation.repair()
    home, folder = shared_installation.home, tmp_path_factory.mktemp("heads")
    dice, kept = random.Random(4), []
    for number in range(ROUNDS):
        sealed = another(home)
        asking = shared_installation.start("keys", "rotate", member=PROVIDER)
        until(sealed, "a head to be sealed")
        time.sleep(dice.random() * 0.02)
        shared_installation.kill("hub")
        asking.wait()
        for place, raw in enumerate(shown(home)):
            file = folder / f"{number}-{place}"
            file.write_bytes(raw)
            kept.append(file)
        shared_installation.repair()
    return kept


def test_what_others_verify_is_whole_and_never_took_a_head_back(
    installation: Installation, heads: list[Path], logcheck: Logcheck, tmp_path: Path
) -> None:
    copied = installation.run("audit", "mirror", str(tmp_path / "copy"), member=PROVIDER).answer
    older = [word for file in heads for word in ("-old", str(file))]
    said = logcheck.accepts(*older, tmp_path / "copy", vkeys=copied["vkeys"][:1])
    assert said["inclusions"] == said["size"] == copied["size"]
    assert len(said["consistent"]) == len(heads) == 2 * ROUNDS
    sizes = {(file.read_bytes().split(b"\n")[1], file.read_bytes()) for file in heads}
    assert len({size for size, _ in sizes}) == len(sizes), "two signed heads of one size"


def test_the_auditor_finds_the_same(installation: Installation, heads: list[Path]) -> None:
    found = installation.run("audit", "verify", "--against", str(heads[-1]), member=PROVIDER).answer
    assert found["checkpoint"]["size"] == found["entries"]
