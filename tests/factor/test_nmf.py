"""nmf: against references, then its properties, its edges and its errors."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition._nmf import _beta_divergence

import specnmf
from specnmf import Factorization, ParameterError, nmf, starts

BETAS = (-1, 0, 0.5, 1, 1.5, 2, 3)


@pytest.fixture
def problem(rng):
    """A 40 x 60 matrix near rank 4, and a start of 4 components, in double."""
    V = rng.random((40, 4)) @ rng.random((4, 60)) + 0.1 * rng.random((40, 60)) + 0.01
    return V, Factorization(rng.random((40, 4)) + 0.01, rng.random((4, 60)) + 0.01)


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.slow  # libfmp takes long
def test_factors_are_those_of_libfmp(problem):
    c8 = pytest.importorskip("libfmp.c8")
    V, start = problem
    W, H, *_ = c8.nmf(V, 4, thresh=0.0, L=50, W=start.W, H=start.H, norm=True)
    result = nmf(V, start, beta=2, solver="mu", max_iter=50, tol=0)
    assert len(result.losses) == 50
    assert relative_error(result.W, W) < 1e-12
    assert relative_error(result.H, H) < 1e-12


def test_fmps_stop_criterion_stops_where_fmp_stops(problem):
    V, start = problem
    W, H, n_iter = reference.fmp_nmf(V, start.W, start.H, 1000, 0.01)
    assert 1 < n_iter < 1000
    result = nmf(
        V, start, beta=2, solver="mu", stop="factors", tol=0.01, max_iter=1000,
        normalize=False,
    )  # fmt: skip
    assert len(result.losses) == n_iter
    assert relative_error(result.W, W) < 1e-12
    assert relative_error(result.H, H) < 1e-12


@pytest.mark.parametrize("beta", BETAS)
def test_multiplicative_updates_follow_the_reference(problem, beta):
    V, start = problem
    expected = reference.multiplicative_updates(V, start.W, start.H, beta, 20)
    W, H = reference.max_normalize(*expected)
    result = nmf(V, start, beta=beta, solver="mu", max_iter=20, tol=0)
    assert relative_error(result.W, W) < 1e-10
    assert relative_error(result.H, H) < 1e-10


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_are_the_divergence_of_the_factors(problem, beta, dtype):
    V, start = problem
    result = nmf(V.astype(dtype), start, beta=beta, max_iter=15, tol=0)
    P = result.W.astype(float) @ result.H.astype(float)
    expected = reference.beta_divergence(V, P, beta)
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    assert result.losses[-1] == pytest.approx(expected, rel=tolerance)
    assert _beta_divergence(
        V, result.W.astype(float), result.H.astype(float), beta
    ) == (pytest.approx(expected, rel=1e-10))
    assert specnmf.beta_divergence(V, P, beta) == pytest.approx(expected, rel=1e-10)


def test_hals_reaches_what_scikit_learn_reaches(problem):
    from sklearn.decomposition import NMF

    V, start = problem
    peer = NMF(4, init="custom", solver="cd", tol=1e-10, max_iter=5000)
    W = peer.fit_transform(V, W=start.W.copy(), H=start.H.copy())
    expected = reference.beta_divergence(V, W @ peer.components_, 2)
    result = nmf(V, start, beta="euclidean", max_iter=5000, tol=1e-10)
    assert result.losses[-1] <= expected * 1.001


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["mu", "auto"])
def test_loss_never_rises(problem, beta, dtype, solver):
    V, start = problem
    result = nmf(V.astype(dtype), start, beta=beta, solver=solver, max_iter=300, tol=0)
    assert (np.diff(result.losses) <= 0).all()
    assert result.losses[-1] < result.losses[0]


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1e4, 1e9])
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_loss_never_rises_at_any_loudness(problem, beta, scale):
    V = (problem[0] * scale).astype(np.float32)
    result = nmf(V, 4, beta=beta, max_iter=100, tol=0)
    assert (np.diff(result.losses) <= 0).all()
    assert np.isfinite(result.W).all()
    assert np.isfinite(result.H).all()


@pytest.mark.parametrize("beta", [0, 0.5, 1, 2])
def test_an_exact_product_is_recovered(rng, beta):
    V = (rng.random((30, 3)) + 0.1) @ (rng.random((3, 50)) + 0.1)
    result = nmf(V, 3, beta=beta, max_iter=3000, tol=0)
    assert relative_error(result.W @ result.H, V) < 0.02


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    k=st.integers(1, 5),
    beta=st.sampled_from(BETAS),
    zeros=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_matrix_gives_finite_factors_and_falling_losses(
    shape, k, beta, zeros, seed
):
    rng = np.random.default_rng(seed)
    V = rng.random(shape) * (rng.random(shape) >= zeros)
    result = nmf(V.astype(np.float32), k, beta=beta, max_iter=20, tol=0)
    assert np.isfinite(result.W).all()
    assert np.isfinite(result.H).all()
    assert np.isfinite(result.losses).all()
    assert (np.diff(result.losses) <= 0).all()


def test_float32_stays_close_to_float64(problem):
    V, start = problem
    for beta in (0, 1, 2):
        single = nmf(V.astype(np.float32), start, beta=beta, max_iter=50, tol=0)
        double = nmf(V, start, beta=beta, max_iter=50, tol=0)
        assert single.W.dtype == single.H.dtype == np.float32
        assert double.W.dtype == double.H.dtype == np.float64
        assert relative_error(single.W @ single.H, double.W @ double.H) < 1e-3


@pytest.mark.parametrize("beta", [0, 1, 2, 1.5])
def test_results_do_not_depend_on_the_threads(rng, beta):
    V = rng.random((65, 3000)).astype(np.float32)
    results = [nmf(V, 5, beta=beta, max_iter=5, threads=n) for n in (1, 2, 5)]
    for other in results[1:]:
        assert results[0].W.tobytes() == other.W.tobytes()
        assert results[0].H.tobytes() == other.H.tobytes()
        assert results[0].losses.tobytes() == other.losses.tobytes()


def test_results_do_not_depend_on_the_memory_order(problem):
    V, start = problem
    C = nmf(np.ascontiguousarray(V), start, max_iter=5)
    F = nmf(np.asfortranarray(V), start, max_iter=5)
    assert C.W.tobytes() == F.W.tobytes()


def test_templates_have_a_maximum_of_one_and_activations_keep_the_scale(problem):
    V, start = problem
    plain = nmf(V, start, max_iter=10, normalize=False)
    result = nmf(V, start, max_iter=10)
    np.testing.assert_allclose(result.W.max(axis=0), 1)
    np.testing.assert_allclose(result.W @ result.H, plain.W @ plain.H)


@pytest.mark.parametrize(
    ("beta", "solver"),
    [(0, "mu"), (1, "mu"), (2, "mu"), (0, "joint"), (1, "joint"), (2, "hals")],
)
def test_fixed_templates_stay_untouched_and_the_rest_learns(problem, beta, solver):
    V, start = problem
    fixed = np.array([True, False, True, False])
    result = nmf(V, start, beta=beta, solver=solver, fixed=fixed, max_iter=30, tol=0)
    assert (result.W[:, fixed] == start.W[:, fixed]).all()
    assert not np.isclose(result.W[:, ~fixed], start.W[:, ~fixed]).any(axis=0).all()
    assert (np.diff(result.losses) <= 0).all()


@pytest.mark.parametrize(
    ("beta", "solver"),
    [
        (0, "mu"),
        (1, "mu"),
        (0.5, "mu"),
        (2, "mu"),
        (0, "joint"),
        (1, "joint"),
        (2, "hals"),
    ],
)
def test_zeros_of_the_support_stay_zero(problem, rng, beta, solver):
    V, start = problem
    W_mask = rng.random(start.W.shape) > 0.4
    H_mask = rng.random(start.H.shape) > 0.4
    W_mask[0] = False  # a bin that nothing may explain
    result = nmf(
        V, start, beta=beta, solver=solver, support=(W_mask, H_mask), max_iter=30, tol=0
    )
    assert (result.W[~W_mask] == 0).all()
    assert (result.H[~H_mask] == 0).all()
    assert np.isfinite(result.losses).all()
    assert (np.diff(result.losses) <= 0).all()


def test_zeros_of_the_start_stay_zero_under_multiplicative_updates(problem):
    V, start = problem
    H = start.H.copy()
    H[:, ::3] = 0
    result = nmf(V, Factorization(start.W, H), solver="mu", max_iter=20)
    assert (result.H[:, ::3] == 0).all()


@pytest.mark.parametrize("beta", [0, 0.5, 1, 2])
def test_silent_frames_give_zero_activations(problem, beta):
    V, start = problem
    V = V.copy()
    V[:, 10:20] = 0
    result = nmf(V, start, beta=beta, max_iter=300, tol=0)
    loud = result.H[:, 20:].max()
    assert result.H[:, 10:20].max() <= 1e-6 * loud
    assert np.isfinite(result.W).all()


@pytest.mark.parametrize("beta", BETAS)
def test_silence_stays_silence(beta):
    result = nmf(np.zeros((9, 12), np.float32), 3, beta=beta)
    assert (result.H == 0).all()
    assert np.isfinite(result.W).all()
    assert np.isfinite(result.losses).all()


def test_the_input_is_left_alone(problem):
    V, start = problem
    copies = V.copy(), start.W.copy(), start.H.copy()
    nmf(V, start, max_iter=3)
    nmf(V, start, beta=2, max_iter=3)
    for now, before in zip((V, start.W, start.H), copies, strict=True):
        assert (now == before).all()


def test_labels_and_order_of_the_start_are_kept(problem):
    V, start = problem
    named = Factorization(start.W, start.H, labels=("d", "c", "b", "a"))
    assert nmf(V, named, max_iter=2).labels == ("d", "c", "b", "a")


def test_it_stops_once_the_cost_falls_by_less_than_tol(problem):
    V, start = problem
    losses = nmf(V, start, tol=1e-3, max_iter=1000).losses
    falls = -np.diff(losses) / losses[:-1]
    assert (falls[:-1] > 1e-3).all()
    assert falls[-1] <= 1e-3


def test_the_callback_hears_every_iteration(problem):
    V, start = problem
    heard = []
    result = nmf(V, start, max_iter=7, tol=0, callback=lambda *call: heard.append(call))
    assert heard == list(enumerate(result.losses, start=1))


def test_an_int_stands_for_a_random_start(problem):
    V, _ = problem
    by_int = nmf(V, 3, rng=5, max_iter=4)
    by_start = nmf(V, starts.random(V, 3, rng=5), max_iter=4)
    assert by_int.W.tobytes() == by_start.W.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"beta": "cosine"},
            "beta must be euclidean, kl, is or a number, got 'cosine'",
        ),
        ({"beta": float("nan")}, "beta must be"),
        ({"solver": "cd"}, "solver must be one of auto, mu, hals, joint, got 'cd'"),
        ({"solver": "hals", "beta": 1}, "hals minimises only beta 2"),
        (
            {"solver": "joint", "beta": 2},
            r"joint minimises only beta 1 \(kl\) and 0 \(is\)",
        ),
        ({"max_iter": 0}, "max_iter must be at least 1, got 0"),
        ({"tol": -1}, "tol must be at least 0, got -1"),
        ({"stop": "never"}, "stop must be one of cost, factors"),
        ({"fixed": np.zeros(3, bool)}, r"fixed must be booleans of shape \(4,\)"),
        ({"fixed": np.zeros(4)}, "fixed must be booleans"),
        ({"support": (np.ones((2, 2), bool), None)}, "support of W must be booleans"),
        ({"start": 0}, "n_components must be at least 1, got 0"),
    ],
)
def test_wrong_options_are_named(problem, change, message):
    V, start = problem
    options = {"start": start, **change}
    with pytest.raises(ParameterError, match=message):
        nmf(V, **options)


@pytest.mark.parametrize(
    ("V", "message"),
    [
        (np.full((3, 4), -1.0), "finite and non-negative, got values from -1.0"),
        (np.full((3, 4), np.nan), "finite and non-negative"),
        (np.full((3, 4), np.inf), "finite and non-negative"),
        (np.zeros(3), r"V must be \(n_bins, n_frames\), got shape \(3,\)"),
        (np.zeros((0, 3)), "got shape"),
    ],
)
def test_what_is_no_magnitude_spectrogram_is_refused(V, message):
    with pytest.raises(ParameterError, match=message):
        nmf(V, 2)


def test_a_start_of_another_shape_is_refused(problem):
    V, start = problem
    with pytest.raises(
        ParameterError, match=r"must have W of shape \(39, 4\) and H of"
    ):
        nmf(V[1:], start)


@pytest.mark.parametrize("beta", [1e9, -1e9, 1e308, 20, -9])
def test_powers_that_floats_do_not_hold_are_refused(rng, beta):
    V = rng.random((20, 30), np.float32) * 100
    with pytest.raises(ParameterError, match="float32 cannot hold the powers of V"):
        nmf(V, 2, beta=beta)


@pytest.mark.parametrize(("beta", "scale"), [(2, 1e30), (3, 1e13), (-1, 1e-20)])
def test_values_whose_powers_floats_do_not_hold_are_refused(rng, beta, scale):
    V = rng.random((20, 30), np.float32)
    with pytest.raises(ParameterError, match="use a beta nearer to 1, or scale V"):
        nmf(V * np.float32(scale), 2, beta=beta)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_large_and_small_values_have_the_same_factors(rng, beta, scale):
    V = rng.random((20, 30), np.float32)
    ordinary = nmf(V, 2, beta=beta, max_iter=5)
    found = nmf(V * np.float32(scale), 2, beta=beta, max_iter=5)
    assert relative_error(found.W @ found.H / scale, ordinary.W @ ordinary.H) < 1e-4


@pytest.mark.parametrize("beta", [1e-308, -1e-9, 1 + 1e-12, 2 - 1e-9])
def test_a_beta_next_to_one_of_a_name_is_taken_for_it(rng, beta):
    V = rng.random((20, 30))
    named = nmf(V, 2, beta=round(beta), max_iter=5)
    np.testing.assert_array_equal(nmf(V, 2, beta=beta, max_iter=5).W, named.W)


@pytest.mark.parametrize(
    ("V", "message"),
    [
        (np.ones((3, 4)) * 1j, r"real numbers, got complex128; use np.abs"),
        ([["a", "b"]], "real numbers, got <U1"),
        ([[1, 2], [3]], "an array of numbers"),
        (np.array([[{}]]), "an array of numbers"),
        (np.array([["2020-01-01"]], "M8[D]"), "real numbers, got datetime64"),
        (np.float64(3), "got shape"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(V, message):
    with pytest.raises(ParameterError, match=message):
        nmf(V, 2)


@pytest.mark.parametrize("n_components", [2.5, "8", None, [2], np.ones((3, 2))])
def test_a_number_of_components_is_a_whole_one(rng, n_components):
    with pytest.raises(ParameterError, match="n_components must be a whole number"):
        nmf(rng.random((5, 6)), n_components)


@pytest.mark.parametrize("dtype", ["int16", "bool", "float16", ">f4", "object"])
def test_matrices_of_other_numbers_are_taken(dtype):
    V = (np.arange(30).reshape(5, 6) % 7).astype(dtype)
    expected = nmf(V.astype(np.float64), 2, max_iter=3)
    np.testing.assert_array_equal(nmf(V, 2, max_iter=3).W, expected.W)


RAGGED = [[1.0, 2.0], [3.0]]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("V", lambda V: specnmf.nmf(RAGGED, 2)),
        ("fixed", lambda V: specnmf.nmf(V, 2, fixed=RAGGED)),
        ("support", lambda V: specnmf.nmf(V, 2, support=(RAGGED, None))),
        ("X", lambda V: specnmf.semisupervised_nmf(RAGGED, 2, labels=[0, 1])),
        ("labels", lambda V: specnmf.semisupervised_nmf(V, 2, labels=RAGGED)),
        ("references", lambda V: specnmf.bss_eval(RAGGED, V)),
        ("estimate a", lambda V: specnmf.evaluate({"a": RAGGED}, {"a": V})),
        ("reference a", lambda V: specnmf.evaluate({"a": V}, {"a": 1j * V})),
    ],
)
def test_what_is_no_array_of_real_numbers_is_named_in_a_line(name, call):
    with pytest.raises(specnmf.ParameterError, match=f"^{name} must be ") as error:
        call(np.ones((4, 5)))
    assert "\n" not in str(error.value)
