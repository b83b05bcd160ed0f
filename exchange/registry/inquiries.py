"""Questions to the ledger as acts: who may ask what; nothing changes by asking."""

from exchange.model.evidenceacts import QUERY_PURPOSES, AuditQuery
from exchange.registry.case import Asked, Case, Denied, nothing_there
from policies.facts import LogFacts


def examine_query(body: AuditQuery, asked: Asked) -> Case | Denied:
    """A question about members and datasets there are, on a ledger that has come so far.

    Its purpose is one that everybody knows: of the list of query purposes, or of the register.

    It concerns the member itself if it names nobody else: only itself, or only what it provides.
    """
    registry = asked.registry
    if not 1 <= body.size <= registry.size:
        return nothing_there("the ledger is not as long as it says", "账本没有所称的那么长")
    for member in body.members:
        if member not in registry.members:
            return nothing_there(f"there is no member {member}", f"没有成员 {member}")
    for dataset in body.datasets:
        if dataset not in registry.datasets:
            return nothing_there(f"there is no dataset {dataset}", f"没有数据集 {dataset}")
    if body.purpose not in QUERY_PURPOSES and body.purpose not in registry.purposes:
        return nothing_there("its purpose is not in the register", "用途未登记")
    me = asked.act.member
    own = body.members == (me,) or (
        bool(body.datasets)
        and all(registry.datasets[name].provider == me for name in body.datasets)
    )
    log = LogFacts(registry.origin)
    return Case((asked.question(log, own=own, purpose=body.purpose),))
