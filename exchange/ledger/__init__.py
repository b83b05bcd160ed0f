"""Acts, entries and the append-only log that orders them."""
