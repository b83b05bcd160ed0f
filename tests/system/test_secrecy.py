"""No value of a record is anywhere but in the source and in the sink."""

import base64
import signal
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from exchange.wiring.home import open_home
from tests.fixtures.files import content_of, files_under
from tests.fixtures.ports import free_port
from tests.system.installation import (
    CONSUMER,
    PROVIDER,
    WAIT_S,
    Installation,
    Running,
    launch,
    until,
)
from tests.system.records import Dataset, Rows, counties, in_sqlite, publish, write_csv

MARKERS = (
    "Quetzalcoatlus-northropi-7f3a",
    "8675309012.47",
    "机密标记甲乙丙丁戊己",
    "Zyzzyva-kept-91c2",
)
"""Key, amount, note, and a value of a record that the contract refuses."""
_ADAPTER = """\
[adapter]
kind = "sink"
member = "{member}"
metrics_port = {port}

[sink]
grant = "{grant}"
out = "sqlite:{sink}"
"""


def forms(marker: str) -> Iterator[bytes]:
    """How a value may look in a file: text in common encodings, base64 at any offset, hex."""
    for raw in {marker.encode(), marker.encode("utf-16-le"), marker.encode("gb18030")}:
        yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
        for shift in range(3):
            inner = base64.b64encode(bytes(shift) + raw)[4:-4]
            yield from (inner, inner.translate(bytes.maketrans(b"+/", b"-_")))
    yield marker.encode("unicode_escape")


FORMS = {form for marker in MARKERS for form in forms(marker)}


def found_in(content: bytes) -> bool:
    return any(form in content for form in FORMS)


def leaks(files: Iterable[Path]) -> list[Path]:
    return [file for file in files if found_in(content_of(file))]


@pytest.fixture(scope="module")
def marked(
    shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Marked"]:
    """Marked records on their way through everything, with a reader that is still at work."""
    installation, folder = shared_installation, tmp_path_factory.mktemp("marked")
    installation.repair()
    marked = Marked(installation, publish(installation, folder, "marked"), folder)
    marked.push()
    yield marked
    if not marked.adapter.ended():
        marked.adapter.kill()


class Marked:
    """The dataset, its source, its sinks, and what was recorded of the hub's traffic."""

    def __init__(self, installation: Installation, dataset: Dataset, folder: Path) -> None:
        self.installation = installation
        self.dataset = dataset
        self.folder = folder
        self.traffic = folder / "traffic"
        self.source = folder / "source.csv"
        self.sink = folder / "sink.db"
        self.said: list[bytes] = []
        self.metrics_port = free_port()
        self.adapter = self._adapter()

    def rows(self) -> Rows:
        """Marked records, and one of a county that does not exist."""
        key, amount, note, refused = MARKERS
        rows = {
            f"{key}{number}": (f"{key}{number}", counties()[number], amount, f"{note}{number}")
            for number in range(3)
        }
        return rows | {refused: (refused, "339999", refused, refused)}

    def push(self) -> None:
        """A push that dies half way, one that ends with a refused record, and pulls."""
        write_csv(self.source, self.rows())
        words = ("push", self.dataset.name, str(self.source))
        spool = self.installation.home / "members" / PROVIDER / "spool"
        dying = self.installation.start(*words, member=PROVIDER)
        until(lambda: list(spool.glob("*-wal")) or dying.ended(), "the spool")
        dying.kill()
        done = self.recorded(*words, member=PROVIDER)
        assert done == 1, "one record was refused"
        out = ("--grant", self.dataset.grant, "--out", f"sqlite:{self.sink}")
        assert self.recorded("pull", self.dataset.name, *out, member=CONSUMER) == 0
        self.installation.run("audit", "search", "--reads")

    def recorded(self, *words: str, member: str) -> int:
        """Run a command whose traffic with the hub is written down; its exit code."""
        line = ("--json", "--home", str(self.installation.home), "--as", member)
        running = launch("tests.system.recorder", str(self.traffic), *line, *words)
        self.said += running.process.communicate(timeout=WAIT_S)
        return running.process.returncode

    def _adapter(self) -> Running:
        sink = self.folder / "adapter.db"
        file = self.folder / "adapter.toml"
        file.write_text(
            _ADAPTER.format(
                member=CONSUMER, port=self.metrics_port, grant=self.dataset.grant, sink=sink
            )
        )
        return self.installation.start("adapter", "run", str(file))


def test_the_search_finds_the_values_where_they_belong(marked: Marked) -> None:
    accepted = {key: row for key, row in marked.rows().items() if key != MARKERS[-1]}
    assert in_sqlite(marked.sink, marked.dataset)[0] == accepted
    assert leaks([marked.source, marked.sink]) == [marked.source, marked.sink]


@pytest.mark.parametrize("form", sorted(FORMS)[::7], ids=lambda form: form.hex()[:24])
def test_the_search_knows_a_value_in_another_form(form: bytes) -> None:
    assert found_in(b"\x00before" + form + b"after")


def test_no_file_of_the_home_holds_a_value(marked: Marked) -> None:
    home = marked.installation.home
    files = files_under(home)
    for part in ("kafka/data", "log", "hub", f"members/{PROVIDER}/spool"):
        assert any(file.is_relative_to(home / part) for file in files), part
    assert files_under(home / "members" / PROVIDER / "rejected"), "the refused record is kept"
    assert leaks(files) == []


def test_no_bundle_on_kafka_holds_a_value(marked: Marked) -> None:
    data = marked.installation.home / "kafka" / "data"
    segments = [
        file
        for file in files_under(data)
        if file.suffix == ".log" and marked.dataset.name in str(file.parent)
    ]
    assert sum(len(content_of(file)) for file in segments) > 1_000
    assert leaks(segments) == []


def test_no_traffic_with_the_hub_holds_a_value(marked: Marked) -> None:
    traffic = marked.traffic.read_bytes()
    assert b"POST /v1/acts" in traffic
    assert b"POST /v1/keys" in traffic
    assert marked.dataset.name.encode() in traffic, "what was recorded is not the plaintext"
    assert not found_in(traffic)


def test_no_metric_holds_a_value(marked: Marked) -> None:
    home = open_home(marked.installation.home)
    tls = ssl.create_default_context(cafile=home.ca_file)
    hub = httpx.get(f"{home.hub_address}/metrics", verify=tls, timeout=WAIT_S).content
    until(lambda: in_sqlite(marked.folder / "adapter.db", marked.dataset)[0], "the adapter's pull")
    address = f"http://127.0.0.1:{marked.metrics_port}/metrics"
    adapter = httpx.get(address, timeout=WAIT_S).content
    assert b"exchange_" in hub
    assert b"exchange_" in adapter
    assert not found_in(hub + adapter)


def test_what_commands_and_adapters_say_holds_no_value(marked: Marked) -> None:
    marked.adapter.signal(signal.SIGTERM)
    out, err = marked.adapter.process.communicate(timeout=WAIT_S)
    said = b"".join([*marked.said, out, err])
    assert b'"rejected": 1' in said
    assert not found_in(said)
