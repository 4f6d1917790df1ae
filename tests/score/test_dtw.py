"""Dynamic time warping: paths between two sequences."""

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


def silent(sequences):
    """How silent each row, and each column, is."""
    if sequences.silences is None:
        return np.zeros(len(sequences.X)), np.zeros(len(sequences.Y))
    return sequences.silences


def charged(sequences, prices):
    """What rows, and columns, cost: to begin to leave them out, and each."""
    unit = mismatch(sequences)
    for shares in silent(sequences):
        begin = np.where(shares > 0, shares * prices.silent_begin, 0.0)
        begin = np.where(shares < 1, begin + (1 - shares) * prices.begin, begin)
        skip = shares * prices.silent_skip + (1 - shares) * prices.skip
        yield begin * unit * sequences.rate, skip * unit


def least_cost(sequences, prices):
    """The cost of the best path, cell by cell: a plain twin of the kernel."""
    costs = pairwise_costs(sequences)
    (begin_row, skip_row), (begin_column, skip_column) = charged(sequences, prices)
    n, m = costs.shape
    best = np.full((3, n + 1, m + 1), np.inf)
    least = np.inf
    for i in range(n):
        for j in range(m):
            c = costs[i, j]
            best[0, i + 1, j + 1] = min(
                skip_row[:i].sum() + skip_column[:j].sum() + c,
                best[:, i, j].min() + DIAGONAL * c,
                best[0, i, j + 1] + STRAIGHT * c,
                best[0, i + 1, j] + STRAIGHT * c,
            )
            best[1, i + 1, j + 1] = skip_row[i] + min(
                best[0, i, j + 1] + begin_row[i], best[1, i, j + 1]
            )
            best[2, i + 1, j + 1] = skip_column[j] + min(
                best[0, i + 1, j] + begin_column[j], best[1:, i + 1, j].min()
            )
            left = skip_row[i + 1 :].sum() + skip_column[j + 1 :].sum()
            least = min(least, best[0, i + 1, j + 1] + left)
    return least


def cost_of(path, sequences, prices):
    """What a path costs, step by step."""
    costs, total = pairwise_costs(sequences), 0.0
    for side, (begin, skip) in enumerate(charged(sequences, prices)):
        steps = path[:, side]
        total += skip[: steps[0]].sum() + skip[steps[-1] + 1 :].sum()
        for k in np.flatnonzero(np.diff(steps) > 1):
            total += skip[steps[k] + 1 : steps[k + 1]].sum()
            # rows are left out before columns, which then cost nothing to begin
            if side == 0 or path[k + 1, 0] - path[k, 0] == 1:
                total += begin[steps[k] + 1]
    straight = np.diff(path, axis=0).sum(axis=1) == 1
    weights = [1.0, *np.where(straight, STRAIGHT, DIAGONAL)]
    return total + float(weights @ costs[*path.T])


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


@pytest.mark.kernels
@pytest.mark.parametrize("skip", [0.1, 0.7])
@pytest.mark.parametrize("begin", [0.0, 4.0])
def test_no_path_costs_less_where_there_is_silence(rng, begin, skip):
    prices = Prices(begin, skip, silent_begin=0.1, silent_skip=0.02)
    for n, m in ((1, 7), (12, 17), (20, 9)):
        silences = rng.choice([0.0, 0.5, 1.0], n), rng.choice([0.0, 0.5, 1.0], m)
        sequences = level(rng.random((n, 3)), rng.random((m, 3)))
        sequences = sequences._replace(silences=silences)
        path = whole(sequences, prices)
        assert cost_of(path, sequences, prices) == pytest.approx(
            least_cost(sequences, prices), rel=1e-5
        )


@pytest.mark.kernels
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


def test_silence_of_one_side_is_leapt_over_at_little_cost(rng):
    X = unit(rng, 60)
    Y = np.concatenate([X[:50], unit(rng, 25), X[50:]])
    silences = np.zeros(60), np.repeat([0.0, 1.0, 0.0], [50, 25, 10])
    expected = [(i, i if i < 50 else i + 25) for i in range(60)]
    dear = Prices(begin=4.0, skip=0.7, silent_begin=4.0, silent_skip=0.7)
    cheap = dear._replace(silent_begin=0.5, silent_skip=0.05)
    sequences = level(X, Y)._replace(silences=silences)
    np.testing.assert_array_equal(whole(sequences, cheap), expected)
    assert whole(sequences, dear)[-1].tolist() == [49, 49]
    turned = level(Y, X)._replace(silences=silences[::-1])
    np.testing.assert_array_equal(whole(turned, cheap)[:, ::-1], expected)


@pytest.mark.kernels
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


def test_finer_pieces_end_where_silence_begins(rng):
    walk = np.cumsum(rng.standard_normal((400, 8)), axis=0)
    X = walk / np.linalg.norm(walk, axis=1, keepdims=True)
    Y = np.concatenate([X[:203], unit(rng, 150)[:, :8], X[203:]])
    silences = np.zeros(400), np.repeat([0.0, 1.0, 0.0], [203, 150, 197])
    coarse = np.array([(i, i if i <= 20 else i + 15) for i in range(40)])
    fine = level(X, Y, 50.0)._replace(silences=silences)
    first, second = fine_paths(fine, coarse, 5.0)
    assert first[-1].tolist() == [209, 202]
    assert second[0, 1] == 360


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
