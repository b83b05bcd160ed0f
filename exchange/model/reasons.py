"""Why an application may be refused: codes for the ledger, words for people (REF-01).

That an application is incomplete is no reason: it was returned once, with the full list (REQ-01).
"""

from typing import Final

from exchange.model.acttypes import Reason
from exchange.model.text import Text

REASONS: Final[dict[Reason, Text]] = {
    "law-forbids": Text("a law forbids it", "法律禁止提供"),
    "not-held": Text("the provider does not hold the data", "提供方不掌握该数据"),
    "outside-scope": Text("outside the scope the catalogue states", "超出目录所列共享范围"),
    "outside-use": Text("outside the use the catalogue states", "超出目录所列使用用途"),
    "no-duty": Text("the duty cited does not need the data", "所引职责不需要该数据"),
    "wider": Text("more than the duty needs", "超出履职必需"),
}
"""Every reason but none."""
