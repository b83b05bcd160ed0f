"""What the fields of acts are made of: hashes, names, regions, codes, and their bounds."""

from typing import Annotated, Literal

from annotated_types import Len, MaxLen
from pydantic import StringConstraints

from exchange.model.ids import SLUG

Hash = Annotated[bytes, Len(32, 32)]
KidBytes = Annotated[bytes, Len(16, 16)]
MldsaKey = Annotated[bytes, Len(1312, 1312)]
Slug = Annotated[str, StringConstraints(pattern=rf"^{SLUG}\z")]
Region = Annotated[
    str, StringConstraints(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?\z")
]
Code = Annotated[str, StringConstraints(max_length=200)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Fields = Annotated[tuple[FieldName, ...], MaxLen(1024)]
Regions = Annotated[tuple[Region, ...], MaxLen(256)]
Level = Literal[1, 2, 3, 4]

MemberKind = Literal["department", "authorised", "authority", "auditor", "enterprise", "person"]
Sharing = Literal["unconditional", "conditional", "refused"]
Secrecy = Literal["none", "work", "state"]
