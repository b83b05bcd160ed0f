"""A column of texts as one run of bytes with offsets: numpy can look at all of it at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TextColumn:
    """UTF-8 bytes of texts: text i is ``data[offsets[i] : offsets[i + 1]]``, empty if absent."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int32]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Self:
        """Of ``texts`` that have no lone surrogates and less than 2 GiB together."""
        array = pa.array(texts, type=pa.string())
        _, offsets, data = array.buffers()
        return cls(
            data=np.frombuffer(memoryview(data or b""), dtype=np.uint8),
            offsets=np.frombuffer(memoryview(offsets or b""), dtype=np.int32)[: len(texts) + 1],
        )

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Bytes of each text; 0 for an absent one."""
        return np.diff(self.offsets)

    def matrix(self, rows: NDArray[np.intp], width: int) -> NDArray[np.uint8]:
        """The first ``width`` bytes of the texts at ``rows``, none of which may be shorter."""
        starts = self.offsets[rows].astype(np.int64)
        evenly = len(rows) > 1 and starts[-1] - starts[0] == (len(rows) - 1) * width
        if evenly and bool((np.diff(starts) == width).all()):
            run = self.data[starts[0] : starts[0] + len(rows) * width]
            return run.reshape(len(rows), width)
        return np.asarray(self.data[starts[:, None] + np.arange(width)])

    def rows_with_zero_byte(self) -> NDArray[np.intp]:
        """Rows whose text holds U+0000, which PostgreSQL cannot store."""
        end = self.offsets[-1]
        places = np.flatnonzero(self.data[:end] == 0)
        return np.unique(np.searchsorted(self.offsets, places, side="right") - 1)
