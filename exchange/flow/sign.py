"""Sign acts as one member's officer or instance, and read verdicts on them."""

from exchange.errors import RuleRefused
from exchange.flow.ports import Admitted, Clock
from exchange.ledger.act import sign_act
from exchange.limits import ACT_LIFETIME_MS
from exchange.model.actcodec import Body
from keys.cose import Signer


class Signs:
    """A voice on the ledger: ``member`` with ``instance``, or its officer when that is None."""

    def __init__(
        self, *, origin: str, member: str, instance: str | None, signer: Signer, clock: Clock
    ) -> None:
        self.origin = origin
        self.member = member
        self.instance = instance
        self.signer = signer
        self._clock = clock

    def sign(self, body: Body, *, lifetime_ms: int = ACT_LIFETIME_MS) -> bytes:
        """A fresh act with ``body``; signing twice makes two acts."""
        return sign_act(
            body,
            origin=self.origin,
            member=self.member,
            instance=self.instance,
            signer=self.signer,
            now_ms=self._clock(),
            lifetime_ms=lifetime_ms,
        )

    def permitted(self, admitted: Admitted, en: str, zh: str) -> Admitted:
        """``admitted`` if the rules permitted the act; else RuleRefused, saying what it was."""
        if admitted.permit:
            return admitted
        raise RuleRefused(
            f"{self.member} may not {en}: {', '.join(admitted.rules)}",
            f"{self.member} 不得{zh}：{', '.join(admitted.rules)}",
            rules=admitted.rules,
            remedy=(
                f"see ledger entry {admitted.index}: exchange rules explain {admitted.rules[0]}",
                f"参见账本条目 {admitted.index}：exchange rules explain {admitted.rules[0]}",
            ),
        )
