"""What a worker process serves: one row per role."""

from dataclasses import dataclass

from packshot.contract import Lane, Step, queue_name
from packshot.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Role:
    """Stages, whether it takes producers' messages in, and how many steps it runs at once.

    `concurrency` is for a process on two cores: the model runtimes leave the interpreter lock, so
    two threads fill two cores; more of them would only wait in front of the model.
    """

    name: str
    steps: tuple[Step, ...]
    intake: bool
    concurrency: int

    @property
    def runs_models(self) -> bool:
        """Whether it needs weights."""
        return any(step in _MODELS for step in self.steps)

    def queues(self, lanes: tuple[Lane, ...] = tuple(Lane)) -> tuple[str, ...]:
        """The queues that this role consumes, live ones first."""
        return tuple(queue_name(step, lane) for lane in lanes for step in self.steps)


_IO = (Step.PREPARE, Step.FINISH)
_MODELS = (Step.OCR, Step.RECOGNITION, Step.MATTING)

ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role("io", _IO, intake=True, concurrency=4),
        Role("ocr", (Step.OCR,), intake=False, concurrency=2),
        Role("recognition", (Step.RECOGNITION,), intake=False, concurrency=2),
        Role("matting", (Step.MATTING,), intake=False, concurrency=2),
        Role("gpu", _MODELS, intake=False, concurrency=2),
        Role("all", tuple(Step), intake=True, concurrency=2),
    )
}


def role(name: str) -> Role:
    """The role called `name`. Raises `ConfigurationError` that lists the ones there are."""
    try:
        return ROLES[name]
    except KeyError:
        known = ", ".join(ROLES)
        raise ConfigurationError(f"There is no role {name!r}; the roles are {known}.") from None
