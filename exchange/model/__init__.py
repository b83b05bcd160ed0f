"""What records, contracts and acts look like; no I/O."""
