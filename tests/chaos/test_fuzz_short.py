"""Some hundred mutated messages and photos; `make fuzz` sends thousands."""

from pathlib import Path

import pytest

from tests.chaos import fuzz
from tests.support.fleet import Fleet, settings_of
from tests.support.installation import install

pytestmark = pytest.mark.services


def test_no_worker_dies_and_every_end_has_a_name(
    rabbit: str, postgres: str, tmp_path: Path
) -> None:
    fleet = Fleet(fuzz.environment(rabbit, postgres, tmp_path), tmp_path)
    install(settings_of(fleet.settings))
    try:
        counts = fuzz.fire(fleet, seed=7, messages=400, photos=100)
        assert fuzz.deaths(fleet) == 0
    finally:
        fleet.close()
    assert {count.what: (count.lost, count.unnamed) for count in counts} == {
        "messages to the intake": (0, 0),
        "messages to the stages": (0, 0),
        "photos": (0, 0),
    }
    assert all(len(count.ends) > 0 for count in counts)
