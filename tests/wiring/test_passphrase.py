"""A passphrase is read from a private file only, and shown nowhere."""

import os
import pickle
from pathlib import Path

import pytest

from exchange.errors import ConfigurationInvalid
from exchange.wiring.homekeys import PASSPHRASE_FILE, make_passphrase
from exchange.wiring.passphrase import PASSPHRASE_BYTES_MAX, Passphrase, read_passphrase_file


def private(path: Path, content: bytes) -> Path:
    """A file of mode 0600."""
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def failure(path: Path) -> str:
    """The failure class of reading ``path``; the message names the file and no content."""
    with pytest.raises(ConfigurationInvalid) as caught:
        read_passphrase_file(path)
    assert str(path) in caught.value.text.en
    assert "horse" not in caught.value.text.en
    return caught.value.failure


@pytest.mark.parametrize(
    "content",
    [
        "正确的马".encode(),
        "正确的马\n".encode(),
        "正确的马\r\n".encode(),
        "正确的马\nmore".encode(),
    ],
    ids=["bare", "line", "windows-line", "first-line"],
)
def test_the_first_line_is_the_passphrase(tmp_path: Path, content: bytes) -> None:
    assert read_passphrase_file(private(tmp_path / "p", content)).reveal() == "正确的马"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_file_that_others_may_touch_is_refused_with_the_command(
    tmp_path: Path, mode: int
) -> None:
    file = private(tmp_path / "p", b"correct horse")
    file.chmod(mode)
    assert failure(file) == "passphrase-file-mode"
    with pytest.raises(ConfigurationInvalid) as caught:
        read_passphrase_file(file)
    assert caught.value.remedy.en == f"chmod 600 {file}"


def test_a_missing_file_a_folder_and_a_pipe_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("missing", ".", "pipe"):
        assert failure(tmp_path / name) == "passphrase-file"


@pytest.mark.parametrize(
    "content",
    [b"", b"\nsecond", b"\xff\xfe", b"x" * (PASSPHRASE_BYTES_MAX + 1)],
    ids=["empty", "empty-line", "not-utf-8", "too-long"],
)
def test_content_that_is_no_passphrase_is_refused(tmp_path: Path, content: bytes) -> None:
    assert failure(private(tmp_path / "p", content)) == "passphrase-file"


def test_a_passphrase_is_neither_shown_nor_compared_nor_stored() -> None:
    secret = Passphrase("correct horse")
    assert "horse" not in f"{secret} {secret!r}"
    with pytest.raises(TypeError):
        _ = secret == Passphrase("correct horse")
    with pytest.raises(TypeError):
        hash(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_new_passphrase_never_takes_the_place_of_another(tmp_path: Path) -> None:
    """Of two that found one home at once, the second finds nothing to open with its own."""
    made = make_passphrase(tmp_path)
    with pytest.raises(FileExistsError):
        make_passphrase(tmp_path)
    assert read_passphrase_file(tmp_path / PASSPHRASE_FILE).reveal() == made.reveal()
    assert list(tmp_path.iterdir()) == [tmp_path / PASSPHRASE_FILE], "no draft stays"
