"""Bands: the bins between two frequencies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import Grid, ParameterError, Settings
from specnmf.audio.band import band_of

GRID = Grid(sr=8000, n_samples=8000, n_fft=16, hop_length=8)  # bins 500 Hz apart


@pytest.mark.parametrize(
    ("fmin", "fmax", "first", "stop"),
    [
        (None, None, 0, 9),
        (0.0, None, 0, 9),
        (500.0, 1500.0, 1, 4),
        (501.0, 1499.0, 2, 3),
        (None, 99_000.0, 0, 9),
        (4000.0, None, 8, 9),
    ],
)
def test_bins_whose_centres_lie_in_the_band(fmin, fmax, first, stop):
    assert band_of(GRID, Settings(fmin=fmin, fmax=fmax)) == slice(first, stop)


@given(
    low=st.floats(0, 4000), high=st.floats(0.1, 9000), n_fft=st.sampled_from([16, 2048])
)
def test_no_bin_beyond_the_band_is_taken(low, high, n_fft):
    grid = Grid(sr=8000, n_samples=8000, n_fft=n_fft, hop_length=8)
    inside = (grid.frequencies >= low) & (grid.frequencies <= high)
    if low < high and inside.any():
        band = band_of(grid, Settings(fmin=low, fmax=high))
        assert inside[band].all()
        assert inside.sum() == band.stop - band.start


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fmin": 4001.0}, r"half the sample rate, 4000 Hz, got 4001"),
        ({"fmin": 510.0, "fmax": 990.0}, r"no bin lies from 510 to 990 Hz.* 500 Hz"),
    ],
)
def test_a_band_without_bins_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        band_of(GRID, Settings(**options))


@pytest.mark.parametrize(("fmin", "fmax"), [(500.0, 500.0), (900.0, 100.0)])
def test_a_band_from_high_to_low_is_refused(fmin, fmax):
    with pytest.raises(ParameterError, match="fmin must be below fmax"):
        Settings(fmin=fmin, fmax=fmax)
