"""What the fields of acts are made of: hashes, names, regions, codes, and their bounds."""

from typing import Annotated, Literal

from annotated_types import Len, MaxLen
from pydantic import StringConstraints

from exchange.model.ids import SLUG

Hash = Annotated[bytes, Len(32, 32)]
KidBytes = Annotated[bytes, Len(16, 16)]
MldsaKey = Annotated[bytes, Len(1312, 1312)]
SLUG_FORM = rf"^{SLUG}\z"
Slug = Annotated[str, StringConstraints(pattern=SLUG_FORM)]
REGION_FORM = r"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?\z"
Region = Annotated[str, StringConstraints(pattern=REGION_FORM)]
SHOWN_FORM = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\z"
"""No control characters and none that turn the direction of a line: what is on the ledger for ever
is shown on terminals for ever."""
Code = Annotated[str, StringConstraints(max_length=200, pattern=SHOWN_FORM)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=SHOWN_FORM)]
Fields = Annotated[tuple[FieldName, ...], MaxLen(1024)]
Regions = Annotated[tuple[Region, ...], MaxLen(256)]
Level = Literal[1, 2, 3, 4]

MemberKind = Literal["department", "authorised", "authority", "auditor", "enterprise", "person"]
Sharing = Literal["unconditional", "conditional", "refused"]
Secrecy = Literal["none", "work", "state"]

Library = Literal["", "population", "legal-persons", "space", "licences", "credit"]
"""The base libraries (基础信息资源库) a dataset may be part of; "" is none (BASE-01, FEE-02)."""
BasisKind = Literal["", "law", "regulation", "state-council", "local", "rule", "other"]
"""What kind of text a legal basis is: law 法律, administrative regulation 行政法规, decision of
the State Council 国务院决定; others (地方性法规, 规章) carry no refusal to share (NEG-01)."""
Mode = Literal["", "table", "api", "file"]
"""How data is exchanged (共享方式): by table 库表, by API 接口, by file 文件."""
Reason = Literal["", "law-forbids", "not-held", "outside-scope", "outside-use", "no-duty", "wider"]
"""Why an application is refused (exchange/model/reasons.py); "" states none (REF-01)."""
ItemCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=SHOWN_FORM)]
"""Code of a data item (信息项) that one dataset may be the authoritative source of (SRC-01)."""
ItemCodes = Annotated[tuple[ItemCode, ...], MaxLen(64)]
Codes = Annotated[tuple[Code, ...], MaxLen(64)]
Slugs = Annotated[tuple[Slug, ...], MaxLen(64)]
