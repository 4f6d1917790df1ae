"""selections.txt: when and where each stem sounds."""

import numpy as np
import pytest

from specnmf import Factorization, Grid, read_regions
from specnmf.output.selections import bands_of, merged, write_activity
from specnmf.score.selections import Selection

GRID = Grid(sr=8000, n_samples=8000, n_fft=32, hop_length=8)  # 17 bins of 250 Hz


def test_a_band_holds_nine_tenths_of_the_energy(rng):
    W = rng.uniform(size=(17, 5))
    for (low, high), w in zip(bands_of(W, GRID), W.T, strict=True):
        inside = (low <= GRID.frequencies) & (high >= GRID.frequencies)
        assert (w[inside] ** 2).sum() >= 0.9 * (w**2).sum()
        assert 0 <= low < high <= 4000


def test_a_tone_has_the_band_of_its_bin():
    W = np.zeros((17, 3))
    W[0, 0] = W[8, 1] = 1  # and silence
    assert bands_of(W, GRID)[:2] == [(0.0, 125.0), (1875.0, 2125.0)]


def test_activities_of_a_stem_that_touch_are_one():
    boxes = [
        Selection(1.0, 2.0, 100, 200, "a"),
        Selection(2.04, 3.0, 150, 300, "a"),
        Selection(1.5, 1.7, 900, 950, "b"),
        Selection(3.06, 4.0, 10, 20, "a"),
        Selection(0.0, 5.0, 1, 2, "c"),
        Selection(4.0, 4.5, 3, 4, "c"),
    ]
    assert sorted(merged(boxes)) == [
        Selection(0.0, 5.0, 1, 4, "c"),
        Selection(1.0, 3.0, 100, 300, "a"),
        Selection(1.5, 1.7, 900, 950, "b"),
        Selection(3.06, 4.0, 10, 20, "a"),
    ]


@pytest.fixture
def factors():
    """Two stems, of which one has two components, of 2 s."""
    H = np.zeros((3, 251))
    H[0, 50:101] = H[1, 80:121] = H[2, 150:201] = 1  # 0.4 to 0.96 s, 1.2 to 1.6 s
    H[1] += 1e-3 * np.arange(251) % 2  # too faint to be heard beside the other
    W = np.zeros((17, 3))
    W[4, 0] = W[6, 1] = W[9, 2] = 1
    return Factorization(W, H, labels=("x", "x", "y"))


GRID_OF_2_S = Grid(sr=8000, n_samples=16_000, n_fft=32, hop_length=64)


def test_a_stem_is_heard_as_a_whole(tmp_path, factors):
    write_activity(tmp_path, factors, GRID_OF_2_S, start=10.0)
    (x, y), path = read_regions(tmp_path / "selections.txt"), tmp_path
    assert (x.name, y.name) == ("x", "y")
    assert (x.start, x.end) == pytest.approx((10.4, 10.97), abs=0.06)
    assert (y.start, y.end) == pytest.approx((11.2, 11.61), abs=0.06)
    rows = (path / "selections.txt").read_text("utf-8").splitlines()[1:]
    assert [row.split("\t")[5:] for row in rows] == [
        ["875.0", "1625.0", "x"],
        ["2125.0", "2375.0", "y"],
    ]


def test_in_silence_there_are_titles_only(tmp_path):
    factors = Factorization(np.ones((17, 1)), np.zeros((1, 251)))
    write_activity(tmp_path, factors, GRID_OF_2_S, start=0.0)
    assert len((tmp_path / "selections.txt").read_text("utf-8").splitlines()) == 1
