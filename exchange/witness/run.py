"""Run the witness of a home in this process until it is told to stop."""

import uvicorn

from exchange.errors import PortBusy
from exchange.wiring.clock import now_ms
from exchange.wiring.home import Home
from exchange.wiring.hublog import keys_of_log
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.witnesskeys import open_witness
from exchange.witness.app import Witness, witness_app
from exchange.witness.memory import WitnessMemory


def run_witness(home: Home, passphrase: Passphrase) -> None:
    """Serve until SIGTERM or SIGINT. It knows one log: the ledger that this home pins.

    Raises `PortBusy`, `NotFound` and the errors of custody.
    """
    own = open_witness(home, passphrase)
    log = keys_of_log(home.root())
    witness = Witness(
        {log.origin: log}, own.signers, WitnessMemory(own.state), now_s=lambda: now_ms() // 1000
    )
    config = uvicorn.Config(
        witness_app(witness),
        host=own.settings.host,
        port=own.settings.port,
        ws="none",
        lifespan="off",
        log_config=None,  # exchange/wiring/logs.py owns logging
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit:
        # uvicorn leaves this way when it cannot listen; its own words went to the log.
        raise PortBusy(
            f"{own.url} cannot be listened on",
            f"无法监听 {own.url}",
            remedy=("change port in witness.toml", "请修改 witness.toml 中的 port"),
        ) from None
