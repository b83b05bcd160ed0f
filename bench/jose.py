"""The per-record peer with standards: JWS around JWE, one of each a record, through joserfc.

Kindest choices: the content key is agreed beforehand (``dir``, A256GCM), so that no record pays for
key agreement, and EdDSA is the fastest signature joserfc has. Every record is encrypted and signed
by itself, as a gateway that protects messages does.
"""

from collections.abc import Callable
from typing import Final

import orjson
from joserfc import jwe, jws
from joserfc.jwk import OctKey, OKPKey

_JWE: Final = {"alg": "dir", "enc": "A256GCM"}
_JWS: Final = {"alg": "EdDSA"}


def sealing() -> Callable[[dict[str, str]], bytes]:
    """A function that protects one record."""
    content, signing = OctKey.generate_key(256), OKPKey.generate_key("Ed25519")

    def seal(record: dict[str, str]) -> bytes:
        encrypted = jwe.encrypt_compact(_JWE, orjson.dumps(record), content)
        return jws.serialize_compact(_JWS, encrypted, signing, algorithms=["EdDSA"]).encode()

    return seal
