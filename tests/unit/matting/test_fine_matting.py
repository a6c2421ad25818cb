from importlib.util import find_spec

import numpy as np
import pytest

from models.matting import Matter, fine
from packshot.errors import ConfigurationError
from tests.unit.matting.conftest import Scene
from tests.unit.matting.test_matter import RedIsSalient

installed = find_spec("pymatting") is not None


@pytest.mark.skipif(installed, reason="PyMatting is installed")
def test_without_the_extra_it_says_what_to_install(photo: Scene) -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'packshot\[fine\]'"):
        Matter(session=RedIsSalient(), fine=True)
    with pytest.raises(ConfigurationError, match="fine"):
        fine.refine(photo.rgb, photo.alpha)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_matte_that_leaves_nothing_to_solve_stays(level: float) -> None:
    rgb = np.full((64, 64, 3), 90, np.uint8)
    alpha = np.full((64, 64), level, np.float32)
    assert fine.refine(rgb, alpha) is alpha


@pytest.mark.skipif(not installed, reason="needs the extra `fine`")
def test_closed_form_keeps_the_subject(photo: Scene) -> None:
    alpha = fine.refine(photo.rgb, photo.alpha)
    assert alpha.dtype == np.float32
    assert alpha.shape == photo.alpha.shape
    assert np.abs(alpha - photo.alpha).mean() < 0.01
