"""The published log as others verify it: a Go program that shares no code with the Exchange."""
