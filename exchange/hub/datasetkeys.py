"""Dataset KEM keys in this hub's custody: prepared, shown to be held, recorded by an act.

A key that no act has recorded yet is handed out again instead of making another, so a repeated
request leaves nothing behind. Whether a key counts is decided on the ledger, not here.
"""

from collections.abc import Callable, Collection
from typing import Final

from exchange.flow.possession import prove_possession
from keys.cose import Signer
from keys.custody import Custody, PublicKey
from keys.errors import KeyExists
from keys.suite import SUITE_1

_TRIES: Final = 8

RecordedKids = Callable[[str], Collection[bytes]]
"""Dataset → kids of all its keys on the ledger, expired ones included."""


class DatasetKeys:
    """Prepares and proves keys. Several hubs may share one custody file."""

    def __init__(
        self, *, origin: str, custody: Custody, signer: Signer, recorded: RecordedKids
    ) -> None:
        self._origin = origin
        self._custody = custody
        self._signer = signer
        self._recorded = recorded

    def prepare(self, dataset: str) -> PublicKey:
        """The key of ``dataset`` that waits to be recorded; made when there is none.

        Durable in custody when this returns. `CustodyUnwritable` when the disk is full.
        """
        for _ in range(_TRIES):
            made = self._made(dataset)
            recorded = self._recorded(dataset)
            waiting = [key for key in made if key.kid not in recorded]
            if waiting:
                return waiting[0]
            try:
                return self._custody.generate_kem(label(dataset, len(made)))
            except KeyExists:  # another hub on this custody was faster; its key is known now
                continue
        raise AssertionError("custody keeps reporting keys that it does not list")

    def prove(self, dataset: str, kid: bytes, wrapped: bytes) -> bytes:
        """COSE_Sign1 proof for the challenge in ``wrapped``; KeyMissing, CheckFailed."""
        return prove_possession(
            origin=self._origin,
            dataset=dataset,
            kid=kid,
            wrapped=wrapped,
            custody=self._custody,
            signer=self._signer,
        )

    def _made(self, dataset: str) -> list[PublicKey]:
        start = label(dataset, 0).rpartition("/")[0] + "/"
        made = [key for key in self._custody.publics() if key.label.startswith(start)]
        return [key for key in made if key.algorithm == SUITE_1.kem_algorithm]


def label(dataset: str, number: int) -> str:
    """The custody label of the ``number``-th key of ``dataset``."""
    return f"dataset/{dataset}/{number:04}"
