"""The hub: HTTP over the release flow."""
