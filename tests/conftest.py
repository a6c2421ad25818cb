"""Every test gets the fixtures of tests/support; see fixtures.py for what there is."""

pytest_plugins = ["tests.support.fixtures", "tests.support.browser"]
