"""What was found, in a file that workers on the same kind of machine pick up."""

import logging
import os
import platform
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from models.ort import has_cuda
from models.registry import Registry
from packshot.errors import ConfigurationError
from packshot.settings import Settings
from workers.tune.knobs import Knobs, Score

log = logging.getLogger(__name__)

FILE = "profile.json"
CUDA = "cuda"
_CPUINFO = Path("/proc/cpuinfo")


class Machine(BaseModel):
    """What the numbers hold for: elsewhere they are somebody else's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processor: str
    cores: int
    device: str


class Profile(BaseModel):
    """The best way that was found, and how fast it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: Machine
    knobs: Knobs
    photos_per_second: float


def machine(settings: Settings) -> Machine:
    """This machine, as far as its speed goes. Whether CUDA is there decides, not that it may be."""
    cuda = settings.device in {"auto", CUDA} and has_cuda()
    device = CUDA if cuda else settings.device
    return Machine(processor=_processor(), cores=len(os.sched_getaffinity(0)), device=device)


def path(settings: Settings) -> Path:
    """Where the profile is: named by the settings, else beside the weights."""
    return settings.profile or Registry(settings.models).cache / FILE


def write(settings: Settings, best: Score) -> Path:
    """Keep what was found; returns where."""
    file = path(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = Profile(machine=machine(settings), knobs=best.knobs, photos_per_second=best.rate)
    part = file.with_suffix(".part")
    part.write_text(kept.model_dump_json(indent=2) + "\n", "utf-8")
    part.replace(file)
    return file


def read(settings: Settings) -> Profile | None:
    """The profile for this machine, or None where there is none.

    Raises `ConfigurationError` for a file that is named and cannot be read, or is wrong.
    """
    file = path(settings)
    try:
        found = Profile.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        if settings.profile is None:
            return None
        raise ConfigurationError(f"There is no profile {file}: run packshot tune.") from error
    except (OSError, ValidationError) as error:
        raise ConfigurationError(
            f"The profile {file} is wrong: {error}. Run packshot tune again, or delete it."
        ) from error
    here = machine(settings)
    if found.machine != here:
        log.warning("the profile %s is another machine's (%s): not used", file, found.machine)
        return None
    return found


def tuned(settings: Settings, found: Profile | None) -> Settings:
    """The settings with the profile's numbers, where nobody has set others."""
    if found is None:
        return settings
    values = {
        "threads": found.knobs.threads,
        "batch_size": found.knobs.batch,
        "batch_wait": found.knobs.wait,
    }
    unset = {name: it for name, it in values.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=unset)


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text("ascii", "replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
