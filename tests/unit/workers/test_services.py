"""What a worker's process is built from."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from models.fake import fake_models
from packshot.settings import Settings
from workers.services import build


@pytest.fixture
def threads() -> Iterator[int]:
    """OpenCV's own choice; it holds for the whole process."""
    before = cv2.getNumThreads()
    yield before
    cv2.setNumThreads(before)


@pytest.mark.parametrize("wanted", [1, 3])
def test_opencv_has_no_more_threads_than_a_model(wanted: int, threads: int, tmp_path: Path) -> None:
    cv2.setNumThreads(wanted + 1)
    settings = Settings(threads=wanted, blobs=tmp_path.as_uri())
    build(settings, fake_models(), worker="w")
    assert cv2.getNumThreads() == wanted
