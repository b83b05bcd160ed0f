"""A verifier made only of Go's note and tlog packages accepts our log, and not one flipped bit."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.ledger.proof import Proof
from exchange.ledger.tiles import CHECKPOINT
from tests.fixtures.logcheck import Logcheck
from tests.ledger.logs import ORIGIN, PublishedLog

SIZE = 600


@pytest.fixture(scope="module")
def log() -> PublishedLog:
    return PublishedLog(seed=8).grow(SIZE)


@pytest.fixture
def folder(log: PublishedLog, tmp_path: Path) -> Path:
    """The log of all entries, as a hub writes it."""
    write(tmp_path / "log", log.files())
    return tmp_path / "log"


@pytest.fixture
def vkeys(log: PublishedLog) -> list[str]:
    """The Ed25519 key of the hub that signed; Go's note package knows no other kind."""
    return [log.keys.vkeys[0].text()]


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, raw in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)


def flip(file: Path, position: int, bit: int = 0) -> None:
    raw = bytearray(file.read_bytes())
    raw[position] ^= 1 << bit
    file.write_bytes(raw)


def test_it_accepts_checkpoint_tiles_entries_inclusion_and_consistency(
    logcheck: Logcheck, log: PublishedLog, folder: Path, vkeys: list[str], tmp_path: Path
) -> None:
    older = []
    for size in (1, 255, 256, 300, 599, 600):
        (tmp_path / f"old-{size}").write_bytes(log.signed(size).render())
        older += ["-old", str(tmp_path / f"old-{size}")]
    said = logcheck.accepts(*older, folder, vkeys=vkeys)
    assert (said["origin"], said["size"], said["entries"]) == (ORIGIN, SIZE, SIZE)
    assert (said["inclusions"], said["tiles"]) == (SIZE, 4)
    assert said["consistent"] == [1, 255, 256, 300, 599, 600]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257])
def test_it_accepts_logs_of_awkward_sizes(
    logcheck: Logcheck, log: PublishedLog, vkeys: list[str], tmp_path: Path, size: int
) -> None:
    write(tmp_path, log.files(size))
    assert logcheck.accepts(tmp_path, vkeys=vkeys)["inclusions"] == size


def test_it_accepts_a_log_that_a_web_server_serves(
    logcheck: Logcheck, folder: Path, vkeys: list[str], web: str
) -> None:
    assert logcheck.accepts(web, vkeys=vkeys)["entries"] == SIZE


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    """The folder behind a plain web server."""
    serve = functools.partial(Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("path", "position", "why"),
    [
        (CHECKPOINT, 0, "checkpoint"),  # origin
        (CHECKPOINT, len(ORIGIN) + 2, "checkpoint"),  # size
        (CHECKPOINT, len(ORIGIN) + 10, "checkpoint"),  # root
        (CHECKPOINT, len(ORIGIN) + 100, "checkpoint"),  # signature
        ("tile/0/000", 0, "not the tile"),
        ("tile/0/001", 8_191, "not the tile"),
        ("tile/0/002.p/88", 100, "not the tile"),
        ("tile/1/000.p/2", 33, "not the tile"),
        ("tile/entries/000", 2, "root"),
        ("tile/entries/001", 1, "bundle|root|left over"),
        ("tile/entries/002.p/88", -1, "root"),
    ],
)
def test_it_refuses_one_flipped_bit(
    logcheck: Logcheck, folder: Path, vkeys: list[str], path: str, position: int, why: str
) -> None:
    flip(folder / path, position)
    said = logcheck.refuses(folder, vkeys=vkeys)
    assert any(reason in said for reason in why.split("|")), said


def test_it_refuses_what_mutations_leave(
    logcheck: Logcheck, log: PublishedLog, folder: Path, vkeys: list[str], tmp_path: Path
) -> None:
    forked = PublishedLog(seed=8).grow(300)
    forked.chance.random()
    forked.grow(300)
    (tmp_path / "other").write_bytes(forked.signed().render())
    said = logcheck.refuses("-old", tmp_path / "other", folder, vkeys=vkeys)
    assert "not consistent" in said
    (tmp_path / "newer").write_bytes(log.signed().render())
    (folder / CHECKPOINT).write_bytes(log.signed(599).render())
    said = logcheck.refuses("-old", tmp_path / "newer", folder, vkeys=vkeys)
    assert "no such file" in said or "signed before" in said


def test_it_refuses_the_log_of_another_key(
    logcheck: Logcheck, log: PublishedLog, folder: Path
) -> None:
    stranger = PublishedLog(seed=9).keys.vkeys[0].text()
    assert "checkpoint" in logcheck.refuses(folder, vkeys=[stranger])
    second = log.keys.hubs[1].keys[0].text()
    assert "checkpoint" in logcheck.refuses(folder, vkeys=[second])


def test_it_verifies_a_proof_offline_and_refuses_one_flipped_bit(
    logcheck: Logcheck, log: PublishedLog, vkeys: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "entry-417.tlog-proof"
    text = Proof(417, log.tree.inclusion(417), log.signed().render(), log.entries[417]).text()
    file.write_text(text)
    assert logcheck.accepts("-proof", file, vkeys=vkeys)["proven"] == 417
    extra = text.index("extra ") + 8
    index = text.index("index ") + 6
    path = text.index("\n", index) + 3
    root = text.index(ORIGIN) + len(ORIGIN) + 8
    for position in (extra, index, path, root, text.index("— ") + 60):
        flip(file, len(text[:position].encode()))
        logcheck.refuses("-proof", file, vkeys=vkeys)
        file.write_text(text)
    bare = Proof(417, log.tree.inclusion(417), log.signed().render()).text()
    file.write_text(bare)
    (tmp_path / "entry").write_bytes(log.entries[417])
    said = logcheck.accepts("-proof", file, "-entry", tmp_path / "entry", vkeys=vkeys)
    assert said["proven"] == 417
    (tmp_path / "entry").write_bytes(log.entries[416])
    logcheck.refuses("-proof", file, "-entry", tmp_path / "entry", vkeys=vkeys)
