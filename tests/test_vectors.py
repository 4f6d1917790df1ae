"""Vectors: the same numbers, compiled or not."""

import numpy as np
import pytest

from specnmf import vectors
from specnmf.jit import njit


def mixed(rows, gain, out):
    """Two rows, one with a gain, and their product's sum; every function once."""
    first, second = vectors.load(rows, (0, 1)), vectors.load(rows, (1, 2))
    summed = vectors.plus(vectors.zeros(), np.float32(1), first)
    summed = vectors.plus(summed, gain * vectors.number(rows[0], 3), second)
    vectors.store(out, (1,), summed)
    return vectors.total(vectors.product(first, second))


@pytest.mark.kernels
@pytest.mark.parametrize("compiled", [False, True])
def test_they_are_numpys_on_eight_numbers_of_a_row(rng, compiled):
    rows = rng.random((2, 11)).astype(np.float32)
    first, second = rows[0, 1:9], rows[1, 2:10]
    out = np.zeros(10, np.float32)
    function = njit(cache=False)(mixed) if compiled else mixed
    found = function(rows, np.float32(0.5), out)
    expected = first + 0.5 * rows[0, 3] * second
    np.testing.assert_allclose(out[1:9], expected, rtol=1e-6)
    assert not out[[0, 9]].any()
    assert found == pytest.approx(float(first @ second), rel=1e-6)


@pytest.mark.kernels
def test_rows_need_not_lie_one_after_another(rng):
    rows = rng.random((4, 20)).astype(np.float32)[::2, :12]
    out = np.zeros(10, np.float32)
    njit(cache=False)(mixed)(rows, np.float32(0), out)
    np.testing.assert_array_equal(out[1:9], rows[0, 1:9])


def turned(rows, scale, out, square):
    """What the other functions make of two rows, and of eight."""
    first, second = vectors.load(rows, (0, 0)), vectors.load(rows, (1, 0))
    vectors.store(out, (0, 0), vectors.add(first, second))
    vectors.store(out, (1, 0), vectors.subtract(first, second))
    vectors.store(out, (2, 0), vectors.scaled(first, scale))
    vectors.store(out, (3, 0), vectors.fused(first, first, second))
    even, odd = vectors.apart(first, second)
    vectors.store(out, (4, 0), even)
    vectors.store(out, (5, 0), odd)
    vectors.store(out, (6, 0), vectors.backwards(first))
    more = vectors.load(rows, (2, 0)), vectors.load(rows, (3, 0))
    last = vectors.load(rows, (4, 0)), vectors.load(rows, (5, 0))
    others = vectors.load(rows, (6, 0)), vectors.load(rows, (7, 0))
    vectors.store_columns(square, (0, 1), (first, second, *more, *last, *others))


@pytest.mark.kernels
@pytest.mark.parametrize("compiled", [False, True])
def test_numbers_change_places_as_in_numpy(rng, compiled):
    rows = rng.random((8, 8)).astype(np.float32)
    out, square = np.zeros((7, 8), np.float32), np.zeros((1, 66), np.float32)
    function = njit(cache=False)(turned) if compiled else turned
    function(rows, np.float32(0.5), out, square)
    a, b = rows[:2]
    expected = [a + b, a - b, a / 2, a + a * b]
    np.testing.assert_allclose(out[:4], expected, rtol=1e-6)
    both = rows[:2].ravel()
    np.testing.assert_array_equal(out[4:], [both[::2], both[1::2], a[::-1]])
    np.testing.assert_array_equal(square[0, 1:65].reshape(8, 8), rows.T)
    assert not square[0, [0, 65]].any()
