"""The witness of a home: its keys, its settings, and the policy lines that others copy.

``HOME/witness/`` holds ``custody`` (an Ed25519 and an ML-DSA-44 key that sign nothing else),
``witness.toml`` and ``state/``, one small file a log.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import StringConstraints

from exchange.errors import NoteRefused, NotFound, UsageError
from exchange.ledger.cosignature import HeadSigner
from exchange.ledger.note import SignatureType, VerifierKey, check_name
from exchange.wiring.home import Home, Port
from exchange.wiring.homekeys import create_custody, open_file
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.tomlfile import Table, parse, quoted, read_toml
from keys.custody import Custody

PORT_DEFAULT: Final = 8444
_ED25519: Final = "witness/ed25519"
_MLDSA: Final = "witness/mldsa"


class WitnessSettings(Table):
    """``witness.toml``: the name it signs under, for ever, and where it listens."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    host: str = "127.0.0.1"
    port: Port = PORT_DEFAULT


@dataclass(frozen=True, slots=True)
class WitnessHome:
    """The witness of one home."""

    settings: WitnessSettings
    signers: tuple[HeadSigner, ...]
    state: Path

    @property
    def url(self) -> str:
        """Where logs submit their checkpoints."""
        return url_of(self.settings)

    def policy(self) -> str:
        """A tlog-policy that asks for this witness alone: lines for others to build theirs from."""
        classical, second = (signer.key.text() for signer in self.signers)
        return (
            "# Demand this witness by its ML-DSA-44 key. The second line is for verifiers that\n"
            "# know Ed25519 only; it counts for the same witness, so do not ask for both.\n"
            f"witness {self.settings.name} {second} {self.url}\n"
            f"# witness {self.settings.name} {classical} {self.url}\n"
            f"quorum {self.settings.name}\n"
        )


def folder_of(home: Home) -> Path:
    """Where the witness of ``home`` lies."""
    return home.path / "witness"


def settings_of(folder: Path) -> WitnessSettings:
    """What ``witness.toml`` in ``folder`` says; `ConfigurationInvalid`."""
    return parse(read_toml(folder / "witness.toml"), WitnessSettings)


def url_of(settings: WitnessSettings) -> str:
    """Where a witness with these settings is asked."""
    host = settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def has_witness(home: Home) -> bool:
    """Whether this home has a witness."""
    return (folder_of(home) / "witness.toml").is_file()


def make_witness(home: Home, settings: WitnessSettings, passphrase: Passphrase) -> WitnessHome:
    """New keys and settings; `UsageError` if the home has a witness, or the name is no key's."""
    folder = folder_of(home)
    if has_witness(home):
        raise UsageError(
            f"{folder} is a witness already",
            f"{folder} 已有见证人",
            remedy=("run it: exchange witness run", "请执行 exchange witness run"),
            failure="witness-exists",
        )
    try:
        check_name(settings.name)
    except NoteRefused:
        raise UsageError(
            f"{settings.name[:80]!r} cannot be the name of a witness",
            f"{settings.name[:80]!r} 不能用作见证人名称",
            remedy=("write it without spaces and plus", "请勿使用空格与加号"),
            failure="witness-name",
        ) from None
    custody = create_custody(folder / "custody", passphrase)
    custody.generate_signing(_ED25519)
    custody.generate_mldsa(_MLDSA)
    (folder / "witness.toml").write_text(
        "# Written by 'exchange witness init'. The name is part of every signature.\n"
        f"name = {quoted(settings.name)}\n"
        f"host = {quoted(settings.host)}\n"
        f"port = {settings.port}\n",
        "utf-8",
    )
    return _witness(home, settings, custody)


def open_witness(home: Home, passphrase: Passphrase) -> WitnessHome:
    """The witness of ``home``; `NotFound` if it has none."""
    folder = folder_of(home)
    if not has_witness(home):
        raise NotFound(
            "this home has no witness",
            "本主目录没有见证人",
            remedy=("make one: exchange witness init", "请执行 exchange witness init"),
            failure="no-witness",
        )
    settings = settings_of(folder)
    return _witness(home, settings, open_file(folder / "custody", passphrase))


def _witness(home: Home, settings: WitnessSettings, custody: Custody) -> WitnessHome:
    name = settings.name
    classical = VerifierKey(name, SignatureType.COSIGNATURE, custody.public(_ED25519).raw)
    second = VerifierKey(name, SignatureType.MLDSA, custody.public(_MLDSA).raw)
    signers = (
        HeadSigner(classical, custody.signer(_ED25519)),
        HeadSigner(second, custody.mldsa_signer(_MLDSA)),
    )
    return WitnessHome(settings, signers, folder_of(home) / "state")
