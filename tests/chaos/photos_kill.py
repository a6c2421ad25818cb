"""Scenarios: a photo that kills whoever reads it, and one from which the model never comes back."""

from tests.chaos.load import DEADLY, HANGING
from tests.chaos.scenario import Faults, Guard, Load, Post, scenario
from tests.chaos.world import World

#: Slow enough that there is always somebody beside the photo that kills.
_FRAGILE = Post("all", concurrency=4, faults=Faults(deadly=DEADLY), fake_seconds=0.4)
_STUCK = Post("all", faults=Faults(hanging=HANGING))
_DEAF = Post("all", faults=Faults(hanging=HANGING, deaf=True))
#: Seconds that a step may take.
_LIMIT = {"PACKSHOT_STEP_SECONDS": "5"}


@scenario(
    _FRAGILE,
    _FRAGILE,
    load=Load(rate=None, deadly=(0.3,)),
    guilty={"deadly": "poison"},
    patience=75.0,
    guards=(Guard.ALONE,),
)
def _deadly_photo(world: World) -> None:
    """A photo kills every worker that reads it, and with it what runs beside it."""
    with world.fault():
        world.reach(1.0)


@scenario(
    _FRAGILE,
    _FRAGILE,
    load=Load(rate=None, deadly=(0.2, 0.25, 0.3)),
    guilty={"deadly": "poison"},
    patience=75.0,
)
def _deadly_photos(world: World) -> None:
    """Three photos kill every worker that reads one of them."""
    with world.fault():
        world.reach(1.0)


@scenario(
    _STUCK,
    _STUCK,
    load=Load(hanging=(0.3, 0.5)),
    guilty={"hanging": "step_timeout"},
    settings=_LIMIT,
    patience=75.0,
)
def _hanging_photo(world: World) -> None:
    """Two photos let the model hang until it is told to stop."""
    with world.fault():
        world.reach(1.0)


@scenario(
    _DEAF,
    _DEAF,
    load=Load(hanging=(0.3,)),
    guilty={"hanging": "poison"},
    settings=_LIMIT,
    patience=150.0,
)
def _deaf_model(world: World) -> None:
    """A photo lets the model hang, and it does not hear that it should stop."""
    with world.fault():
        world.reach(1.0)
