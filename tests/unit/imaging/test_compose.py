"""Rendering: exact whites, exact fills, no fringes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.contract import CUTOUT, MAIN, Gradient, Output, Template
from packshot.imaging.compose import is_cutout, render, subject_box, subject_fill

Rgb = NDArray[np.uint8]
Cutout = Callable[..., Rgb]


def wanted(**fields: Any) -> Output:
    return Output(name="x", **fields)


def over(cutout: Rgb, ground: tuple[int, int, int]) -> NDArray[np.float64]:
    """Straight alpha compositing, in floating point (Porter and Duff 1984)."""
    alpha = cutout[..., 3:] / 255
    return cutout[..., :3] * alpha + np.array(ground) * (1 - alpha)


def test_the_photos_size_and_place_are_kept(cutout: Cutout) -> None:
    source = cutout()
    rendered = render(source, wanted(background="#102030"))
    assert rendered.image.shape == (200, 300, 3)
    assert np.abs(rendered.image - over(source, (0x10, 0x20, 0x30))).max() <= 0.51


def test_a_plain_cut_out_keeps_every_visible_colour(cutout: Cutout) -> None:
    source = cutout()
    rendered = render(source, wanted())
    visible = source[..., 3] > 0
    assert np.array_equal(rendered.image[visible], source[visible])
    assert not rendered.image[~visible].any()


@pytest.mark.parametrize(
    ("output", "same"),
    [
        pytest.param(CUTOUT, True, id="the cut-out"),
        pytest.param(wanted(format="webp"), True, id="in another format"),
        pytest.param(MAIN, False, id="white, square"),
        pytest.param(wanted(size=300), False, id="scaled"),
        pytest.param(wanted(fill=0.9), False, id="moved"),
        pytest.param(wanted(shadow=True), False, id="with a shadow"),
        pytest.param(wanted(background="#ffffff"), False, id="on white"),
    ],
)
def test_what_is_the_cut_out_itself_need_not_be_rendered(
    cutout: Cutout, output: Output, same: bool
) -> None:
    assert is_cutout(output) is same
    source = cutout()
    source[source[..., 3] == 0] = 0  # as it is stored
    rendered = render(source, output)
    assert np.array_equal(rendered.image, source) is same
    if same:
        assert rendered.fill == subject_fill(source[..., 3])


def test_the_cut_out_handed_in_is_not_modified(cutout: Cutout) -> None:
    source = cutout()
    before = source.copy()
    for output in (wanted(), MAIN, wanted(background="#ffffff", shadow=True)):
        render(source, output)
    assert np.array_equal(source, before)


@pytest.mark.parametrize("fill", [0.1, 0.5, 0.85, 0.975, 1.0])
@pytest.mark.parametrize("size", [64, 801, 1600])
@pytest.mark.parametrize(
    "box", [(40, 30, 160, 170), (0, 80, 300, 120), (280, 180, 300, 200)], ids=str
)
def test_fill_is_met_and_the_product_is_centred(
    cutout: Cutout, fill: float, size: int, box: tuple[int, int, int, int]
) -> None:
    rendered = render(cutout(box=box), wanted(size=size, fill=fill))
    assert rendered.image.shape == (size, size, 4)
    assert rendered.fill == pytest.approx(fill, abs=2.5 / size + 0.02 * fill)
    measured = subject_box(rendered.image[..., 3])
    assert measured is not None
    assert (measured.left + measured.right) / 2 == pytest.approx(size / 2, abs=1.5 + size / 100)
    assert (measured.top + measured.bottom) / 2 == pytest.approx(size / 2, abs=1.5 + size / 100)


def test_a_size_alone_fills_85_percent(cutout: Cutout) -> None:
    assert render(cutout(), wanted(size=1000)).fill == pytest.approx(0.85, abs=0.005)


def test_fill_without_a_size_keeps_the_photos_size(cutout: Cutout) -> None:
    rendered = render(cutout(), wanted(fill=0.5))
    assert rendered.image.shape == (200, 300, 4)
    measured = subject_box(rendered.image[..., 3])
    assert measured is not None
    assert measured.bottom - measured.top == pytest.approx(100, abs=2)


@pytest.mark.parametrize("size", [70, 333, 1200], ids=str)
def test_white_is_exactly_white_where_nothing_is(cutout: Cutout, size: int) -> None:
    flat = render(cutout(), wanted(size=size, background="#ffffff")).image
    clear = render(cutout(), wanted(size=size)).image
    assert (flat[clear[..., 3] == 0] == 255).all()
    assert flat.min() < 60


@pytest.mark.parametrize("size", [90, 1000], ids=["down", "up"])
@pytest.mark.parametrize("hidden", [(0, 255, 0), (255, 255, 255), (0, 0, 0)], ids=str)
def test_no_fringe_of_the_invisible_colour(
    cutout: Cutout, size: int, hidden: tuple[int, int, int]
) -> None:
    image = render(cutout(hidden=hidden), wanted(size=size)).image
    visible = image[..., 3] > 25
    assert np.abs(image[visible][:, :3].astype(int) - (200, 40, 40)).max() <= 6
    assert not image[image[..., 3] == 0].any()


@pytest.mark.parametrize("size", [90, 1000], ids=["down", "up"])
def test_white_on_white_stays_white(cutout: Cutout, size: int) -> None:
    white = cutout(colour=(255, 255, 255), hidden=(0, 0, 0))
    assert render(white, wanted(size=size, background="#ffffff")).image.min() >= 254


def test_transparent_and_solid_agree(cutout: Cutout) -> None:
    clear = render(cutout(), wanted(size=500)).image
    flat = render(cutout(), wanted(size=500, background="#336699")).image
    assert np.abs(flat - over(clear, (0x33, 0x66, 0x99))).max() <= 2


def test_a_gradient_runs_downwards() -> None:
    empty = np.zeros((50, 80, 4), np.uint8)
    background = Gradient(top="#ffffff", bottom="#204060")
    image = render(empty, wanted(background=background)).image
    assert tuple(image[0, 0]) == (255, 255, 255)
    assert tuple(image[-1, -1]) == (0x20, 0x40, 0x60)
    assert (np.diff(image[:, 0].astype(int), axis=0) <= 0).all()
    assert (image == image[:, :1]).all()


@pytest.mark.parametrize("shape", [(40, 400), (400, 40), (900, 900), (1, 1)], ids=str)
def test_a_template_covers_the_canvas(photo: Callable[..., Rgb], shape: tuple[int, int]) -> None:
    empty = np.zeros((100, 100, 4), np.uint8)
    template = np.full((*shape, 3), 77, np.uint8)
    image = render(empty, wanted(background=Template(uri="s3://a/b"), size=256), template).image
    assert (image == 77).all()


def test_a_template_is_cut_in_the_middle() -> None:
    template = np.zeros((100, 300, 3), np.uint8)
    template[:, 100:200] = 200
    empty = np.zeros((100, 100, 4), np.uint8)
    image = render(empty, wanted(background=Template(uri="s3://a/b")), template).image
    assert (image == 200).all()


def test_a_template_that_is_missing() -> None:
    with pytest.raises(ValueError, match="template"):
        render(np.zeros((100, 100, 4), np.uint8), wanted(background=Template(uri="s3://a/b")))


@pytest.mark.parametrize("shadow", [False, True])
@pytest.mark.parametrize("size", [None, 128])
@pytest.mark.parametrize("noise", [0, 10])
def test_an_empty_matte_gives_the_bare_background(
    size: int | None, shadow: bool, noise: int
) -> None:
    empty = np.full((60, 90, 4), 200, np.uint8)
    empty[..., 3] = noise  # below the box's alpha: nothing
    flat = render(empty, wanted(size=size, background="#fafafa", shadow=shadow))
    assert flat.fill is None
    assert (flat.image == 0xFA).all()
    clear = render(empty, wanted(size=size, shadow=shadow))
    assert clear.fill is None
    assert not clear.image.any()


def test_a_shadow_darkens_below_and_never_the_product(cutout: Cutout) -> None:
    plain = render(cutout(), wanted(size=600, fill=0.6, background="#ffffff")).image.astype(int)
    shaded = render(
        cutout(), wanted(size=600, fill=0.6, background="#ffffff", shadow=True)
    ).image.astype(int)
    clear = render(cutout(), wanted(size=600, fill=0.6)).image
    box = subject_box(clear[..., 3])
    assert box is not None
    solid = clear[..., 3] == 255
    assert np.array_equal(shaded[solid], plain[solid])
    assert (shaded <= plain).all()
    below = shaded[box.bottom + 2 : box.bottom + 20, 200:400]
    above = shaded[box.top - 20 : box.top - 2, 200:400]
    assert below.mean() < above.mean() - 3
    assert (shaded[:20] == 255).all()


def test_a_shadow_on_transparency_looks_like_one_on_white(cutout: Cutout) -> None:
    clear = render(cutout(), wanted(size=500, fill=0.6, shadow=True)).image
    flat = render(cutout(), wanted(size=500, fill=0.6, shadow=True, background="#ffffff")).image
    assert np.abs(flat - over(clear, (255, 255, 255))).max() <= 3


def test_a_tiny_product_on_the_largest_canvas_is_bounded(cutout: Cutout) -> None:
    speck = cutout(height=2000, width=2000, box=(1000, 1000, 1008, 1008))
    rendered = render(speck, wanted(size=2048, fill=1.0, background="#ffffff"))
    assert rendered.fill is not None
    assert rendered.fill > 0.9
