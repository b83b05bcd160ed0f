"""One at a time starts or stops a home: whoever comes second waits, and finds it done.

Two that start it at once would each start a hub; the one that cannot have the port would end and
leave its process id behind, so that nobody could stop the other.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from exchange.model.text import Text
from exchange.wiring.home import Home


@contextmanager
def alone(home: Home, tell: Callable[[Text], None]) -> Iterator[None]:
    """Hold the home's lock; the kernel lets go of it however this process ends."""
    file = home.path / "run" / "lock"
    file.parent.mkdir(exist_ok=True)
    with file.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(Text("waiting for another 'up' or 'down'", "正在等待另一个 up 或 down 完成"))
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
