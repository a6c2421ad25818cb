"""A run of the real runtime can be ended from another thread."""

import threading
import time

import numpy as np
import pytest

from models.cancel import Cancellation
from models.registry import Registry
from packshot.errors import ModelFailure

pytestmark = pytest.mark.models


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_a_run_ends_soon_after_it_is_cancelled(weights: Registry, device: str) -> None:
    if device == "openvino":
        pytest.importorskip("openvino")
    session = weights.session("ppocrv6-det-small", threads=1, device=device)
    feed = {session.inputs[0].name: np.zeros((4, 3, 1280, 1280), np.float32)}  # some seconds long
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    started = time.monotonic()
    with (
        cancellation.entered(),
        pytest.raises(ModelFailure, match=r"terminate|Request was canceled"),
    ):
        session.run(feed)
    stopped = time.monotonic() - started
    timer.join()
    assert stopped < 60  # it did end; how soon is the benchmark's business
    small = {session.inputs[0].name: np.zeros((1, 3, 64, 64), np.float32)}
    assert session.run(small)[0].shape[0] == 1  # the session is as good as before
