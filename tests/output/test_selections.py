"""selections.txt: when and where each stem sounds."""

import numpy as np

from specnmf import Factorization, Grid, Region, read_regions
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


def test_what_is_written_is_read_as_labels(tmp_path):
    factors = Factorization(np.eye(17)[:, :2], np.ones((2, 5)), labels=("x", "y"))
    write_activity(tmp_path, [(3.0, 4.0, 1), (1.0, 1.5, 0)], factors, GRID)
    path = tmp_path / "selections.txt"
    assert read_regions(path) == (Region(1.0, 1.5, "x"), Region(3.0, 4.0, "y"))
    assert path.read_text("utf-8").splitlines()[2] == (
        "2\tSpectrogram 1\t1\t3.000000\t4.000000\t125.0\t375.0\ty"
    )


def test_without_activities_there_are_titles_only(tmp_path):
    factors = Factorization(np.ones((17, 1)), np.ones((1, 5)))
    write_activity(tmp_path, [], factors, GRID)
    assert len((tmp_path / "selections.txt").read_text("utf-8").splitlines()) == 1
