"""The duty stage with every other act that a row of law speaks of, each of which becomes an entry.

Acts are signed, decided by a hub on the state, written as a signed entry, read back and folded:
what a scenario asserts are the rules on that entry.
"""

from typing import Any, Final, cast

from exchange.ledger.verdict import Folded
from exchange.model import acts, lawacts, lifeacts
from exchange.model.acttypes import MemberKind
from exchange.model.rulesarchive import pack_rules
from policies.engine import ENGINE_VERSION
from tests.duties.stage import DATASET, DutyStage, at_noon
from tests.ledger.drafts import DAY_MS, HOUR_MS, elements
from tests.policies.laws import with_law

ITEM: Final = "welfare-number"
"""Of which ``welfare`` is the one source, once `EntryStage.source` has been played."""


class EntryStage(DutyStage):
    """Civil affairs provides ``welfare``, health applies; ``schools`` is what is proposed anew."""

    def enrol(self, member: str = "finance", kind: str = "department") -> Folded:
        """The authority admits a member."""
        body = self.world.enrolment(member, cast(MemberKind, kind))
        return self.put(body, by="authority", keep=f"member/{member}")

    def propose_entry(self, *, by: str = "civil", of: str = "schools", **said: Any) -> Folded:
        """``by`` proposes a dataset; ``elements`` changes some of the 13."""
        if "elements" in said:
            said["elements"] = elements(of, **said["elements"])
        text = {"contract": self.contract.encoded} if of == DATASET else {}
        body = self.world.proposal(of, **{**text, **said})
        return self.put(body, by=by, keep="proposal")

    def review(self, of: str = "schools") -> Folded:
        """The authority finds the newest proposal fit."""
        body = lifeacts.ReviewDataset(dataset=of, proposal=self.latest["proposal"], approve=True)
        return self.put(body, by="authority", keep="review")

    def publish(self, of: str = "schools") -> Folded:
        """The authority publishes the newest proposal."""
        body = acts.PublishDataset(dataset=of, proposal=self.latest["proposal"])
        return self.put(body, by="authority", keep="published")

    def source(self) -> Folded:
        """``welfare`` becomes the one source of `ITEM`."""
        said: dict[str, Any] = {"sharing": "conditional", "sources": (ITEM,)}
        self.propose_entry(of=DATASET, **said)
        self.review(DATASET)
        return self.publish(DATASET)

    def consent_onward(self, *, to: str) -> Folded:
        """Civil affairs lets ``to`` pass ``welfare`` on."""
        body = lifeacts.ConsentOnward(dataset=DATASET, member=to)
        return self.put(body, by="civil", keep="consent")

    def collect(self, *items: str) -> Folded:
        """Health states what it asks citizens for."""
        body = lifeacts.DeclareCollection(matter="330100-01", items=items)
        return self.put(body, by="health", keep="collection")

    def complete(self, **said: Any) -> Folded:
        """Health completes the latest application."""
        body = lifeacts.CompleteRequest(request=self.latest["request"], **said)
        return self.put(body, by="health", keep="request")

    def respond(self, **said: Any) -> Folded:
        """Civil affairs answers the latest application as it likes."""
        body = acts.AnswerRequest(request=self.latest["request"], **said)
        return self.put(body, by="civil", keep="grant")

    def ask(self, *, purpose: str = "collaboration", region: str = "3301") -> Folded:
        """Health asks for keys under its latest grant, or the application granted at once."""
        grant = self.latest.get("grant") or self.latest["request"]
        now = self.world.now_ms
        item = self.world.item(
            self.latest[f"stream/{region}"], from_ms=now - HOUR_MS, to_ms=now, levels=(1,)
        )
        body = self.world.ask(grant, item, purpose=purpose)
        return self.put(body, by="health/main", keep="keys")

    def open_stream(self, region: str = "3302") -> Folded:
        """Civil affairs opens a stream under suite 1, which is no SM suite."""
        body = self.world.opening(DATASET, region)
        return self.put(body, by="civil/main", keep=f"stream/{region}")

    def assign(self, role: lawacts.Role, holder: str = "A-017", by: str = "civil") -> Folded:
        """A member gives one of its people a role."""
        return self.put(lawacts.AssignRole(member=by, holder=holder, role=role), by=by)

    def purge(self, records: lawacts.RecordClass, *, before: str) -> Folded:
        """Civil affairs deletes its records of before a day."""
        body = lawacts.PurgeRecords(records=records, up_to_ms=at_noon(before) - DAY_MS // 2)
        return self.put(body, by="civil")

    def law(self, **rows: Any) -> Folded:
        """The authority adopts the shipped rules with rows changed."""
        rules = with_law(rows)
        body = lawacts.AdoptRules(
            rules=rules.hash(ENGINE_VERSION),
            engine=ENGINE_VERSION,
            archive=pack_rules(rules.files),
        )
        return self.put(body, by="authority")
