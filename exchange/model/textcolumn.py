"""A column of texts as one run of bytes: numpy can look at all of it at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TextColumn:
    """UTF-8 bytes of texts: text i is the ``lengths[i]`` bytes of ``data`` from ``starts[i]`` on.

    An absent text has none. Between texts there may be bytes that belong to none.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Self:
        """Of ``texts`` that have no lone surrogates and less than 2 GiB together."""
        array = pa.array(texts, type=pa.string())
        _, places, data = array.buffers()
        offsets = np.frombuffer(memoryview(places or bytes(4)), dtype=np.int32)[: len(texts) + 1]
        wide = offsets.astype(np.int64)
        return cls(
            data=np.frombuffer(memoryview(data or b""), dtype=np.uint8)[: int(wide[-1])],
            starts=wide[:-1],
            lengths=np.diff(wide),
        )

    @classmethod
    def of_whole(cls, values: Sequence[Any]) -> Self | None:
        """Of a column all of whose values are texts, none empty, none with U+0000; else None.

        Most columns are, and joining them is the cheapest way to find out.
        """
        try:
            joined = "\0".join(values)
            data = np.frombuffer((joined + "\0").encode(), dtype=np.uint8)
        except (TypeError, UnicodeEncodeError):  # no text; a lone surrogate
            return None
        count, zeros = len(values), len(data) - int(np.count_nonzero(data))
        if zeros != count:
            return None
        step = len(data) // count
        if count * step == len(data) and not data[step - 1 :: step].any():  # as wide as each other
            starts = np.arange(0, len(data), step)
            return cls(data, starts, np.full(count, step - 1)) if step > 1 else None
        ends = np.flatnonzero(data == 0)
        starts = np.concatenate(([0], ends[:-1] + 1))
        lengths = ends - starts
        return cls(data, starts, lengths) if lengths.all() else None

    def matrix(self, rows: NDArray[np.intp], width: int) -> NDArray[np.uint8]:
        """The first ``width`` bytes of the texts at ``rows``, none of which may be shorter."""
        starts = self.starts[rows]
        count, step = len(rows), int(starts[1] - starts[0]) if len(rows) > 1 else 0
        if step >= width and bool((np.diff(starts) == step).all()):
            run = self.data[int(starts[0]) : int(starts[0]) + count * step]
            if len(run) == count * step:
                return run.reshape(count, step)[:, :width]
        return np.asarray(self.data[starts[:, None] + np.arange(width)])

    def rows_with_zero_byte(self) -> NDArray[np.intp]:
        """Rows whose text holds U+0000, which PostgreSQL cannot store; of a column made by `of`."""
        places = np.flatnonzero(self.data == 0)
        return np.unique(np.searchsorted(self.starts, places, side="right") - 1)
