"""Catalogue entries: proposed by a provider, reviewed and published by the authority.

A publication comes with a key to seal to and a topic. `described` gives back what
an entry says today, for a proposal that revises it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, cast

from pydantic import ValidationError

from exchange.errors import NotFound, RuleRefused
from exchange.flow.ports import Admitted
from exchange.model.acts import CoreElements, DatasetKey, ProposeDataset, PublishDataset
from exchange.model.acttypes import BasisKind, Library, Mode, Secrecy, Sharing
from exchange.model.contract import CYCLES, Contract
from exchange.model.guide import modes_of
from exchange.model.lifeacts import ConsentOnward, ReviewDataset
from exchange.model.text import Text
from exchange.registry.proposals import elements_of
from exchange.registry.rows import Dataset
from exchange.registry.state import Registry
from exchange.wiring.clock import now_ms
from exchange.wiring.hints import about_proposal, hinted
from exchange.wiring.homekafka import REPLICAS, data_topic
from exchange.wiring.newcomer import unfit
from exchange.wiring.office import Office

PARTITIONS: Final = 4
TOPIC_PREFIX: Final = "exchange.data."
KEY_DAYS: Final = 366
_DAY_MS: Final = 86_400_000
_SHARING_ZH: Final = {
    "unconditional": "无条件共享",
    "conditional": "有条件共享",
    "refused": "不予共享",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What a provider says of a dataset beyond its contract; the core elements come from both.

    An empty ``mode`` is the first that the format allows. Codes are those of
    exchange/model/acttypes.py.
    """

    sharing: str
    secrecy: str
    basis: str
    classification: str
    code: str
    abstract: str
    openness: str
    format: str = "数据库"
    price: str = ""
    conditions: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    topic: str = ""
    partitions: int = PARTITIONS
    mode: str = ""
    basis_kind: str = ""
    library: str = ""
    core_item: bool = False
    scope: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    reflow: bool = False


async def propose(office: Office, contract: Contract, said: Described) -> Admitted:
    """Propose ``contract`` as a dataset of this member."""
    member = await office.row()
    try:
        elements = CoreElements(
            classification=said.classification,
            name=contract.title.zh or contract.title.en,
            code=said.code,
            provider=member.name_zh,
            provider_code=member.credit_code,
            abstract=said.abstract,
            format=said.format,
            items=contract.names,
            sharing=_SHARING_ZH.get(said.sharing, ""),
            openness=said.openness,
            cycle=CYCLES[contract.cycle].zh,
            published_on=_today(),
            related=said.related,
            mode=cast(Mode, said.mode) or modes_of(said.format)[0],
        )
        body = ProposeDataset(
            dataset=contract.dataset,
            elements=elements,
            sharing=cast(Sharing, said.sharing),
            secrecy=cast(Secrecy, said.secrecy),
            basis=said.basis,
            contract=contract.encoded,
            topic=said.topic or TOPIC_PREFIX + contract.dataset,
            partitions=said.partitions,
            price=said.price,
            conditions=said.conditions,
            basis_kind=cast(BasisKind, said.basis_kind),
            library=cast(Library, said.library),
            core_item=said.core_item,
            scope=said.scope,
            uses=said.uses,
            sources=said.sources,
            derived_from=said.derived_from,
            reflow=said.reflow,
        )
    except ValidationError as error:
        raise unfit(error) from None
    try:
        return await office.submit(body, Text("propose a dataset", "申报数据集"))
    except RuleRefused as error:
        registry = office.view.registry
        raise hinted(error, about_proposal(body, office.member, registry)) from None


async def review(authority: Office, dataset: str, wanting: Sequence[str]) -> Admitted:
    """Find the newest proposal for ``dataset`` fit, or return it with all it is ``wanting``."""
    proposal = newest_proposal(await authority.registry(), dataset)
    try:
        body = ReviewDataset(
            dataset=dataset, proposal=proposal, approve=not wanting, wanting=tuple(wanting)
        )
    except ValidationError as error:
        raise unfit(error) from None
    return await authority.submit(body, Text("review a dataset", "审核数据集"))


async def consent(office: Office, dataset: str, member: str, *, given: bool) -> Admitted:
    """Let ``member`` pass ``dataset`` on as part of its own, or no more."""
    try:
        body = ConsentOnward(dataset=dataset, member=member, given=given)
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text("consent to onward sharing", "同意转供"))


def described(row: Dataset) -> Described:
    """What the provider said of a dataset that stands in the catalogue."""
    elements = elements_of(row.elements)
    said = row.said
    return Described(
        sharing=row.sharing,
        secrecy=row.secrecy,
        basis=row.basis,
        classification=elements.classification,
        code=elements.code,
        abstract=elements.abstract,
        openness=elements.openness,
        format=elements.format,
        price=row.price,
        conditions=row.conditions,
        related=elements.related,
        topic=row.topic,
        partitions=row.partitions,
        mode=said.mode,
        basis_kind=said.basis_kind,
        library=said.library,
        core_item=said.core_item,
        scope=said.scope,
        uses=said.uses,
        sources=said.sources,
        derived_from=said.derived_from,
        reflow=said.reflow,
    )


def newest_proposal(registry: Registry, dataset: str) -> bytes:
    """The id of the newest proposal for ``dataset``; `NotFound` if nobody made one."""
    proposal = registry.proposed.get(dataset)
    if proposal is None:
        raise NotFound(
            f"nobody has proposed a dataset {dataset[:80]!r}",
            f"没有对数据集 {dataset[:80]!r} 的申报",
            remedy=(
                "see: exchange catalogue list --proposed",
                "请查看：exchange catalogue list --proposed",
            ),
            failure="no-proposal",
        )
    return proposal


async def publish(authority: Office, dataset: str) -> Admitted | None:
    """Publish the newest proposal for ``dataset``, see that it has a key on record and a topic.

    Each step is left out where it was done before, so a publication that broke off is finished by
    repeating it. None if the publication itself stood already.
    """
    registry = await authority.registry()
    proposal = newest_proposal(registry, dataset)
    standing = registry.datasets.get(dataset)
    admitted = None
    if standing is None or standing.proposal != proposal:
        body = PublishDataset(dataset=dataset, proposal=proposal)
        admitted = await authority.submit(body, Text("publish a dataset", "发布数据集"))
    if authority.view.registry.dataset_key_at(dataset, now_ms()) is None:
        await record_key(authority, dataset)
    await ensure_topic(authority, dataset)
    return admitted


async def ensure_topic(office: Office, dataset: str) -> None:
    """Make the topic of a published dataset, or check the one that exists."""
    registry = office.view.registry
    row = registry.datasets[dataset]
    contract = Contract.decode(registry.contracts[row.contract_hash])
    replicas = min(REPLICAS, await office.bus.ready())
    await office.bus.ensure_topic(data_topic(row, contract.retention_days, replicas=replicas))


async def record_key(authority: Office, dataset: str, *, days: int = KEY_DAYS) -> Admitted:
    """Have a hub make a KEM key for ``dataset``, make it prove possession, put it on record."""
    public, proven = await authority.hub.prove_dataset_key(dataset)
    # Not the clock's now: ledger time may be a little ahead of this machine's.
    from_ms = min(now_ms(), authority.view.registry.time_ms)
    body = DatasetKey(
        dataset=dataset,
        public=public,
        valid_from_ms=from_ms,
        valid_to_ms=from_ms + days * _DAY_MS,
        proof=proven.proof,
    )
    return await authority.submit(body, Text("record a dataset key", "登记数据集密钥"))


def _today() -> str:
    return datetime.now(UTC).astimezone(timezone(timedelta(hours=8))).date().isoformat()
