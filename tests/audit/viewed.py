"""A ledger with something of everything, and search views made of it."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import sqlalchemy
from sqlalchemy import create_engine

from exchange.audit.replay import Replay
from exchange.audit.view import Feed, View
from exchange.audit.viewquery import Found, Question, everything
from exchange.ledger.verdict import Folded
from exchange.model import acts
from exchange.model.evidenceacts import AuditQuery
from exchange.registry.fold import RegistryFold
from keys.verifiers import Verifiers
from tests.audit.test_replay import messages
from tests.ledger.drafts import DAY_MS, engine
from tests.ledger.world import World, exchange_world


def busy() -> World:
    """Two datasets, permits, denials, refused items, a void act, a revocation, a question."""
    world = exchange_world()
    world.publish("human-resources", "posts", sharing="conditional")
    streams = [world.stream("civil", region="3301"), world.stream("civil", region="3302")]
    grant = world.granted("human-resources", regions=("3301",))
    wide = world.granted("health", regions=("",), purpose="verification")
    request = world.put(world.application("posts", regions=("33",)), by="health").act_id
    assert request is not None
    for number in range(40):
        world.advance(DAY_MS // 9)
        stream = streams[number % 2]
        world.put(world.ask(grant, world.item(stream)), by="human-resources/main")
        odd = world.item(stream, levels=(3,))
        asked = world.ask(wide, world.item(stream), odd, purpose="verification")
        world.put(asked, by="health/main")
        world.put(
            acts.FileReceipt(
                grant=grant,
                purpose="collaboration",
                sink="sqlite",
                items=(
                    acts.ReceiptItem(
                        stream=stream, first=0, last=number, head=bytes(32), records=1, levels=(1,)
                    ),
                ),
            ),
            by="human-resources/main",
        )
        world.put(world.application(duty=""), by="health")
    anchors = tuple(world.anchor(stream, 9) for stream in streams)
    world.put(acts.ReportProgress(anchors=anchors), by="civil/main")
    world.put(acts.AnswerRequest(request=request, approve=True), by="human-resources")
    world.put(acts.RevokeGrant(grant=grant, reason="over"), by="civil")
    world.put(
        AuditQuery(
            commitment=bytes(32),
            size=9,
            root=bytes(32),
            members=("health",),
            datasets=(),
            purpose="audit",
        ),
        by="audit-office",
    )
    world.take(world.entries[-1])  # once more: void
    return world


def replayed(
    world: World, listen: Callable[[Folded, Replay], None], *, upto: int | None = None
) -> Replay:
    with Verifiers(0) as verifiers:
        fold = RegistryFold([engine()])
        replay = Replay(world.pin, fold, verifiers, listen=lambda folded: listen(folded, replay))
        replay.take(messages([entry.raw for entry in world.entries[:upto]]))
        replay.finish()
    return replay


def fed(view: View, world: World, *, upto: int | None = None) -> None:
    feed = Feed(view)
    feed.finish(replayed(world, feed.take, upto=upto))


def in_file(path: Path) -> sqlalchemy.Engine:
    return create_engine(f"sqlite:///{path}")


def in_schema(conninfo: str, schema: str) -> sqlalchemy.Engine:
    """A database in an empty schema of a PostgreSQL."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    place = psycopg.conninfo.make_conninfo(conninfo, options=f"-csearch_path={schema}")
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(place))


def all_of(view: View, **filters: str) -> list[Found]:
    return [row for page in everything(view, Question(filters), portion=7) for row in page.entries]


def indices(rows: list[Found]) -> list[int]:
    return [row.index for row in rows]
