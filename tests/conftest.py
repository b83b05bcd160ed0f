"""What the whole test session shares. Fixtures live in ``tests/fixtures``, one file a subject."""

pytest_plugins = ["tests.fixtures.kafka", "tests.fixtures.logcheck", "tests.fixtures.postgres"]
