"""The Exchange: encrypted, signed, rule-bound sharing of records between government departments."""
