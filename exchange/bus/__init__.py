"""Kafka and its deterministic in-memory twin; values are opaque bytes."""
