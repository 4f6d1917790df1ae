import numpy as np
import pytest

from specnmf.output.page.columns import Columns, Loudness, as_bytes, as_levels


@pytest.mark.parametrize(("n_samples", "count"), [(1, 1), (8000, 100), (10**9, 2000)])
def test_columns_last_ten_milliseconds_or_are_two_thousand(n_samples, count):
    columns = Columns(n_samples, 8000)
    assert columns.count == count
    assert columns.edges[0] == 0
    assert columns.edges[-1] == n_samples
    assert (np.diff(columns.edges) > 0).all()


@pytest.mark.parametrize("length", [1, 7, 80, 1000])
def test_loudness_is_the_mean_square_whatever_the_blocks(rng, length):
    samples = rng.normal(size=(2, 997)).astype(np.float32)
    columns = Columns(997, 8000)
    loudness = Loudness(columns)
    for first in range(0, 997, length):
        loudness.add(samples[:, first : first + length])
    expected = [
        np.sum(samples[:, a:b].astype(float) ** 2) / (b - a)
        for a, b in zip(columns.edges[:-1], columns.edges[1:], strict=True)
    ]
    np.testing.assert_allclose(loudness.power(), expected, rtol=1e-5)


def test_what_lies_beyond_the_end_is_left_out():
    loudness = Loudness(Columns(80, 8000))
    loudness.add(np.ones((1, 200), np.float32))
    loudness.add(np.ones((1, 200), np.float32))
    assert loudness.power() == [1]


def test_levels_are_on_one_scale_for_all_stems():
    loud, faint = as_levels([np.array([1.0, 1e-3]), np.array([1e-6, 0.0])])
    assert loud.tolist() == [255, 128]
    assert faint.tolist() == [0, 0]


def test_silence_is_zero():
    assert as_bytes(np.zeros(3), 0.0, 60).tolist() == [0, 0, 0]
    assert as_levels([]) == []
