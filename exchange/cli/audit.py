"""``exchange audit``: read the ledger oneself, search it, explain an entry, verify it all."""

import typer

from exchange.cli.auditmirror import register as register_mirror
from exchange.cli.auditprove import register as register_prove
from exchange.cli.auditreconcile import register as register_reconcile
from exchange.cli.auditreplay import register as register_replay
from exchange.cli.auditreport import register as register_report
from exchange.cli.auditsearch import register as register_search
from exchange.cli.auditshow import register as register_show
from exchange.cli.auditverify import register as register_verify
from exchange.cli.auditview import register as register_view

app = typer.Typer(
    no_args_is_help=True, help="Who did what, who read what, and whether the ledger is whole."
)

for register in (
    register_verify,
    register_prove,
    register_mirror,
    register_replay,
    register_search,
    register_view,
    register_show,
    register_reconcile,
    register_report,
):
    register(app)
