"""Questions to the ledger and their proofs."""
