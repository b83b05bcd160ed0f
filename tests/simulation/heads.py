"""Published logs of simulated hubs: disks outlive them, deaths at any step, one head a size."""

import random
from collections.abc import Mapping

from exchange.ledger.cosignature import HeadSigner, log_keys, verify_head
from exchange.ledger.logfiles import MemoryLog
from exchange.ledger.sealing import Sealing
from exchange.ledger.tiles import CHECKPOINT
from tests.ledger.drafts import ORIGIN
from tests.ledger.hubs import Hub
from tests.ledger.world import World

STEPS = 6
"""A sealing writes tiles, keeps a head, writes a checkpoint, sweeps; each may be the last."""


class Died(Exception):
    """The process is gone; its disk is not."""


class Disk(MemoryLog):
    """A log on a machine that dies before its n-th step, if it is to."""

    steps_left = 0

    def _step(self) -> None:
        self.steps_left -= 1
        if self.steps_left == 0:
            raise Died

    def write(self, files: Mapping[str, bytes]) -> None:
        """See `LogStorage`."""
        self._step()
        super().write(files)

    def keep_head(self, raw: bytes) -> None:
        """See `LogStorage`."""
        self._step()
        super().keep_head(raw)


class Heads:
    """The disks of all hubs, and every head that anybody could have seen."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._disks = {name: Disk() for name in world.hubs}
        self._seen: dict[tuple[str, int], bytes] = {}
        self.roots: dict[int, bytes] = {}
        self.deaths = 0

    async def seal(self, hub: Hub, chance: random.Random) -> None:
        """Seal what ``hub`` has folded, as a process that has just started; maybe die of it."""
        disk = self._disks[hub.name]
        disk.steps_left = chance.randrange(2 * STEPS)  # 0, and what is too far, kill nobody
        sealing = Sealing(disk, origin=ORIGIN, hub=hub.name, signers=self._signers(hub.name))
        tree = hub.follower.leaves.tree
        try:
            sealing.begin(tree)
            if sealing.size < tree.size:
                first = sealing.next_first
                count = chance.randint(sealing.size - first + 1, tree.size - first)
                entries = await hub.follower.entries(first, count_max=count, bytes_max=1 << 30)
                now_s = chance.randrange(1 << 32)
                sealing.publish(sealing.sign(sealing.draft(tree, entries), now_s=now_s))
            sealing.sweep()
        except Died:
            self.deaths += 1
        self._note(hub.name)

    def _note(self, name: str) -> None:
        disk, keys = self._disks[name], log_keys(ORIGIN, [self._publics(name)])
        for raw in filter(None, (disk.head(), disk.read(CHECKPOINT))):
            head = verify_head(raw, keys).checkpoint
            assert self._seen.setdefault((name, head.size), raw) == raw, "two heads of one size"
            assert self.roots.setdefault(head.size, head.root) == head.root, "two histories"

    def _publics(self, name: str) -> tuple[str, bytes, bytes]:
        world = self._world
        return name, world.public(f"checkpoint/{name}"), world.public(f"checkpoint-mldsa/{name}")

    def _signers(self, name: str) -> list[HeadSigner]:
        first, second = log_keys(ORIGIN, [self._publics(name)]).vkeys
        return [
            HeadSigner(first, self._world.signer(f"checkpoint/{name}")),
            HeadSigner(second, self._world.custody.mldsa_signer(f"checkpoint-mldsa/{name}")),
        ]
