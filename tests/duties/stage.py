"""A small bus on which duties arise: steps with a date, then the book on another date.

Civil affairs provides ``welfare`` (conditional), health applies, reads, objects and insists.

    stage = DutyStage("2026-02-13")
    stage.apply()
    stage.on("2026-02-28").answer(approve=True)
    stage.state("answer", as_of="2026-02-28")     # ("done", ("RESP-01", "SLA-02"))
"""

from datetime import date
from typing import Any, Final, Literal

from exchange.ledger.verdict import Folded
from exchange.model import acts, dutyacts
from exchange.model.actcodec import Body
from exchange.model.contract import Contract
from exchange.registry.duties import Standing, book
from exchange.registry.dutyrows import Duty
from policies.periods import start_ms
from tests.ledger.drafts import DAY_MS, HOUR_MS, VILLAGES, engine
from tests.ledger.world import World, permitted

NOON: Final = 12 * HOUR_MS
DATASET: Final = "welfare"
TEXT: Final = VILLAGES.replace("dataset: villages", f"dataset: {DATASET}").replace(
    "name: phone, type: text", "name: phone, type: resident-id"
)
Ended = tuple[str, tuple[str, ...]]


def at_noon(day: str) -> int:
    """Noon of a day in China."""
    return start_ms(date.fromisoformat(day)) + NOON


class DutyStage:
    """A world that begins on ``day``, with the dataset of civil affairs in the catalogue."""

    def __init__(
        self, day: str, *, cycle: str = "never", sharing: str = "conditional", split: bool = True
    ) -> None:
        self.world = World(now_ms=at_noon(day))
        self.refusals: list[tuple[str, ...]] = []
        self.latest: dict[str, bytes] = {}
        self.sequence = 0
        self.duty_seen: Duty
        """The duty, or period of one, whose standing was told last."""
        for member in ("civil", "health"):
            self.world.join(member)
        text = TEXT.replace("cycle: yearly", f"cycle: {cycle}")
        if not split:
            text = text.replace("region: {field: code, level: city}\n", "")
        self.contract = Contract.from_yaml(text.encode())
        self.world.publish("civil", DATASET, sharing=sharing, contract=self.contract.encoded)

    def on(self, day: str) -> "DutyStage":
        """Go on at noon of ``day`` in China, or a second later if it is that day already."""
        self.world.now_ms = max(self.world.now_ms + 1_000, at_noon(day))
        return self

    def put(self, body: Body, *, by: str, keep: str = "") -> Folded:
        """Enter an act; a refusal is kept in ``refusals``."""
        folded = self.world.put(body, by=by)
        if folded.permit:
            self.latest[keep] = permitted(folded)
        else:
            self.refusals.append(folded.rules)
        return folded

    def apply(
        self, *, days: int = 300, regions: tuple[str, ...] = ("3301",), **said: Any
    ) -> Folded:
        """Health applies, for ``days`` from now on."""
        now = self.world.now_ms
        stated: dict[str, Any] = {
            "fields": ("code", "name", "head", "phone"),
            "necessary": ("phone",),
            "assessment": "PIA-2026-7",
            "regions": regions,
            "from_ms": now - DAY_MS,
            "to_ms": now + days * DAY_MS,
            "expires_ms": now + days * DAY_MS,
            **said,
        }
        body = self.world.application(DATASET, **stated)
        return self.put(body, by="health", keep="request")

    def answer(self, *, approve: bool, basis: str = "") -> Folded:
        """Civil affairs answers the latest application."""
        body = acts.AnswerRequest(
            request=self.latest["request"],
            approve=approve,
            basis=basis,
            reason="" if approve else "law-forbids",
        )
        return self.put(body, by="civil", keep="grant")

    def grant(self, **said: Any) -> bytes:
        """An application that is granted."""
        self.apply(**said)
        self.answer(approve=True)
        return self.latest["grant"]

    def withdraw(self) -> Folded:
        """Health takes its application back."""
        return self.put(acts.WithdrawRequest(request=self.latest["request"]), by="health")

    def provide(self, region: str = "3301") -> Folded:
        """Civil affairs anchors a bundle of ``region``; the stream is opened first."""
        name = f"stream/{region}"
        if name not in self.latest:
            self.put(self.world.opening(DATASET, region), by="civil/main", keep=name)
        self.sequence += 1
        anchor = self.world.anchor(self.latest[name], self.sequence)
        return self.put(acts.ReportProgress(anchors=(anchor,)), by="civil/main", keep="anchor")

    def read(self, region: str = "3301") -> Folded:
        """Health is given keys under its latest grant."""
        now = self.world.now_ms
        item = self.world.item(
            self.latest[f"stream/{region}"], from_ms=now - HOUR_MS, to_ms=now, levels=(1, 2, 3)
        )
        body = self.world.ask(self.latest["grant"], item)
        return self.put(body, by="health/main", keep="keys")

    def revoke(self) -> Folded:
        """Civil affairs ends the latest grant."""
        return self.put(acts.RevokeGrant(grant=self.latest["grant"], reason=""), by="civil")

    def suspend(self, member: str) -> Folded:
        """The authority ends a member's keys."""
        return self.put(acts.SuspendMember(member=member, reason=""), by="authority")

    def withdraw_dataset(self, by: str = "civil") -> Folded:
        """Civil affairs, or the authority, takes the dataset out of the catalogue."""
        return self.put(acts.WithdrawDataset(dataset=DATASET, reason=""), by=by)

    def republish(self, *, cycle: str) -> Folded:
        """The dataset with another cycle in its contract."""
        text = TEXT.replace("cycle: yearly", f"cycle: {cycle}")
        if self.contract.region is None:
            text = text.replace("region: {field: code, level: city}\n", "")
        return self.republish_as(text)

    def republish_as(self, text: str) -> Folded:
        """The dataset with another contract."""
        encoded = Contract.from_yaml(text.encode()).encoded
        return self._revise(self.world.proposal(DATASET, sharing="conditional", contract=encoded))

    def classify_refused(self) -> Folded:
        """The dataset as data that a law keeps from being shared."""
        body = self.world.proposal(
            DATASET,
            sharing="refused",
            contract=self.contract.encoded,
            basis="统计法 第九条",
            basis_kind="law",
        )
        return self._revise(body)

    def _revise(self, body: acts.ProposeDataset) -> Folded:
        """Proposed, reviewed, published."""
        proposal = permitted(self.put(body, by="civil"))
        self.world.review(DATASET, proposal)
        return self.put(acts.PublishDataset(dataset=DATASET, proposal=proposal), by="authority")

    def demand(self, title: str = "低保对象名录") -> Folded:
        """Health asks civil affairs for data that nobody has registered."""
        body = dutyacts.NewDemand(
            provider="civil",
            title=title,
            items=("name",),
            region="3301",
            purpose="collaboration",
            duty="社会救助暂行办法 第九条",
        )
        return self.put(body, by="health", keep="demand")

    def promise(
        self,
        outcome: dutyacts.DemandOutcome = "registers",
        *,
        dataset: str | None = "poverty",
        by: str = "",
        basis: str = "",
    ) -> Folded:
        """Civil affairs answers the demand."""
        body = dutyacts.AnswerDemand(
            demand=self.latest["demand"],
            outcome=outcome,
            dataset=dataset,
            by_ms=end_of(by),
            basis=basis,
        )
        return self.put(body, by="civil", keep="promise")

    def propose(self, dataset: str = "poverty") -> Folded:
        """Civil affairs proposes a dataset."""
        return self.put(self.world.proposal(dataset), by="civil", keep="proposal")

    def object_to(self, *versions: int, proof: bool = False, credit: bool = False) -> Folded:
        """Health disputes records that it read."""
        body = dutyacts.NewObjection(
            grant=self.latest["grant"],
            versions=versions or (7,),
            fields=("name",),
            reason="wrong",
            proof=proof,
            credit=credit,
        )
        return self.put(body, by="health", keep="objection")

    def settle_objection(
        self, outcome: dutyacts.ObjectionOutcome, *, version: int = 0, basis: str = ""
    ) -> Folded:
        """The objection is corrected, explained or withdrawn."""
        body = dutyacts.AnswerObjection(
            objection=self.latest["objection"], outcome=outcome, version=version, basis=basis
        )
        return self.put(body, by="health" if outcome == "withdrawn" else "civil")

    def escalate(self, kind: str, tier: Literal[1, 2, 3] = 1, *, by: str = "health") -> Folded:
        """Somebody insists on the latest duty of ``kind``."""
        body = dutyacts.Escalate(duty=self.duty(kind).id, tier=tier)
        return self.put(body, by=by, keep="escalation")

    def decide(
        self, decision: dutyacts.Decision, *, by: str = "civil", until: str = "", basis: str = ""
    ) -> Folded:
        """A tier decides."""
        body = dutyacts.DecideEscalation(
            escalation=self.latest["escalation"],
            decision=decision,
            by_ms=end_of(until),
            basis=basis,
        )
        return self.put(body, by=by, keep="decision")

    def notice(
        self,
        notice: dutyacts.NoticeKind,
        *,
        dataset: str = DATASET,
        until: str = "",
        behalf: str | None = None,
    ) -> Folded:
        """The authority lays a duty on civil affairs."""
        body = dutyacts.NewNotice(
            notice=notice,
            dataset=dataset,
            provider="civil",
            reference="浙数局函〔2026〕1号",
            by_ms=end_of(until),
            behalf=behalf,
        )
        return self.put(body, by="authority", keep="notice")

    def settle_notice(self, *, version: int = 0) -> Folded:
        """Civil affairs reports on the latest notice."""
        body = dutyacts.SettleNotice(notice=self.latest["notice"], basis="已办结", version=version)
        return self.put(body, by="civil")

    def delete(self) -> Folded:
        """Health confirms a deletion."""
        body = dutyacts.ConfirmDeletion(grant=self.latest["grant"], reference="销毁记录 7")
        return self.put(body, by="health")

    def notify(self) -> Folded:
        """Health says how persons were told."""
        body = dutyacts.NotifyPersons(grant=self.latest["grant"], manner="网站公告")
        return self.put(body, by="health")

    def extend(self, kind: str, days: int, *, by: str = "civil") -> Folded:
        """Who owes the latest duty of ``kind`` asks for more days."""
        return self.put(dutyacts.ExtendDuty(duty=self.duty(kind).id, days=days), by=by)

    def consent(self, kind: str, *, agree: bool = True, by: str = "health") -> Folded:
        """The other side answers that."""
        return self.put(dutyacts.ConsentExtension(duty=self.duty(kind).id, agree=agree), by=by)

    def adopt(self, year: int, off: list[int], work: list[int] | None = None) -> Folded:
        """The authority adopts the working days of a year."""
        body = dutyacts.AdoptCalendar(
            year=year, off=tuple(off), work=tuple(work or ()), reference="国办发明电"
        )
        return self.put(body, by="authority")

    def duty(self, kind: str) -> Duty:
        """The newest duty of a kind, begun or not."""
        now = self.world.now_ms
        found = [row for row, _ in self.book(now) if row.kind == kind]
        return found[-1] if found else self.world.registry.duties[self._latest(kind)]

    def _latest(self, kind: str) -> str:
        return [name for name in self.world.registry.duties if name.startswith(f"{kind}/")][-1]

    def book(self, at_ms: int) -> list[tuple[Duty, Standing]]:
        """The whole book at a moment."""
        return list(book(self.world.registry, engine(), at_ms))

    def standing(self, kind: str, *, as_of: str, period: str = "") -> Standing:
        """How the newest duty of ``kind`` stands at noon of a day, or that of a period."""
        found = [
            (row, how)
            for row, how in self.book(at_noon(as_of))
            if row.kind == kind and row.id.endswith(period)
        ]
        assert found, f"no duty {kind} has begun by {as_of}"
        self.duty_seen, how = found[-1]
        return how

    def state(self, kind: str, *, as_of: str, period: str = "") -> Ended:
        """Its state and the rules it rests on."""
        how = self.standing(kind, as_of=as_of, period=period)
        return how.state, tuple(sorted(self.duty(kind).rules))


def end_of(day: str) -> int:
    """The first millisecond after a day in China; 0 for none."""
    return start_ms(date.fromisoformat(day)) + DAY_MS if day else 0
