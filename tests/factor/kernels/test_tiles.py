"""Products of tiles: NumPy's, whatever the shape."""

import numpy as np
import pytest

from specnmf.factor.kernels.tiles import LINE, add_product, new_tile, set_inner, tile_of


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (64, 16, 1025), (9, 130, 33)])
def test_products_are_numpys(rng, shape, dtype):
    n_rows, n, n_columns = shape
    A = tile_of(rng.random((n_rows, n)).astype(dtype))
    B = tile_of(rng.random((n, n_columns)).astype(dtype))
    A = np.ascontiguousarray(A[:, : len(B)])
    C = new_tile(n_rows, n_columns, B)
    add_product(A, B, C)
    add_product(A, B, C)
    rtol = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(C, 2 * A @ B, rtol=rtol)
    inner = np.zeros((len(C), len(B)), dtype)
    set_inner(C, B, inner)
    np.testing.assert_allclose(inner, C @ B.T, rtol=rtol)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_begin_on_a_cache_line_and_the_padding_is_zero(rng, dtype):
    A = rng.random((5, 19)).astype(dtype)
    tile = tile_of(A)
    assert (tile[:5, :19] == A).all()
    assert tile.sum() == pytest.approx(A.sum(), rel=1e-6)
    assert len(tile) % 4 == 0
    assert all(row.ctypes.data % LINE == 0 for row in tile)
