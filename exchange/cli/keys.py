"""``exchange keys``: what this home's key files hold; new keys, backups."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.work import acting, as_authority, at_work, home_of, passphrase_of
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.wiring.office import Office

app = typer.Typer(no_args_is_help=True, help="Key files: list, new keys, backup, restore.")

_TITLE: Final = Text("Keys of {member}", "{member} 的密钥")
_COLUMNS: Final = (
    Text("label", "标签"),
    Text("kind", "类型"),
    Text("key id", "密钥编号"),
)
_ALGORITHMS: Final = {
    1: Text("signing", "签名"),
    2: Text("agreement", "协商"),
    6: Text("signing, ML-DSA-44", "签名（ML-DSA-44）"),
}
_RECORDED: Final = Text(
    "{dataset} has a new key (entry {index}); bundles are sealed to it from now on",
    "{dataset} 已登记新密钥（账本条目 {index}），此后的数据包使用新密钥",
)
_ROTATED: Final = Text(
    "{member}/{instance} has new keys (entry {index}); it opens new streams from now on",
    "{member}/{instance} 已启用新密钥（账本条目 {index}），此后开启新的数据流",
)
_BACKED_UP: Final = Text(
    "{file} holds the keys of {member}, encrypted; the passphrase is not in it",
    "{file} 保存了 {member} 的密钥（已加密，不含口令）",
)
_RESTORED: Final = Text(
    "the keys of {member} are back in {file}. Streams continue where the ledger says; an adapter"
    " that is behind opens new ones",
    "{member} 的密钥已恢复到 {file}。数据流以账本为准继续，落后的适配器将开启新数据流",
)


@app.command("list")
def list_keys(context: typer.Context) -> None:
    """List the keys in a member's key file; private halves are never shown."""
    from exchange.wiring.homekeys import open_custody

    session = session_of(context)
    home = home_of(session)
    member = acting(session, home)
    publics = open_custody(home, member, passphrase_of(session)).publics()
    screen = session.screen
    rows = [[key.label, screen.word(_ALGORITHMS[key.algorithm]), key.kid.hex()] for key in publics]
    title = Text(*(part.format(member=member) for part in _TITLE))
    screen.grid(Grid(title, _COLUMNS, rows))
    screen.answer(
        {
            "member": member,
            "keys": [
                {"label": key.label, "algorithm": key.algorithm, "kid": key.kid} for key in publics
            ],
        }
    )


@app.command("init")
def init(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    days: Annotated[
        int, typer.Option("--days", help="How long bundles may be sealed to it.")
    ] = 366,
) -> None:
    """Have the hub make a key for a dataset and put it on the ledger (the authority does)."""
    from exchange.wiring import publication

    session = session_of(context)
    admitted = as_authority(
        session, lambda office: publication.record_key(office, dataset, days=days)
    )
    session.screen.say(_RECORDED, dataset=dataset, index=admitted.index)
    session.screen.answer({"dataset": dataset, "entry": admitted.index})


@app.command("rotate")
def rotate(
    context: typer.Context,
    instance: Annotated[str, typer.Option("--instance", help="Which adapter instance.")] = "main",
) -> None:
    """Give an adapter instance new keys: the old registration ends, a new one begins."""
    from exchange.wiring.rotation import rotate_instance

    session = session_of(context)

    async def work(office: "Office") -> tuple[str, int]:
        return office.member, (await rotate_instance(office, instance)).index

    member, index = at_work(session, work)
    session.screen.say(_ROTATED, member=member, instance=instance, index=index)
    session.screen.answer({"member": member, "instance": instance, "entry": index})


@app.command("backup")
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file.")],
) -> None:
    """Copy a member's key file, as encrypted as it is, after checking that it opens."""
    from exchange.wiring.homekeys import open_custody

    session = session_of(context)
    home = home_of(session)
    member = acting(session, home)
    open_custody(home, member, passphrase_of(session))
    _copy(home.custody_file(member), file)
    session.screen.say(_BACKED_UP, file=file, member=member)
    session.screen.answer({"member": member, "file": str(file)})


@app.command("restore")
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A backup.")],
) -> None:
    """Put a backup in place of a lost key file, after checking that it opens; never over one."""
    from exchange.errors import UsageError
    from exchange.wiring.homekeys import open_file

    session = session_of(context)
    home = home_of(session)
    if session.member is None:
        raise UsageError(
            "it is not clear whose keys these are",
            "未指明这是哪个成员的密钥",
            remedy=("say --as MEMBER", "请加 --as 成员"),
            failure="no-member",
        )
    target = home.custody_file(session.member)
    open_file(file, passphrase_of(session))
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _copy(file, target)
    session.screen.say(_RESTORED, member=session.member, file=target)
    session.screen.answer({"member": session.member, "file": str(target)})


def _copy(source: Path, target: Path) -> None:
    """A durable copy, mode 0600, that never replaces a file."""
    raw = source.read_bytes()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as copy:
        copy.write(raw)
        copy.flush()
        os.fsync(copy.fileno())
