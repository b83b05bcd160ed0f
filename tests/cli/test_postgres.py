"""What a grant covers, pulled into a real PostgreSQL from the command line."""

from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.cli.conftest import WHOLE, Terminal

CONTRACT = """\
dataset: {dataset}
title: {{zh: 企业, en: Companies}}
fields:
  - {{name: number, type: text, level: 1, required: true}}
  - {{name: capital, type: decimal, level: 1, digits: 12, scale: 2}}
key: [number]
cycle: daily
retention_days: 30
"""
PROVIDER, CONSUMER = "market-bureau", "tax-bureau"


@pytest.mark.kafka
@pytest.mark.postgres
def test_a_pull_into_postgresql_applies_updates_and_deletes_once(
    live_home: Path,
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres: str,
) -> None:
    monkeypatch.setenv("EXCHANGE_HOME", str(live_home))
    monkeypatch.chdir(tmp_path)
    dataset = f"companies-{uuid4().hex[:6]}"
    for member, code in ((PROVIDER, "113300000DEM00002A"), (CONSUMER, "113300000DEM00004G")):
        names = ("--name-zh", "机构", "--name-en", "Office", "--credit-code", code)
        assert terminal("member", "enrol", member, *names) == 0, terminal.err
    Path("contract.yaml").write_text(CONTRACT.format(dataset=dataset), "utf-8")
    core = (
        "--classification",
        "市场",
        "--code",
        "306003/000001",
        "--abstract",
        "企业",
        "--basis",
        "条例",
    )
    words = ("--sharing", "unconditional", "--topic", f"test.data.{uuid4().hex}", "--as", PROVIDER)
    assert terminal("catalogue", "propose", "contract.yaml", *core, *words) == 0, terminal.err
    assert terminal("catalogue", "review", dataset, "--approve") == 0, terminal.err
    assert terminal("catalogue", "publish", dataset) == 0, terminal.err
    asked = ("request", "new", dataset, *WHOLE, "--as", CONSUMER)
    grant = terminal.json(*asked)["grant"]
    pull = ("pull", dataset, "--grant", grant, "--out", postgres, "--as", CONSUMER)

    Path("one.csv").write_text("number,capital\nc1,100.50\nc2,7\nc3,1.00\n", "utf-8")
    assert terminal("push", dataset, "one.csv", "--as", PROVIDER) == 0, terminal.err
    assert terminal.json(*pull)["records"] == 3
    changes = '{"number": "c2", "capital": "8.25"}\n{"number": "c3", "_operation": "delete"}\n'
    Path("two.jsonl").write_text(changes, "utf-8")
    assert terminal("push", dataset, "two.jsonl", "--as", PROVIDER) == 0, terminal.out
    told = terminal.json(*pull)
    assert (told["records"], told["whole"]) == (2, True)
    assert told["out"] == "postgresql"
    view = dataset.replace("-", "_")
    with psycopg.connect(postgres) as connection:
        rows = connection.execute(
            f'SELECT number, capital::text FROM "{view}" ORDER BY 1'.encode()
        ).fetchall()
    assert rows == [("c1", "100.50"), ("c2", "8.25")]
