"""Long-running adapters."""
