"""Recomputing a matte from what a person painted, and finding what is wrong with one."""

import numpy as np
import pytest

from packshot.imaging import retouch
from packshot.imaging.grid import Bytes, Floats

_SIZE = 96


def _soft_disc() -> tuple[Bytes, Floats]:
    """A red disc with an edge of 12 pixels on green, and its true matte."""
    y, x = np.mgrid[:_SIZE, :_SIZE]
    distance = np.hypot(y - 48, x - 48)
    alpha = np.clip((34 - distance) / 12, 0, 1).astype(np.float32)
    subject, background = np.array([200, 40, 40]), np.array([30, 160, 60])
    rgb = alpha[..., None] * subject + (1 - alpha[..., None]) * background
    return rgb.round().astype(np.uint8), alpha


def test_a_soft_edge_comes_back_from_a_wrong_matte() -> None:
    rgb, truth = _soft_disc()
    unknown = (truth > 0.0) & (truth < 1.0)
    wrong = np.where(unknown, 0.0, truth).astype(np.float32)
    solved = retouch.recompute(rgb, wrong, unknown)
    assert np.abs(wrong - truth)[unknown].mean() > 0.3
    assert np.abs(solved - truth)[unknown].mean() < 0.05


def test_what_was_not_painted_is_not_touched() -> None:
    rgb, truth = _soft_disc()
    unknown = np.zeros(truth.shape, np.bool_)
    unknown[40:56, 70:90] = True
    solved = retouch.recompute(rgb, truth, unknown)
    np.testing.assert_array_equal(solved[~unknown], truth[~unknown])


def test_nothing_painted_changes_nothing() -> None:
    rgb, truth = _soft_disc()
    solved = retouch.recompute(rgb, truth, np.zeros(truth.shape, np.bool_))
    np.testing.assert_array_equal(solved, truth)


@pytest.mark.parametrize("known", [0.0, 1.0], ids=["only background", "only subject"])
def test_one_side_alone_keeps_the_matte(known: float) -> None:
    rgb, _ = _soft_disc()
    alpha = np.full((_SIZE, _SIZE), known, np.float32)
    alpha[40:50, 40:50] = 0.5
    unknown = alpha == 0.5
    solved = retouch.recompute(rgb, alpha, unknown)
    np.testing.assert_array_equal(solved, alpha)


def test_known_parts_of_a_trimap_are_exact() -> None:
    rgb, truth = _soft_disc()
    trimap = retouch.trimap(truth, np.zeros(truth.shape, np.bool_))
    solved = retouch.resolve(rgb, truth, trimap)
    assert set(np.unique(trimap)) == {0, retouch.UNKNOWN, 255}
    assert (solved[trimap == 255] == 1.0).all()
    assert (solved[trimap == 0] == 0.0).all()


def test_equal_colours_on_both_sides_keep_what_was_there() -> None:
    rgb = np.full((_SIZE, _SIZE, 3), 127, np.uint8)
    alpha = np.zeros((_SIZE, _SIZE), np.float32)
    alpha[:, :40] = 1.0
    unknown = np.zeros(alpha.shape, np.bool_)
    unknown[:, 20:60] = True
    solved = retouch.recompute(rgb, alpha, unknown)
    # Away from the step, which the last filter softens by two of its radii.
    np.testing.assert_allclose(solved[:, 20:31], 1.0, atol=0.01)
    np.testing.assert_allclose(solved[:, 49:60], 0.0, atol=0.01)


def test_islands_and_holes_are_leaks() -> None:
    alpha = np.zeros((_SIZE, _SIZE), np.float32)
    alpha[20:80, 20:80] = 1.0
    alpha[50:53, 50:53] = 0.0
    alpha[4:7, 4:7] = 1.0
    found = retouch.leaks(alpha)
    expected = np.zeros(alpha.shape, np.bool_)
    expected[50:53, 50:53] = expected[4:7, 4:7] = True
    np.testing.assert_array_equal(found, expected)


def test_a_clean_matte_has_no_leaks() -> None:
    _, alpha = _soft_disc()
    assert not retouch.leaks(alpha).any()


def test_a_halo_is_where_the_background_shines_through() -> None:
    rgb, alpha = _soft_disc()
    subject = np.broadcast_to(np.array([200, 40, 40], np.uint8), rgb.shape)
    found = retouch.halo(rgb, alpha, subject)
    assert found[(alpha > 0.1) & (alpha < 0.5)].mean() > 0.8
    assert not found[alpha == 1.0].any()
    assert not retouch.halo(subject.copy(), alpha, subject).any()
