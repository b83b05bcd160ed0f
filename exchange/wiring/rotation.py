"""New keys for an adapter instance: the old registration ends, the next one begins."""

from exchange.flow.ports import Admitted
from exchange.model.acts import RetireInstance
from exchange.model.text import Text
from exchange.wiring.enrol import register_instance
from exchange.wiring.homekeys import signing_label
from exchange.wiring.office import Office


async def rotate_instance(office: Office, name: str) -> Admitted:
    """Retire the instance if it is active, then register it with fresh keys.

    A crash in between leaves the instance retired; running this again registers it. What it has
    published stays readable up to its newest anchor, so push everything first.
    """
    registry = await office.registry()
    if registry.active(office.member, name):
        body = RetireInstance(member=office.member, instance=name)
        await office.submit(body, Text("retire an instance", "停用实例"))
    return await register_instance(office, name, _unused(office, name))


def _unused(office: Office, name: str) -> int:
    """The first number whose signing key the ledger has never seen."""
    kids = office.view.registry.kids
    held = {key.label: key.kid for key in office.custody.publics()}
    number = 0
    while held.get(signing_label(name, number)) in kids:
        number += 1
    return number
