"""Archives and copies of a log on the command line, where there is no home and no network."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from exchange.audit.archive import ArchiveWriter, Header
from exchange.cli.main import run
from exchange.ledger.checkpoint import parse_checkpoint
from exchange.ledger.merkle import Tree
from exchange.ledger.note import Note
from exchange.ledger.tiles import CHECKPOINT, encode_bundle
from tests.audit.reported import busy, signed_head
from tests.audit.test_mutations import published
from tests.ledger.drafts import ORIGIN
from tests.ledger.logs import PublishedLog, policy_text
from tests.ledger.world import World

WITNESS = PublishedLog(seed=2)


@pytest.fixture(scope="module")
def world() -> World:
    return busy().world


@pytest.fixture(autouse=True)
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "none"))


def audit(*words: str | Path) -> tuple[int, dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    code = run(["audit", *map(str, words), "--json"], out=out, err=err)
    said = json.loads(out.getvalue() or err.getvalue())
    return code, said.get("error", said)


def head_of(world: World, *, witnessed: bool) -> Note:
    note = signed_head(world)
    lines = WITNESS.cosigned(parse_checkpoint(note.text)) if witnessed else ()
    return Note(note.text, (*note.lines, *lines))


def archive(
    world: World,
    folder: Path,
    *notes: Note,
    origin: str = ORIGIN,
    pin: bytes = b"",
    entries: int | None = None,
) -> Path:
    file = folder / "ledger.archive"
    with file.open("wb") as target:
        writer = ArchiveWriter(target, Header(origin, pin or world.pin, 0))
        for entry in world.entries[:entries]:
            writer.add(entry.raw)
        writer.close([note.render() for note in notes])
    return file


def policy(folder: Path) -> Path:
    file = folder / "policy"
    file.write_bytes(policy_text(WITNESS))
    return file


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_a_policy_is_demanded_of_an_archive(command: str, world: World, tmp_path: Path) -> None:
    words = ("--pin", world.pin.hex(), "--policy", policy(tmp_path))
    file = archive(world, tmp_path, head_of(world, witnessed=True))
    code, said = audit(command, "--archive", file, *words)
    assert (code, said["witnesses"]) == (0, ["health"])
    for notes in ([head_of(world, witnessed=False)], []):
        file = archive(world, tmp_path, *notes)
        code, said = audit(command, "--archive", file, *words)
        assert (code, said["failure"]) == (1, "quorum")
        assert audit(command, "--archive", file, *words[:2])[0] == 0


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_an_archive_that_says_more_than_it_holds_is_refused(
    command: str, world: World, tmp_path: Path
) -> None:
    words = ("--pin", world.pin.hex())
    head = head_of(world, witnessed=False)
    for changed in ({"origin": "another.test/2026"}, {"pin": bytes(32)}):
        file = archive(world, tmp_path, head, **changed)
        code, said = audit(command, "--archive", file, *words)
        assert (code, said["failure"]) == (1, "archive-header")
    for notes in ([], [head]):
        file = archive(world, tmp_path, *notes, entries=0)
        code, said = audit(command, "--archive", file, *words)
        assert (code, said["failure"]) == (1, "no-genesis")
    code, said = audit(command, "--archive", archive(world, tmp_path), "--pin", "ab" * 32)
    assert (code, said["failure"]) == (1, "wrong-genesis")
    assert "topic" not in said["message"]["en"]
    assert "the file" in said["remedy"]["en"]


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_what_no_checkpoint_covers_is_said(command: str, world: World, tmp_path: Path) -> None:
    files = published(world)
    assert parse_checkpoint(head_of(world, witnessed=False).text).size == len(world.entries)
    out = io.StringIO()
    words = ["audit", command, "--pin", world.pin.hex(), "--archive"]
    assert run([*words, str(archive(world, tmp_path))], out=out, err=out) == 0
    assert "there is no signed checkpoint" in out.getvalue()
    assert CHECKPOINT in files
    nobody = tmp_path / "nobody"
    nobody.write_bytes(policy_text(WITNESS, quorum="none"))
    file = str(archive(world, tmp_path, head_of(world, witnessed=False)))
    assert run([*words, file, "--policy", str(nobody)], out=out, err=out) == 0
    assert "the policy asks for no witness" in out.getvalue()
    assert "its quorum" not in out.getvalue()


def write(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_copy_of_a_log_is_replayed_with_its_tiles_and_its_quorum(
    world: World, tmp_path: Path
) -> None:
    files = published(world) | {CHECKPOINT: head_of(world, witnessed=True).render()}
    folder = write(files, tmp_path / "log")
    words = ("replay", "--log", folder, "--pin", world.pin.hex())
    code, said = audit(*words, "--policy", policy(tmp_path))
    assert (code, said["witnesses"], said["tiles"]) == (0, ["health"], 1)
    tile = next(name for name in files if name.startswith("tile/0/"))
    (folder / tile).write_bytes(files[tile][:-1] + bytes([files[tile][-1] ^ 1]))
    code, said = audit(*words)
    assert (code, said["failure"]) == (1, "log-tile")
    assert f"entry {len(world.entries) - 1} on" in said["message"]["en"]
    bare = {CHECKPOINT: head_of(world, witnessed=False).render()}
    write(files | bare, folder)
    assert audit(*words)[0] == 0
    code, said = audit(*words, "--policy", policy(tmp_path))
    assert (code, said["failure"]) == (1, "quorum")


@pytest.mark.parametrize("change", ["swap", "delete", "duplicate"])
def test_a_copy_whose_entries_were_moved_names_the_first(
    change: str, world: World, tmp_path: Path
) -> None:
    """The entries are honest ones, each signed by a hub: only their places are false."""
    raws = [entry.raw for entry in world.entries]
    at = len(raws) - 6
    moved = {
        "swap": [*raws[:at], raws[at + 1], raws[at], *raws[at + 2 :]],
        "delete": [*raws[:at], *raws[at + 1 :], raws[-1]],
        "duplicate": [*raws[:at], raws[at - 1], *raws[at:-1]],
    }[change]
    files = published(world)
    bundle = next(name for name in files if "entries" in name)
    folder = write(files | {bundle: encode_bundle(moved)}, tmp_path / "log")
    code, said = audit("replay", "--log", folder, "--pin", world.pin.hex())
    assert (code, said["failure"]) == (1, "log-tile")
    assert f"from entry {at} on" in said["message"]["en"]


def test_an_archive_is_verified_by_itself(world: World, tmp_path: Path) -> None:
    words = ("verify", "--archive", archive(world, tmp_path), "--pin", world.pin.hex())
    for more in (("--against", tmp_path), ("--proof", tmp_path), ("--entry", tmp_path)):
        code, said = audit(*words, *more)
        assert (code, said["failure"]) == (2, "option")


def test_an_empty_log_is_none(world: World, tmp_path: Path) -> None:
    note = signed_head(world)
    empty = f"{ORIGIN}\n0\n"
    assert Tree().size == 0
    write({CHECKPOINT: Note(empty + note.text.split("\n", 2)[2], note.lines).render()}, tmp_path)
    code, said = audit("replay", "--log", tmp_path, "--pin", world.pin.hex())
    assert (code, said["failure"]) == (1, "no-genesis")
