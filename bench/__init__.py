"""Measure the Exchange beside its peers: one machine, one broker, the same records, one run."""
