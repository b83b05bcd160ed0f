"""Make a home on a machine of its own for one member of a ledger that stands already.

The home gets the pinned configuration, the member's key file and a claim; no key of authority or
hub. Nothing is sent anywhere. Doing it again with the same connection keeps every key and writes
the claim anew, so a mistyped name can be corrected until the authority has enrolled it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import UsageError
from exchange.wiring.claim import make_claim
from exchange.wiring.connection import Connection
from exchange.wiring.home import (
    CONFIGURATION,
    DEFAULT_INSTANCE,
    GENESIS_FILE,
    Home,
    open_home,
    own_directory,
    render,
)
from exchange.wiring.homekeys import OFFICER, create_custody, open_custody
from exchange.wiring.newcomer import Newcomer
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.registration import prepare_instance, signing_key


@dataclass(frozen=True, slots=True)
class Joined:
    """A home that may go on as soon as the authority has enrolled it."""

    home: Home
    claim: Path
    officer_kid: bytes


def check_joinable(path: Path, connection: Connection, member: str) -> None:
    """`UsageError` if ``path`` is a home of anything but this ledger and this member alone."""
    if not (path / CONFIGURATION).exists():
        return
    home = open_home(path)
    same = home.table.log.genesis == connection.table.log.genesis
    if same and not home.table.hub.local and home.members() in {(), (member,)}:
        return
    raise UsageError(
        f"{path} is a home already, of {', '.join(home.members())} on {home.table.log.origin}",
        f"{path} 已经是主目录（{home.table.log.origin}：{'、'.join(home.members())}）",
        remedy=("name another place with --home", "请用 --home 另选目录"),
        failure="home-exists",
    )


def join(path: Path, connection: Connection, newcomer: Newcomer, passphrase: Passphrase) -> Joined:
    """Make the home at ``path``, or complete one that was begun; keys that exist are kept."""
    newcomer.checked()
    check_joinable(path, connection, newcomer.member)
    own_directory(path)
    if not (path / CONFIGURATION).exists():
        _lay_out(path, connection)
    home = open_home(path)
    file = home.custody_file(newcomer.member)
    if file.exists():
        custody = open_custody(home, newcomer.member, passphrase)
    else:
        custody = create_custody(file, passphrase)
    officer = signing_key(custody, OFFICER)
    prepare_instance(custody, DEFAULT_INSTANCE)
    log = home.table.log
    text = make_claim(newcomer, custody, origin=log.origin, genesis=log.genesis)
    claim = home.claim_file(newcomer.member)
    draft = claim.with_suffix(".new")
    draft.write_text(text, "utf-8")
    draft.rename(claim)
    return Joined(home, claim, officer.kid)


def _lay_out(path: Path, connection: Connection) -> None:
    """What is public, made aside and renamed; the configuration last: it makes this a home."""
    draft = path / ".join"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    (draft / "ca.pem").write_text(connection.ca, "ascii")
    (draft / GENESIS_FILE).write_bytes(connection.entry)
    (draft / CONFIGURATION).write_text(render(connection.table), "utf-8")
    for name in ("ca.pem", GENESIS_FILE, CONFIGURATION):
        (draft / name).rename(path / name)
    draft.rmdir()
