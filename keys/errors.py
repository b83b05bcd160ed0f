"""Every error of this leaf raised on purpose.

::

    KeysError                    category              exit
    ├── MalformedCbor            malformed-cbor        1   not the one way to write this value
    ├── MalformedSign1           malformed-sign1       1   not a COSE_Sign1 of our profile
    ├── SignatureInvalid         signature-invalid     1   another key, another domain, other bytes
    ├── KeyRejected              key-rejected          1   a public key nobody may enrol
    ├── UnknownSuite             unknown-suite         1   a suite number this build lacks
    ├── OpenRefused              open-refused          1   AEAD or HPKE would not open
    └── CustodyError             …
        ├── WrongPassphrase      wrong-passphrase      2
        ├── WeakPassphrase       weak-passphrase       2
        ├── TornFile             torn-file             2   restore it from a backup
        ├── CustodyMissing       custody-missing       2
        ├── CustodyUnreadable    custody-unreadable    2   no permission, not a file
        ├── CustodyExists        custody-exists        2
        ├── KeyMissing           key-missing           2
        ├── KeyExists            key-exists            2
        └── CustodyUnwritable    custody-unwritable    3   full disk, no permission; nothing lost

``category`` is stable and meant for programs, as is ``failure``, the class inside the category
that vectors and tests name. ``text`` and ``remedy`` are (English, Chinese) pairs for people.
"""

from typing import ClassVar

Sentence = tuple[str, str]
"""One sentence in English and in Chinese."""


class KeysError(Exception):
    """The root of the tree; carries no key material and no plaintext."""

    category: ClassVar[str] = "keys"
    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, en: str, zh: str, *, remedy: Sentence = ("", ""), failure: str = "") -> None:
        super().__init__(en)
        self.text: Sentence = (en, zh)
        self.remedy: Sentence = remedy
        self.failure = failure or self.category


class MalformedCbor(KeysError):
    """Bytes that are not deterministic CBOR within bounds; classes in SPEC.md §2."""

    category = "malformed-cbor"


class MalformedSign1(KeysError):
    """Bytes that are not a COSE_Sign1 of the profile; classes in SPEC.md §3."""

    category = "malformed-sign1"


class SignatureInvalid(KeysError):
    """The signature was not made by this key over these bytes for this domain."""

    category = "signature-invalid"


class KeyRejected(KeysError):
    """A public key that must not be enrolled; classes in SPEC.md §5."""

    category = "key-rejected"


class UnknownSuite(KeysError):
    """A suite number that this build does not know."""

    category = "unknown-suite"


class OpenRefused(KeysError):
    """A ciphertext or a wrapped secret did not open; classes ``length``, ``key``, ``opened``."""

    category = "open-refused"


class CustodyError(KeysError):
    """The custody file or a key in it is not as the caller thinks."""

    category = "custody"
    exit_code = 2


class WrongPassphrase(CustodyError):
    """The file is whole and the passphrase does not open it."""

    category = "wrong-passphrase"


class WeakPassphrase(CustodyError):
    """A new passphrase is shorter than `keys.custody.PASSPHRASE_CHARACTERS_MIN`."""

    category = "weak-passphrase"


class TornFile(CustodyError):
    """The file is cut, altered, or not a custody file of a version this build reads."""

    category = "torn-file"


class CustodyMissing(CustodyError):
    """No custody file at that path."""

    category = "custody-missing"


class CustodyUnreadable(CustodyError):
    """Something is at that path and the system does not let us read it."""

    category = "custody-unreadable"


class CustodyExists(CustodyError):
    """A custody file is already there and is never overwritten."""

    category = "custody-exists"


class KeyMissing(CustodyError):
    """No key of that label, kid or kind in custody."""

    category = "key-missing"


class KeyExists(CustodyError):
    """A label is in use; labels are never reused silently."""

    category = "key-exists"


class CustodyUnwritable(CustodyError):
    """The file could not be written; the previous one is intact."""

    category = "custody-unwritable"
    retriable = True
    exit_code = 3
