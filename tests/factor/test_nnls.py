"""nnls: against SciPy's, a column at a time, then what makes a solution one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hilbert
from scipy.optimize import nnls as scipy_nnls

import specnmf
from specnmf import ParameterError
from specnmf.factor.kernels import nnls as nnls_kernels
from specnmf.factor.nnls import nnls, solve_normal, solve_supports_of
from specnmf.parallel import workers


def by_scipy(A, B):
    return np.stack([scipy_nnls(A, b)[0] for b in B.T], axis=1)


def costs(A, B, X):
    return np.linalg.norm(B - A @ X, axis=0)


def violation(A, B, X):
    """How far the worst entry is from optimal, relative to ||a_i|| ||b||."""
    sizes = np.linalg.norm(A, axis=0)[:, np.newaxis] * np.linalg.norm(B, axis=0)
    gradient = np.divide(A.T @ (A @ X - B), sizes, where=sizes > 0, out=0 * sizes)
    return max(-gradient.min(), np.abs(gradient[X > 0]).max(initial=0), -X.min())


def solve(A, B, **options):
    with workers(1) as mapper:
        return solve_normal(A.T @ A, A.T @ B, mapper=mapper, **options)


def bumps(n_rows, n_components):
    """Overlapping bell curves: of full rank on paper, of far less in doubles."""
    at = np.linspace(0, 1, n_rows)[:, np.newaxis] - np.linspace(0, 1, n_components)
    return np.exp(-0.5 * (at * n_components / 4) ** 2)


@pytest.mark.parametrize("shape", [(9, 4), (40, 16), (100, 40), (60, 60)])
@pytest.mark.parametrize("signed", [False, True])
def test_each_column_is_scipys(rng, shape, signed):
    A, B = rng.random(shape), rng.random((shape[0], 30))
    if signed:
        A, B = A - 0.3, B - 0.5
    expected = by_scipy(A, B)
    np.testing.assert_allclose(nnls(A, B), expected, rtol=1e-6, atol=1e-9)
    assert (expected == 0).any()


def test_each_frame_of_a_recording_is_scipys(shared_data):
    audio = specnmf.read(shared_data / "bach10" / "P4_Mix01" / "mix.flac")
    V = specnmf.stft(audio).magnitude()[:, 100:160].astype(np.float64)
    W = specnmf.nmf(V, 24, beta=2, max_iter=20).W
    expected = by_scipy(W, V)
    H = nnls(W, V)
    np.testing.assert_allclose(H, expected, rtol=1e-6, atol=1e-9 * expected.max())
    single = nnls(W.astype(np.float32), V.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, H, rtol=1e-3, atol=1e-5 * H.max())


@pytest.mark.kernels
def test_within_a_support_each_column_is_scipys_for_its_components(rng):
    A, B = rng.random((30, 8)), rng.random((30, 50))
    support = rng.random((8, 50)) > 0.4
    support[:, 0] = False
    X = nnls(A, B, support=support)
    assert (X[~support] == 0).all()
    for x, b, own in zip(X.T[1:], B.T[1:], support.T[1:], strict=True):
        np.testing.assert_allclose(x[own], scipy_nnls(A[:, own], b)[0], atol=1e-9)


@pytest.mark.parametrize("n_components", [12, 32, 64])
@pytest.mark.parametrize(
    "make",
    [
        hilbert,
        lambda k: bumps(3 * k, k),
        lambda k: np.vander(np.linspace(-1, 1, 2 * k), k),
        lambda k: np.random.default_rng(k).normal(size=(k // 2, k)),
    ],
    ids=["hilbert", "bumps", "vandermonde", "more_than_rows"],
)
def test_nearly_dependent_components_cost_no_more_than_scipys(rng, make, n_components):
    A = make(n_components)
    B = rng.normal(size=(len(A), 20))
    X = nnls(A, B)
    assert violation(A, B, X) < 1e-9
    expected = costs(A, B, by_scipy(A, B))
    assert (costs(A, B, X) <= expected + 1e-6 * np.linalg.norm(B, axis=0)).all()


@pytest.mark.slow  # scipy takes long
@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    rank=st.integers(1, 12),
    zeros=st.floats(0, 1),
    whole=st.booleans(),
    signed=st.booleans(),
    decades=st.integers(0, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_solution_meets_the_conditions_of_optimality(
    shape, rank, zeros, whole, signed, decades, seed
):
    rng = np.random.default_rng(seed)
    n_rows, k, n_columns = shape

    def draw(*shape):
        values = rng.integers(0, 3, shape) * 1.0 if whole else rng.random(shape)
        values *= rng.random(shape) >= zeros
        return values - signed * rng.integers(0, 2, shape)

    A = draw(n_rows, k)[:, rng.integers(0, min(k, rank), k)]
    A *= 10.0 ** rng.integers(-decades, decades + 1, k)
    B = draw(n_rows, n_columns)
    X = nnls(A, B)
    assert violation(A, B, X) < 1e-9
    start = rng.random(X.shape) > 0.5
    again = nnls(A, B, start=start)
    assert violation(A, B, again) < 1e-9
    np.testing.assert_allclose(costs(A, B, X), costs(A, B, again), atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(k=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_the_passive_set_is_independent_and_solves_without_bounds(k, seed):
    rng = np.random.default_rng(seed)
    A, B = rng.random((2 * k, k))[:, rng.integers(0, k, k)], rng.random((2 * k, 9))
    X, passive = solve(A, B)
    assert (X[~passive] == 0).all()
    for x, b, own in zip(X.T, B.T, passive.T, strict=True):
        free, *_ = np.linalg.lstsq(A[:, own], b)
        assert np.linalg.matrix_rank(A[:, own]) == own.sum()
        np.testing.assert_allclose(x[own], free, rtol=1e-5, atol=1e-6)


def test_a_warm_start_changes_no_bit(rng):
    A, B = rng.random((40, 12)), rng.random((40, 700))
    X, passive = solve(A, B)
    for start in (passive, ~passive, rng.random(passive.shape) > 0.5):
        before = start.copy()
        warm, same = solve(A, B, passive=start)
        assert warm.tobytes() == X.tobytes()
        assert (same == passive).all()
        assert (start == before).all()
    assert nnls(A, B, start=X).tobytes() == nnls(A, B).tobytes()


def test_results_do_not_depend_on_the_threads(rng):
    A, B = rng.random((50, 20)) - 0.2, rng.random((50, 3000)).astype(np.float32)
    A[:, 7] = A[:, 3]
    results = [nnls(A, B, threads=n).tobytes() for n in (1, 2, 5)]
    assert results[0] == results[1] == results[2]


def test_results_do_not_depend_on_the_memory_order(rng):
    A, B = rng.random((50, 20)), rng.random((50, 600)).astype(np.float32)
    expected = nnls(A, B).tobytes()
    assert nnls(np.asfortranarray(A), np.asfortranarray(B)).tobytes() == expected


@pytest.mark.kernels
def test_components_may_be_of_any_loudness(rng):
    A, B = rng.random((30, 6)), rng.random((30, 40))
    scale = 10.0 ** np.array([-120, -12, -3, 0, 7, 120])
    X = nnls(A * scale, B) * scale[:, np.newaxis]
    np.testing.assert_allclose(X, nnls(A, B), atol=1e-12)


@pytest.mark.kernels
def test_a_product_of_positive_factors_is_found_again(rng):
    A, X = rng.random((30, 10)), rng.random((10, 40)) + 0.1
    np.testing.assert_allclose(nnls(A, A @ X), X, rtol=1e-9)


@pytest.mark.kernels
def test_the_input_is_left_alone(rng):
    A, B = rng.random((9, 4)), rng.random((9, 5))
    start, support = rng.random((4, 5)), rng.random((4, 5)) > 0.2
    given = A, B, start, support
    copies = [array.copy() for array in given]
    nnls(A, B, start=start, support=support)
    for now, before in zip(given, copies, strict=True):
        assert (now == before).all()


@pytest.mark.kernels
def test_silence_gives_zeros(rng):
    A, B = rng.random((9, 4)), rng.random((9, 5))
    B[:, 2] = 0
    A[:, 1] = 0
    X = nnls(A, B)
    assert (X[:, 2] == 0).all()
    assert (X[1] == 0).all()
    assert (nnls(0 * A, B, start=np.ones((4, 5))) == 0).all()


@pytest.mark.kernels
def test_whole_numbers_count_as_doubles():
    X = nnls([[1, 0], [0, 2]], [[3], [-4]])
    assert X.dtype == np.float64
    assert X.tolist() == [[3], [0]]


@pytest.fixture
def cycling(rng):
    """A column, in the kernels' terms, for which exchanging blocks does not end."""
    A = bumps(96, 32)
    A /= np.linalg.norm(A, axis=0)
    gram, free, tolerance = A.T @ A, np.ones(32, bool), 1e-12
    for _ in range(100):
        c, passive = A.T @ rng.random(96), np.ones(32, bool)
        work = np.empty((32, 32)), np.full(32, -1), np.empty((6, 32))
        problem = gram, c, free, passive, tolerance, *work
        if not nnls_kernels._pivot_blocks(*problem):
            return problem
    raise AssertionError("exchanging blocks solved every column")


@pytest.mark.kernels
def test_where_exchanges_cycle_components_enter_singly(cycling):
    gram, c, _, passive, _, _, _, vectors = cycling
    nnls_kernels._activate_singly(*cycling)
    x = vectors[4]
    y = gram @ x - c
    assert (x >= 0).all()
    assert y.min() > -1e-11
    assert np.abs(y[passive]).max() < 1e-11


@pytest.mark.kernels
def test_an_end_forced_early_leaves_a_point_better_than_zero(rng, monkeypatch):
    monkeypatch.setattr(nnls_kernels, "MOST_SOLVES", 1)
    A = rng.random((30, 8))
    gram, c = A.T @ A, A.T @ A @ np.ones(8)
    free, passive = np.ones(8, bool), np.zeros(8, bool)
    vectors = np.empty((6, 8))
    work = np.empty((8, 8)), np.full(8, -1), vectors
    kernel = nnls_kernels._activate_singly
    activate = getattr(kernel, "py_func", kernel)  # uncompiled, to see the new number
    activate(gram, c, free, passive, 1e-12, *work)
    x = vectors[4]
    assert (x >= 0).all()
    assert (passive == (x > 0)).all()
    assert x @ (gram @ x / 2 - c) < 0
    assert (gram @ x - c).min() < -1e-6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"A": np.ones((3, 2))},
            r"same number of rows, got shapes \(3, 2\) and \(4, 5\)",
        ),
        ({"A": np.ones(4)}, r"A must be a matrix, got shape \(4,\)"),
        ({"B": np.ones((4, 0))}, r"B must be a matrix, got shape \(4, 0\)"),
        ({"A": np.full((4, 2), np.nan)}, "A must be finite"),
        ({"A": np.full((4, 2), 1e200)}, "A must be finite, .* scale it down"),
        ({"B": np.full((4, 5), np.inf)}, "B must be finite"),
        ({"support": np.ones((2, 4), bool)}, r"support must be of shape \(2, 5\)"),
        ({"support": np.ones((2, 5))}, r"support must be .* got float64"),
        ({"start": np.ones((5, 2))}, r"start must be of shape \(2, 5\)"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ParameterError, match=message):
        nnls(**{"A": np.ones((4, 2)), "B": np.ones((4, 5)), **change})


@pytest.mark.parametrize(
    ("gram", "products"), [((2, 3), (2, 5)), ((2, 2), (3, 5)), ((2, 2), (2,))]
)
def test_normal_equations_that_do_not_fit_are_named(gram, products):
    with pytest.raises(ParameterError, match="gram must be .* got shapes"):
        solve_normal(np.ones(gram), np.ones(products), mapper=map)


# --- least squares on given supports ------------------------------------------------


def solve_on(A, B, passive):
    with workers(1) as mapper:
        return solve_supports_of(A.T @ A, A.T @ B, passive, mapper=mapper)


@pytest.mark.kernels
@settings(max_examples=30, deadline=None)
@given(
    n_components=st.integers(1, 8),
    n_columns=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_on_a_support_it_is_least_squares_without_bounds(n_components, n_columns, seed):
    rng = np.random.default_rng(seed)
    A, B = rng.random((10, n_components)), rng.standard_normal((10, n_columns))
    passive = rng.random((n_components, n_columns)) > 0.4
    X = solve_on(A, B, passive)
    assert (X[~passive] == 0).all()
    for x, b, own in zip(X.T, B.T, passive.T, strict=True):
        expected = np.linalg.lstsq(A[:, own], b, rcond=None)[0]
        np.testing.assert_allclose(x[own], expected, rtol=1e-5, atol=1e-7)


@pytest.mark.kernels
def test_supports_of_a_solution_give_it_again_and_are_left_alone(rng):
    A, B = rng.random((10, 5)), rng.random((10, 300))
    X, passive = solve(A, B)
    copy = passive.copy()
    np.testing.assert_allclose(solve_on(A, B, passive), X, atol=1e-12)
    assert (passive == copy).all()


@pytest.mark.kernels
def test_on_a_support_dependent_and_empty_components_stay_at_zero(rng):
    A, B = rng.random((6, 4)), rng.random((6, 7))
    A[:, 1], A[:, 3] = 0, A[:, 0]
    X = solve_on(A, B, np.ones((4, 7), bool))
    assert (X[[1, 3]] == 0).all()
    expected = np.linalg.lstsq(A[:, [0, 2]], B, rcond=None)[0]
    np.testing.assert_allclose(X[[0, 2]], expected, atol=1e-10)
    assert (solve_on(A, B, np.zeros((4, 7), bool)) == 0).all()


@pytest.mark.kernels
def test_on_a_support_threads_do_not_show_and_nan_is_named(rng):
    A, B = rng.random((6, 4)), rng.random((6, 1000))
    passive = rng.random((4, 1000)) > 0.3
    results = []
    for threads in (1, 2):
        with workers(threads) as mapper:
            results.append(solve_supports_of(A.T @ A, A.T @ B, passive, mapper=mapper))
    assert results[0].tobytes() == results[1].tobytes()
    products = A.T @ B
    products[0, 0] = np.nan
    with workers(1) as mapper, pytest.raises(ParameterError, match="B must be finite"):
        solve_supports_of(A.T @ A, products, passive, mapper=mapper)
