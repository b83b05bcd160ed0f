"""A hub says honestly whether it can work, and which step is missing."""

import asyncio

import httpx
import pytest
import structlog

from exchange.errors import BusUnavailable, ClockOff
from exchange.hub import readiness
from exchange.hub.readiness import Readiness, Step
from exchange.model.text import Text
from tests.hub.doors import Scripted, reach


class Thing:
    """Something a step looks at."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wrong: Exception | None = None
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        if self.wrong is not None:
            raise self.wrong

    def step(self) -> Step:
        return Step(self.name, Text(self.name.capitalize(), "检查" + self.name), self.check)


def kafka_down() -> BusUnavailable:
    return BusUnavailable("does not answer", "无响应", remedy=("start it", "请启动"))


async def test_a_live_process_says_so() -> None:
    async with reach(Scripted()) as doors:
        assert (await doors.get("/health/live")).json() == {"live": True}


async def test_a_hub_with_nothing_missing_is_ready() -> None:
    async with reach(Scripted(steps=[Thing("kafka").step()])) as doors:
        response = await doors.get("/health/ready")
    assert (response.status_code, response.json()["held"]) == (200, ["kafka"])
    assert response.json()["missing"] == ""


async def test_the_first_missing_step_is_named_in_both_languages() -> None:
    custody, kafka, clock = Thing("custody"), Thing("kafka"), Thing("clock")
    kafka.wrong, clock.wrong = kafka_down(), ClockOff("off", "偏差")
    steps = [thing.step() for thing in (custody, kafka, clock)]
    async with reach(Scripted(steps=steps)) as doors:
        response = await doors.get("/health/ready")
    said = response.json()
    assert (response.status_code, said["missing"], said["held"]) == (503, "kafka", ["custody"])
    assert said["message"] == {"en": "Kafka: does not answer", "zh": "检查kafka：无响应"}
    assert (said["remedy"]["en"], said["failure"]) == ("start it", "kafka")
    assert response.headers["retry-after"] == "2"
    assert clock.asked == 0


async def test_a_step_that_never_answers_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(readiness, "STEP_SECONDS_MAX", 0.01)
    step = Step("kafka", Text("Kafka", "消息队列"), forever)
    answer = await Readiness([step], now_s=lambda: 0.0).ask()
    assert (answer.missing, answer.message.en) == ("kafka", "Kafka: no answer in time")


async def test_anybody_may_ask_without_costing_more_than_one_look_a_second() -> None:
    kafka = Thing("kafka")
    now_s = 0.0
    asked = Readiness([kafka.step()], now_s=lambda: now_s)
    await asyncio.gather(*(asked.ask() for _ in range(50)))
    assert kafka.asked == 1
    now_s, kafka.wrong = 1.5, kafka_down()
    assert (await asked.ask()).missing == "kafka"
    now_s, kafka.wrong = 3.0, None
    assert (await asked.ask()).ready


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_metrics_are_for_the_same_machine(address: str) -> None:
    async with reach(Scripted(), address=address) as doors:
        await doors.get("/health/ready")
        response = await doors.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'exchange_hub_requests_total{route="/health/ready",status="200"}' in response.text
    assert "exchange_hub_ready 1.0" in response.text


async def test_metrics_say_whether_the_hub_is_ready_now_though_nobody_asked_for_that() -> None:
    kafka = Thing("kafka")
    for kafka.wrong, said in ((None, "1.0"), (kafka_down(), "0.0")):
        async with reach(Scripted(steps=[kafka.step()]), address="127.0.0.1") as doors:
            assert f"exchange_hub_ready {said}" in (await doors.get("/metrics")).text


@pytest.mark.parametrize("address", ["192.0.2.7", "a-unix-socket"])
async def test_metrics_need_a_token_from_elsewhere(address: str) -> None:
    hub = Scripted()
    hub.enrol("audit-office")
    async with reach(hub, address=address) as doors:
        assert (await doors.get("/metrics")).status_code == 401
        headers = hub.token("GET", "/metrics")
        assert (await doors.get("/metrics", headers=headers)).status_code == 200


async def test_too_many_requests_at_once_are_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = Scripted()
    gate = asyncio.Event()

    async def slow(act: bytes) -> bytes:
        await gate.wait()
        return act

    monkeypatch.setattr(hub, "answer", slow)
    monkeypatch.setattr("exchange.hub.app.REQUESTS_AT_ONCE_MAX", 2)
    async with reach(hub) as doors:
        cose = {"Content-Type": "application/cose"}
        waiting = [
            asyncio.create_task(doors.post("/v1/acts", content=b"a", headers=cose))
            for _ in range(2)
        ]
        await asyncio.sleep(0.05)
        refused = await doors.post("/v1/acts", content=b"a", headers=cose)
        health = await doors.get("/health/live")
        gate.set()
        answered = await asyncio.gather(*waiting)
    assert (refused.status_code, refused.json()["failure"]) == (503, "busy")
    assert health.status_code == 200
    assert [response.status_code for response in answered] == [200, 200]


async def test_a_log_line_names_the_route_and_never_the_path() -> None:
    # Every line as it is handed over, before any processor could leave something out.
    with structlog.testing.capture_logs() as lines:
        async with reach(Scripted()) as doors:
            await doors.get("/v1/ledger/entries?from=31415926")
            await doors.get("/nowhere/27182818")
    assert [line["route"] for line in lines] == ["/v1/ledger/entries", "none"]
    written = repr(lines)
    assert "31415926" not in written
    assert "27182818" not in written


async def test_the_description_tells_the_truth() -> None:
    async with reach(Scripted()) as doors:
        described = (await doors.get("/openapi.json")).json()
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                needs_token = operation.get("security") == [{"member": []}]
                response = await doors.request(method.upper(), path.replace("{dataset}", "abc"))
                assert str(response.status_code) in operation["responses"], (path, method)
                assert (response.status_code == httpx.codes.UNAUTHORIZED) <= needs_token
                for body in operation.get("requestBody", {}).get("content", {}).values():
                    assert body["schema"]["maxLength"] > 0
    assert set(described["paths"]) == {
        "/v1/acts",
        "/v1/keys",
        "/v1/dataset-keys/{dataset}",
        "/v1/possession",
        "/v1/ledger/head",
        "/v1/ledger/entries",
        "/log/checkpoint",
        "/log/tile/{name}",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
