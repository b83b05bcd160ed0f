"""Old logs go, files in use and the ledger stay."""

import os
from pathlib import Path

from exchange.wiring.home import Home, HomeTable, LogTable
from exchange.wiring.logpurge import delete_logs, old_logs

OLD_MS = 1_700_000_000_000


def home(path: Path) -> Home:
    log = LogTable(origin="o", genesis="0" * 64, authority="a")
    return Home(path, HomeTable(log=log))


def write(file: Path, at_ms: int) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text("x")
    os.utime(file, ns=(at_ms * 1_000_000, at_ms * 1_000_000))
    return file


def test_only_files_whose_last_line_is_old_are_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    old = [write(folder / name, OLD_MS) for name in ("commands.log", "hub.log.1", "hub.log.2")]
    young = write(folder / "hub.log.3", OLD_MS + 10_000)
    other = write(tmp_path / "ledger.log", OLD_MS)
    files = old_logs(home(tmp_path), OLD_MS + 5_000)
    assert files == sorted(old)
    delete_logs([*files, folder / "gone.log"])
    assert sorted(folder.iterdir()) == [young]
    assert other.exists()


def test_the_log_of_a_process_that_runs_stays(tmp_path: Path) -> None:
    place = home(tmp_path)
    file = write(tmp_path / "log" / "hub.log", OLD_MS)
    pid_file = place.pid_file("hub")
    pid_file.parent.mkdir()
    started = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    pid_file.write_text(f"{os.getpid()} {started}")
    assert old_logs(place, OLD_MS + 5_000) == []
    pid_file.unlink()
    assert old_logs(place, OLD_MS + 5_000) == [file]
