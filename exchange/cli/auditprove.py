"""``exchange audit prove``: one text that shows for ever that an entry stands on the ledger."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.auditentries import no_entry
from exchange.cli.newfile import write_new
from exchange.cli.screen import Screen
from exchange.cli.session import Session, session_of
from exchange.cli.times import shown, stated
from exchange.cli.work import as_reader, home_of
from exchange.errors import InputUnreadable, NotFound
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.ledger.cosignature import LogKeys
    from exchange.ledger.policy import Policy
    from exchange.ledger.proof import Proof, Proven
    from exchange.wiring.home import Home
    from exchange.wiring.office import Office

WAIT_TRIES: Final = 12
WAIT_S: Final = 0.25
"""A hub seals within a second; a witness may take another."""
_PROVEN: Final = Text(
    "entry {index} stands under the head of {size} entries that hub {hub} signed",
    "第 {index} 条位于枢纽 {hub} 所签 {size} 条的检查点之下",
)
_SIGNED_AT: Final = Text("signed {time}, root {root}", "签署于 {time}，根 {root}")
_WITNESSED: Final = Text("cosigned by: {names}", "见证人：{names}")
_WRITTEN: Final = Text(
    "{file} proves it anywhere, with no network: exchange audit verify --proof {file}",
    "{file} 可在任何地方离线核验：exchange audit verify --proof {file}",
)
_SAYS: Final = Text(
    "it says: {kind} by {who}, admitted by hub {hub} at {time}",
    "内容：{who} 的 {kind}，由枢纽 {hub} 于 {time} 受理",
)


PolicyOption = Annotated[
    Path | None, typer.Option("--policy", help="Demand the quorum of this tlog-policy file.")
]


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("prove")(prove)


def prove(
    context: typer.Context,
    index: Annotated[int, typer.Argument(min=0, help="Index of the entry, counted from 0.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A new file; by custom its name ends in .tlog-proof."),
    ] = None,
    policy: PolicyOption = None,
) -> None:
    """Prove that an entry stands on the ledger, in one text that verifies with no network."""
    session = session_of(context)
    screen = session.screen
    demanded = policy_of(home_of(session), policy)

    async def work(office: "Office") -> "tuple[Proof, Proven]":
        return await proof_of(office, index, demanded)

    proof, proven = as_reader(session, work)
    if out is None:
        screen.say(Text(*[proof.text().rstrip("\n").replace("{", "{{").replace("}", "}}")] * 2))
    else:
        write_new(out, proof.text())
        tell_proven(screen, proven)
        screen.say(_WRITTEN, file=out)
    screen.answer(proven_data(proven) | {"file": str(out) if out else None, "proof": proof.text()})


async def proof_of(
    office: "Office", index: int, policy: "Policy | None" = None
) -> "tuple[Proof, Proven]":
    """The proof from the hub's published log; waits for an entry that is being sealed now."""
    from exchange.audit.published import prove as prove_entry

    for tries_left in reversed(range(WAIT_TRIES)):
        try:
            return await prove_entry(office.log, office.log_keys, index, policy=policy)
        except NotFound as error:
            if error.failure != "not-sealed" or not tries_left:
                raise
            if index >= (size := (await office.hub.head()).size):
                raise no_entry(index, size) from None
        await asyncio.sleep(WAIT_S)
    raise AssertionError("the last try returns or raises")


def verify_proof_file(
    session: Session, file: Path, entry: Path | None, policy: Path | None
) -> None:
    """Verify one tlog-proof text and say what it proves: from the pinned genesis alone.

    Where there is no home the policy's log lines say whose signature counts.
    """
    from exchange.ledger.checkpoint import parse_checkpoint
    from exchange.ledger.note import parse_note
    from exchange.ledger.proof import parse_proof, verify_proof

    proof = parse_proof(_read(file))
    given = None if policy is None else policy_in(policy)
    origin = parse_checkpoint(parse_note(proof.checkpoint).text).origin
    log, home = _trusted(session, given, origin)
    proven = verify_proof(
        proof,
        log,
        entry=_read(entry) if entry is not None else None,
        policy=policy_of(home, None) if given is None and home is not None else given,
    )
    tell_proven(session.screen, proven)
    said = {} if home is None else tell_entry(session.screen, home, proven.entry)
    session.screen.answer({"verified": True} | proven_data(proven) | said)


def _trusted(
    session: Session, given: "Policy | None", origin: str
) -> "tuple[LogKeys, Home | None]":
    """Whose heads count: by the home's pin, or without a home by the policy that was given."""
    from exchange.wiring.hublog import keys_of_log

    try:
        home = home_of(session)
    except NotFound:
        if given is None:
            raise _nobody_known() from None
        return given.log(origin), None
    return keys_of_log(home.root()), home


def _nobody_known() -> NotFound:
    return NotFound(
        "whose signature counts is not known: there is no home here and no --policy",
        "无法确定以谁的签名为准：此处没有主目录，也未给出 --policy",
        remedy=(
            "name a home with --home, or a tlog-policy file whose log lines name the hubs' keys"
            " (exchange audit mirror says them): --policy FILE",
            "请用 --home 指定主目录，或用 --policy 指定含枢纽公钥 log 行的策略文件"
            "（公钥见 exchange audit mirror）",
        ),
        failure="no-home",
    )


def policy_of(home: "Home", file: Path | None) -> "Policy | None":
    """The policy in ``file``, else the home's own, else none."""
    return home.policy() if file is None else policy_in(file)


def policy_in(file: Path) -> "Policy":
    """The tlog-policy file ``file``."""
    from exchange.ledger.policy import parse_policy

    return parse_policy(_read(file), str(file))


def tell_proven(screen: Screen, proven: "Proven") -> None:
    """What a proof proves."""
    head = proven.head
    screen.say(_PROVEN, index=proven.index, size=head.checkpoint.size, hub=head.hub)
    screen.say(_SIGNED_AT, time=stated(head.time_s), root=head.checkpoint.root.hex())
    if proven.witnessed is not None:
        screen.say(_WITNESSED, names=", ".join(proven.witnessed.times) or "-")


def tell_entry(screen: Screen, home: "Home", raw: bytes) -> dict[str, object]:
    """What the proven entry says, its hub's signature checked."""
    from exchange.ledger.act import parse_act
    from exchange.ledger.entry import parse_entry, verify_entry

    parsed = parse_entry(raw)
    hub = parsed.statement.hub
    keys = {one.hub: one.entry for one in home.root().hubs}
    entry = verify_entry(parsed, keys.get(hub, b""))
    said, act = entry.statement, parse_act(entry.statement.act)
    who = f"{act.member}/{act.instance}" if act.instance else act.member
    screen.say(_SAYS, kind=act.kind, who=who, hub=hub, time=shown(said.time_ms))
    return {
        "kind": act.kind,
        "member": act.member,
        "instance": act.instance or "",
        "act": act.id.hex(),
        "time": shown(said.time_ms),
        "permit": said.permit,
        "rules": list(said.rules),
        "hash": entry.leaf_hash.hex(),
    }


def proven_data(proven: "Proven") -> dict[str, object]:
    """The same for programs."""
    head = proven.head
    return {
        "entry": proven.index,
        "size": head.checkpoint.size,
        "root": head.checkpoint.root.hex(),
        "hub": head.hub,
        "signed": stated(head.time_s) if head.time_s else None,
        "witnesses": sorted(proven.witnessed.times) if proven.witnessed is not None else [],
    }


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputUnreadable(
            f"{file} cannot be read: {error.strerror}",
            f"无法读取 {file}：{error.strerror}",
            remedy=("check the path", "请检查路径"),
            failure="unreadable",
        ) from None
