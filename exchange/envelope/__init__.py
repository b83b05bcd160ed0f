"""Bundles: seal, verify without keys, open with keys."""
