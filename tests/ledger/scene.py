"""A grant, a stream, and hubs on a memory bus: what tests of appending begin with."""

from typing import Any

from exchange.bus.memory import MemoryCluster
from exchange.model import acts
from tests.ledger.hubs import Hub
from tests.ledger.world import exchange_world


class Scene:
    """A world with a grant and a stream, its ledger on a cluster, and hubs that follow it."""

    def __init__(self) -> None:
        self.world = exchange_world(hubs=("hub-1", "hub-2"))
        self.grant = self.world.granted("health")
        self.stream = self.world.stream("civil")
        self.cluster = MemoryCluster(now_ms=self.world.now_ms)

    async def hub(self, name: str = "hub-1", **options: Any) -> Hub:
        hub = Hub(self.world, self.cluster, name, **options)
        await hub.follower.catch_up()
        return hub

    def ask(self, *items: acts.AskItem) -> bytes:
        body = self.world.ask(self.grant, *(items or (self.world.item(self.stream),)))
        return self.world.sign(body, by="health/main")
