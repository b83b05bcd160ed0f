"""What the demo shares: one real register and one generated one. README.md states the sources."""
