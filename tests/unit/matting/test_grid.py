import numpy as np
import pytest

from packshot.imaging.grid import MIN_CELLS, Grid


@pytest.mark.parametrize(
    ("shape", "side", "cell", "rows", "columns"),
    [
        pytest.param((1024, 1024), 256, 4, 256, 256, id="whole cells"),
        pytest.param((2000, 1500), 256, 8, 250, 188, id="the last column hangs over"),
        pytest.param((100, 90), 256, 1, 100, 90, id="small pictures keep their pixels"),
        pytest.param((4000, 50), 256, 1, 4000, 50, id="a strip keeps its short side"),
        pytest.param((8000, 128), 256, 4, 2000, 32, id="a wider strip too"),
    ],
)
def test_size(shape: tuple[int, int], side: int, cell: int, rows: int, columns: int) -> None:
    grid = Grid.over(shape, side)
    assert (grid.cell, grid.rows, grid.columns) == (cell, rows, columns)
    assert min(rows, columns) >= min(MIN_CELLS, *shape)


@pytest.mark.parametrize("margin", [1, 7])
@pytest.mark.parametrize("shape", [(64, 64), (333, 517), (1000, 130)])
def test_tiles_cover_every_pixel_once(shape: tuple[int, int], margin: int) -> None:
    grid = Grid(*shape, 3)
    seen = np.zeros(shape, np.uint8)
    for tile in grid.tiles(margin):
        seen[tile.pixels] += 1
    assert seen.min() == seen.max() == 1


@pytest.mark.parametrize("cell", [1, 2, 5])
def test_a_tile_is_cut_out_of_the_whole(cell: int) -> None:
    grid = Grid(333, 517, cell)
    field = np.random.default_rng(0).random((grid.rows, grid.columns, 4), np.float32)
    whole = grid.spread(field)
    assert whole.shape == (333, 517, 4)
    for tile in grid.tiles():
        part = grid.enlarge(field[tile.near], tile)
        assert np.abs(part - whole[tile.pixels]).max() < 1e-5


def test_a_slope_keeps_its_place_down_and_up() -> None:
    # A shift of half a cell on the way would show as an offset.
    grid = Grid(200, 303, 4)
    x = np.broadcast_to(np.arange(303, dtype=np.float32), (200, 303))
    back = grid.spread(grid.shrink(np.ascontiguousarray(x)))
    inside = (slice(8, -8), slice(8, -8))
    assert np.abs(back[inside] - x[inside]).max() < 1e-3


@pytest.mark.parametrize(
    "size", [pytest.param((20, 20), id="coarser"), pytest.param((200, 303), id="finer")]
)
def test_resample_reads_a_mask_where_the_cells_are(size: tuple[int, int]) -> None:
    grid = Grid(200, 303, 4)
    centres = (np.arange(size[1], dtype=np.float32) + 0.5) / size[1]
    mask = np.ascontiguousarray(np.broadcast_to(centres, size), np.float32)
    expected = (np.arange(grid.columns) * 4 + 2) / 303
    assert np.abs(grid.resample(mask)[25] - expected)[3:-3].max() < 2e-3
