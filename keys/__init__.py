"""Cryptography and custody of keys; a leaf, see SPEC.md."""
