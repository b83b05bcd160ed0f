"""What the whole test session shares. Fixtures live in ``tests/fixtures``, one file a subject."""

from hypothesis import settings

pytest_plugins = ["tests.fixtures.kafka", "tests.fixtures.logcheck", "tests.fixtures.postgres"]

# How long an example takes depends on what else the machine does, so no test looks at it.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
