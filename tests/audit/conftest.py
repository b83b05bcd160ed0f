"""One ledger and its views, made once."""

from collections.abc import Iterator

import pytest

from exchange.audit.record import Record
from exchange.audit.view import View
from tests.audit.viewed import busy, fed, in_file, in_schema, replayed
from tests.ledger.world import World


@pytest.fixture(scope="package")
def viewed_world() -> World:
    return busy()


@pytest.fixture(scope="package")
def record(viewed_world: World) -> Record:
    record = Record()
    replayed(viewed_world, lambda folded, _: record.take(folded))
    return record


@pytest.fixture(
    scope="package", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def view(
    request: pytest.FixtureRequest, viewed_world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[View]:
    if request.param == "sqlite":
        made = in_file(tmp_path_factory.mktemp("view") / "view.db")
    else:
        made = in_schema(request.getfixturevalue("postgres_server"), "audit_view")
    view = View(made, viewed_world.pin)
    fed(view, viewed_world)
    yield view
    made.dispose()
