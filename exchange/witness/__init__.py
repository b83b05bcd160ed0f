"""A witness: cosigns heads of the log that it finds consistent; exchange/ledger/LOG-SPEC.md §6."""
