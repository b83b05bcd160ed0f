"""One verb a file: publish, release, deliver. Knows Protocols only."""
