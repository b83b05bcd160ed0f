"""State folded from the ledger: members, catalogue, grants, streams."""
