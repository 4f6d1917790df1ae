"""Dynamic time warping: paths between two sequences."""

from itertools import pairwise

import numpy as np
import pytest

from specnmf.score.dtw import (
    DIAGONAL,
    STRAIGHT,
    Level,
    Prices,
    around,
    bridge,
    coarse_path,
    everywhere,
    fine_paths,
    mismatch,
    warp,
)

NEVER = Prices(begin=np.inf, skip=1e6)


def unit(rng, n):
    X = rng.standard_normal((n, 24))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def level(X, Y, rate=10.0):
    return Level(np.asarray(X, np.float32), np.asarray(Y, np.float32), rate)


def whole(sequences, prices):
    return warp(sequences, everywhere(len(sequences.X), len(sequences.Y)), prices)


def pairwise_costs(sequences):
    differences = sequences.X[:, np.newaxis] - sequences.Y.astype(float)
    return 0.5 * (differences**2).sum(axis=2)


def least_cost(sequences, prices):
    """The cost of the best path, cell by cell: a plain twin of the kernel."""
    costs, unit = pairwise_costs(sequences), mismatch(sequences)
    begin, skip = prices.begin * unit * sequences.rate, prices.skip * unit
    n, m = costs.shape
    best = np.full((3, n + 1, m + 1), np.inf)
    least = np.inf
    for i in range(n):
        for j in range(m):
            c = costs[i, j]
            best[0, i + 1, j + 1] = min(
                skip * (i + j) + c,
                best[:, i, j].min() + DIAGONAL * c,
                best[0, i, j + 1] + STRAIGHT * c,
                best[0, i + 1, j] + STRAIGHT * c,
            )
            best[1, i + 1, j + 1] = skip + min(
                best[0, i, j + 1] + begin, best[1, i, j + 1]
            )
            best[2, i + 1, j + 1] = skip + min(
                best[0, i + 1, j] + begin, best[1:, i + 1, j].min()
            )
            left = n - 1 - i + m - 1 - j
            least = min(least, best[0, i + 1, j + 1] + skip * left)
    return least


def cost_of(path, sequences, prices):
    """What a path costs, step by step."""
    costs, unit = pairwise_costs(sequences), mismatch(sequences)
    begin, skip = prices.begin * unit * sequences.rate, prices.skip * unit
    n, m = costs.shape
    total = skip * (path[0].sum() + n - 1 + m - 1 - path[-1].sum()) + costs[*path[0]]
    for before, after in pairwise(path):
        down, right = after - before
        if down + right == 1:
            total += STRAIGHT * costs[*after]
        else:
            left_out = down + right - 2
            total += DIAGONAL * costs[*after] + skip * left_out + begin * (left_out > 0)
    return total


def test_without_skips_the_path_is_that_of_librosa(rng):
    import librosa

    sequences = level(rng.random((60, 5)), rng.random((45, 5)))
    _, expected = librosa.sequence.dtw(
        C=pairwise_costs(sequences),
        step_sizes_sigma=np.array([[1, 1], [1, 0], [0, 1]]),
        weights_mul=np.array([DIAGONAL, STRAIGHT, STRAIGHT]),
    )
    np.testing.assert_array_equal(whole(sequences, NEVER), expected[::-1])


@pytest.mark.parametrize("skip", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("begin", [0.0, 0.3, 5.0])
def test_no_path_costs_less(rng, begin, skip):
    prices = Prices(begin, skip)
    for n, m in ((1, 1), (1, 7), (8, 1), (12, 17), (20, 9)):
        sequences = level(rng.random((n, 3)), rng.random((m, 3)))
        path = whole(sequences, prices)
        assert cost_of(path, sequences, prices) == pytest.approx(
            least_cost(sequences, prices), rel=1e-5
        )


def test_a_path_only_goes_on(rng):
    path = whole(level(rng.random((50, 4)), rng.random((70, 4))), Prices(0.2, 0.5))
    steps = np.diff(path, axis=0)
    assert (steps >= 0).all()
    assert (steps.sum(axis=1) > 0).all()


def test_what_only_one_side_has_is_leapt_over(rng):
    X = unit(rng, 80)
    Y = np.concatenate([X[:30], unit(rng, 25), X[30:]])
    path = whole(level(X, Y), Prices(0.5, 0.7))
    expected = [(i, i if i < 30 else i + 25) for i in range(80)]
    np.testing.assert_array_equal(path, expected)
    path = whole(level(Y, X), Prices(0.5, 0.7))
    np.testing.assert_array_equal(path[:, ::-1], expected)


def test_what_comes_before_and_after_is_left_out(rng):
    Y = unit(rng, 90)
    path = whole(level(Y[20:60], Y), Prices(4.0, 0.7))
    np.testing.assert_array_equal(path, [(i, i + 20) for i in range(40)])


def test_a_band_around_the_path_is_as_good_as_the_whole_grid(rng):
    walk = np.cumsum(rng.standard_normal((400, 8)), axis=0)
    X = walk / np.linalg.norm(walk, axis=1, keepdims=True)
    frames = np.sort(rng.integers(0, 400, 500))
    fine = level(X, X[frames], 50.0)
    coarse = level(X[::10], X[frames[::10]], 5.0)
    expected = whole(fine, NEVER)
    np.testing.assert_array_equal(coarse_path([coarse, fine], NEVER), expected)


def test_a_band_holds_the_path_that_it_is_around():
    path = np.array([(0, 3), (1, 4), (2, 9), (6, 10), (7, 10), (8, 11)])
    band = around(path, 10.0, 95, 130, 10)
    assert (np.diff(band.first) >= 0).all()
    assert (np.diff(band.last) >= 0).all()
    for row, column in path * 10:
        assert band.first[row] <= column < band.last[row]
    assert (band.last - band.first).max() < 100


def test_finer_pieces_leave_out_what_the_coarser_path_does(rng):
    walk = np.cumsum(rng.standard_normal((600, 8)), axis=0)
    Y = walk / np.linalg.norm(walk, axis=1, keepdims=True)
    X = np.concatenate([Y[:200], Y[400:]])
    coarse = np.array([(i, i if i < 20 else i + 20) for i in range(40)])
    first, second = fine_paths(level(X, Y, 50.0), coarse, 5.0)
    assert first[-1].tolist() == [199, 199]
    assert second[0].tolist() == [200, 400]
    np.testing.assert_array_equal(second[:, 1] - second[:, 0], 200)


def test_a_bridge_is_built_where_both_sides_leave_out_as_much():
    gap = np.array([(0, 0), (1, 1), (10, 12), (11, 13)])
    both = bridge(gap, level(np.zeros((12, 1)), np.zeros((14, 1))), ratio=2.0)
    assert np.diff(both, axis=0).max() == 1
    one_sided = np.array([(0, 0), (1, 1), (2, 12), (3, 13)])
    left = bridge(one_sided, level(np.zeros((4, 1)), np.zeros((14, 1))), ratio=2.0)
    np.testing.assert_array_equal(left, one_sided)


def test_a_few_frames_at_the_end_are_bridged():
    path = np.array([(0, 4), (1, 5)])
    bridged = bridge(path, level(np.zeros((2, 1)), np.zeros((9, 1))), brief=3)
    np.testing.assert_array_equal(bridged, [(0, 4), (1, 5), (1, 6), (1, 7), (1, 8)])
