"""Keep the records that a contract refuses: encrypted at rest, shown on demand, nothing else.

One file a batch, ``DIRECTORY/<dataset>/<time>-<random>.sealed``, protected by the member's custody
under a purpose that names the dataset, so a file moved between datasets does not open. The rest of
the batch goes on without waiting for a person.

Durability: when `keep` returns, the file and its name are on disk. A full disk raises `DiskFull`
before the caller goes on, so no record leaves the batch without being kept.

Left to others: what is wrong with a record (exchange/model/validate.py), who may look (the
passphrase of the custody).
"""

import errno
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson
import zstandard

from exchange.errors import DiskFull, NotFound

if TYPE_CHECKING:
    from exchange.model.validate import Rejected

FORMAT: Final = 1
KEPT_BYTES_MAX: Final = 1 << 28
"""Plain bytes of one kept file; a batch is far smaller."""
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Protects(Protocol):
    """What this needs of a custody."""

    def protect(self, plaintext: bytes, purpose: bytes) -> bytes:
        """Encrypt something this machine keeps for itself."""
        ...

    def reveal(self, protected: bytes, purpose: bytes) -> bytes:
        """What `protect` encrypted for the same purpose."""
        ...


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A refused record as its source gave it, with every reason; values are never logged."""

    line: int
    faults: tuple[dict[str, Any], ...]
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """The refused records of one batch of ``source``."""

    path: Path
    source: str
    records: tuple[KeptRecord, ...]


class Quarantine:
    """The refused records of one instance."""

    def __init__(self, directory: Path, custody: Protects) -> None:
        self._directory = directory
        self._custody = custody

    def keep(
        self,
        dataset: str,
        source: str,
        columns: Mapping[str, Sequence[Any]],
        rejected: "Sequence[Rejected]",
        *,
        lines: int | Sequence[int],
        now_ms: int,
    ) -> Path:
        """Keep every record that ``rejected`` names, once, with all its faults.

        ``lines`` is what the source said of the batch: the line of its first record, or of each.
        """
        count = len(next(iter(columns.values()), ()))
        numbers = range(lines, lines + count) if isinstance(lines, int) else lines
        rows = {line: row for row, line in enumerate(numbers)}
        faults: dict[int, list[dict[str, Any]]] = {}
        for one in rejected:
            faults.setdefault(one.line, []).append(
                {"field": one.field, "reason": list(one.reason), "remedy": list(one.remedy)}
            )
        records = [
            [line, faults[line], {name: values[rows[line]] for name, values in columns.items()}]
            for line in sorted(faults)
        ]
        plain = orjson.dumps({"format": FORMAT, "source": source, "records": records}, default=str)
        sealed = self._custody.protect(zstandard.compress(plain), _purpose(dataset))
        path = self._directory / dataset / f"{now_ms:013d}-{secrets.token_hex(4)}.sealed"
        _write(path, sealed)
        return path

    def batches(self, dataset: str) -> list[KeptBatch]:
        """All kept batches of ``dataset``, oldest first; `OpenRefused` if a file was altered."""
        folder = self._directory / dataset
        return [self._read(path, dataset) for path in sorted(folder.glob("*.sealed"))]

    def forget(self, dataset: str) -> int:
        """Delete what is kept of ``dataset``; the number of files. The only copy may be lost."""
        paths = list((self._directory / dataset).glob("*.sealed"))
        for path in paths:
            path.unlink()
        return len(paths)

    def _read(self, path: Path, dataset: str) -> KeptBatch:
        packed = self._custody.reveal(path.read_bytes(), _purpose(dataset))
        plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=KEPT_BYTES_MAX)
        data = orjson.loads(plain)
        if data["format"] != FORMAT:
            raise NotFound(
                f"{path.name} was kept by a newer program",
                f"{path.name} 由更新版本的程序保存",
                remedy=("update the program", "请升级程序"),
                failure="format",
            )
        records = tuple(
            KeptRecord(line=line, faults=tuple(faults), record=record)
            for line, faults, record in data["records"]
        )
        return KeptBatch(path=path, source=data["source"], records=records)


def _purpose(dataset: str) -> bytes:
    return b"rejected/" + dataset.encode()


def _write(path: Path, sealed: bytes) -> None:
    """Write, sync, rename, sync the folder: a crash leaves the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno not in _NO_ROOM:
            raise
        raise DiskFull(
            f"no room to keep the rejected records in {path.parent}",
            f"磁盘空间不足，无法在 {path.parent} 保存被拒绝的记录",
            remedy=(
                "free space, then push the same input again: nothing is lost, nothing doubles",
                "请清理磁盘后重新推送：不会丢失，也不会重复",
            ),
        ) from error
