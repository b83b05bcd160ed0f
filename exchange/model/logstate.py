"""What a hub says of its published log at `GET /health/ready`; proof is in the log itself."""

from pydantic import BaseModel, ConfigDict


class LogState(BaseModel):
    """Entries under the newest checkpoint, entries not under it yet, and how old it is.

    ``cosignatures_missing`` counts the witnesses of the hub's policy that have not signed it.
    """

    model_config = ConfigDict(frozen=True)

    entries: int
    unsealed: int
    age_ms: int
    cosignatures_missing: int
