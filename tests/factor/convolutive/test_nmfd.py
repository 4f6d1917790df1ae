"""nmfd: against references, then its properties, its edges and its errors."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import specnmf
from specnmf import ConvolutiveFactorization, Factorization, ParameterError, nmfd
from specnmf.factor.convolutive import joint

BETAS = (-1, 0, 0.5, 1, 1.5, 2, 3)
N_BINS, N_FRAMES = 30, 70


@pytest.fixture
def V(rng):
    """Two sounds of four frames, struck some times, and a little noise, in double."""
    W = rng.random((N_BINS, 2, 4)) ** 4
    H = (rng.random((2, N_FRAMES)) > 0.8) * rng.random((2, N_FRAMES))
    return reference.convolved(W, H) + 0.01 * rng.random((N_BINS, N_FRAMES)) + 1e-3


@pytest.fixture
def start(rng):
    return ConvolutiveFactorization(
        rng.random((N_BINS, 3, 5)) + 0.01, rng.random((3, N_FRAMES)) + 0.01
    )


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("beta", BETAS)
def test_updates_follow_the_reference(V, start, beta):
    W, H = reference.convolutive_updates(V, start.W, start.H, beta, 20)
    options = {"updates": "alternate", "max_iter": 20, "tol": 0, "normalize": False}
    found = nmfd(V, start, beta=beta, **options)
    assert relative_error(found.W, W) < 1e-10
    assert relative_error(found.H, H) < 1e-10
    cost = reference.beta_divergence(V, reference.convolved(W, H), beta)
    assert found.losses[-1] == pytest.approx(cost, rel=1e-9)


def test_joint_updates_follow_the_reference(V, start, monkeypatch):
    monkeypatch.setitem(joint.EXCESS, 1, 0.0)
    monkeypatch.setattr(joint, "MOST_MOMENTUM", 0.0)
    W, H = reference.joint_convolutive_updates(V, start.W, start.H, 20)
    found = nmfd(V, start, max_iter=20, tol=0, normalize=False)
    assert relative_error(found.W, W) < 1e-10
    assert relative_error(found.H, H) < 1e-10
    cost = reference.beta_divergence(V, reference.convolved(W, H), 1)
    assert found.losses[-1] == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize("adapt", [0, 1])
def test_losses_are_the_cost_of_what_is_returned(V, start, adapt):
    """Also of points beyond an update."""
    found = nmfd(V, start, adapt=adapt, max_iter=7, tol=0)
    cost = specnmf.beta_divergence(V, found.model(), 1)
    assert found.losses[-1] == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize(("adapt", "known"), [(0, None), (0.3, [True, True, True])])
def test_joint_and_alternating_updates_have_the_same_minimum(V, start, adapt, known):
    """With one factor given there is but one."""
    found = [
        nmfd(V, start, updates=updates, adapt=adapt, known=known, max_iter=n, tol=0)
        for updates, n in (("joint", 300), ("alternate", 1500))
    ]
    assert found[0].losses[-1] == pytest.approx(found[1].losses[-1], rel=1e-4)
    assert relative_error(found[0].model(), found[1].model()) < 0.01


def test_joint_updates_need_fewer_iterations(V, start):
    slow = nmfd(V, start, updates="alternate", max_iter=100, tol=0)
    fast = nmfd(V, start, updates="joint", max_iter=50, tol=0)
    assert fast.losses[-1] < slow.losses[-1]


def test_averaging_updates_follow_the_reference(V, start):
    W, H = reference.averaging_updates(V, start.W, start.H, 20)
    found = nmfd(V, start, updates="average", max_iter=20, normalize=False)
    assert relative_error(found.W, W) < 1e-10
    assert relative_error(found.H, H) < 1e-10


def test_averaging_updates_are_those_of_libnmfd(V, start, monkeypatch):
    core = pytest.importorskip("libnmfd.core.nmfconv")
    monkeypatch.setattr(core, "tnrange", lambda n, **_: range(n))  # draws in notebooks
    *_, H, _, _, W = core.nmfd(
        V, num_comp=3, num_iter=20, num_template_frames=5,
        init_W=list(start.W.transpose(1, 0, 2)), init_H=start.H,
    )  # fmt: skip
    found = nmfd(V, start, updates="average", max_iter=20, normalize=False)
    assert relative_error(found.W, W) < 1e-5  # another epsilon in denominators
    assert relative_error(found.H / V.sum(), H) < 1e-5  # it scales V to a sum of one


@pytest.mark.parametrize(
    ("updates", "beta"), [("joint", 1), *(("alternate", beta) for beta in BETAS)]
)
@pytest.mark.parametrize("adapt", [1.0, 0.5, [0.0, 0.1, 1.0]])
def test_the_cost_never_rises(V, start, updates, beta, adapt):
    found = nmfd(V, start, updates=updates, beta=beta, adapt=adapt, max_iter=30, tol=0)
    assert len(found.losses) == 30
    assert np.all(np.diff(found.losses) <= 0)
    assert found.losses[-1] < found.losses[0]


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_templates_of_one_frame_are_those_of_nmf(V, rng, beta):
    W, H = rng.random((N_BINS, 3)) + 0.01, rng.random((3, N_FRAMES)) + 0.01
    short = ConvolutiveFactorization(W[:, :, np.newaxis], H)
    found = nmfd(V, short, beta=beta, updates="alternate", max_iter=20, tol=0)
    plain = specnmf.nmf(
        V, Factorization(W, H), beta=beta, solver="mu", max_iter=20, tol=0
    )
    np.testing.assert_allclose(found.W[:, :, 0], plain.W, rtol=1e-9)
    np.testing.assert_allclose(found.H, plain.H, rtol=1e-9)
    np.testing.assert_allclose(found.losses, plain.losses, rtol=1e-9)


@pytest.mark.parametrize("updates", ["joint", "alternate"])
def test_frames_are_cut_into_blocks_and_put_together_again(rng, monkeypatch, updates):
    """Short blocks, shorter than a template, give what long ones give."""
    V = (rng.random((N_BINS, 3000)) ** 4).astype(np.float64)
    start = ConvolutiveFactorization(
        rng.random((N_BINS, 2, 40)) + 0.01, rng.random((2, 3000)) + 0.01
    )
    long = nmfd(V, start, updates=updates, max_iter=3, tol=0)
    monkeypatch.setattr("specnmf.factor.spans.BLOCK_BYTES", 1)  # 16 frames
    short = nmfd(V, start, updates=updates, max_iter=3, tol=0)
    np.testing.assert_allclose(short.W, long.W, rtol=1e-9)
    np.testing.assert_allclose(short.H, long.H, rtol=1e-9)


@pytest.mark.parametrize("updates", ["joint", "alternate"])
def test_threads_change_no_bit(rng, updates):
    V = rng.random((N_BINS, 2000)).astype(np.float32)
    one, two = (
        nmfd(V, 3, updates=updates, max_iter=5, tol=0, threads=n) for n in (1, 2)
    )
    assert one.W.tobytes() == two.W.tobytes()
    assert one.H.tobytes() == two.H.tobytes()
    assert one.W.dtype == one.H.dtype == np.float32


def test_a_seed_names_the_start(V):
    one, again, other = (nmfd(V, 2, max_iter=3, rng=seed) for seed in (1, 1, 2))
    assert one.W.tobytes() == again.W.tobytes()
    assert one.W.tobytes() != other.W.tobytes()
    assert one.W.shape == (N_BINS, 2, 8)


def test_drums_are_found_from_a_random_start(rng):
    """Two decaying sounds at known times: each activation peaks at its onsets."""
    W = np.zeros((40, 2, 6))
    W[:20, 0] = rng.random((20, 1)) * 0.5 ** np.arange(6)
    W[20:, 1] = rng.random((20, 1)) * 0.7 ** np.arange(6)
    H = np.zeros((2, 120))
    H[0, ::20], H[1, 10::30] = 1, 2
    V = reference.convolved(W, H)
    found = nmfd(V, 2, n_template_frames=6, max_iter=500, tol=0, rng=0)
    error = relative_error(found.model(), V)
    assert error < 0.05
    order = np.argsort([found.W[20:, k].sum() for k in range(2)])
    for k, expected in zip(order, H, strict=True):
        peaks = np.flatnonzero(found.H[k] > 0.5 * found.H[k].max())
        assert set(peaks) <= set(np.flatnonzero(expected))


def test_fixed_templates_keep_their_bytes(V, start):
    found = nmfd(V, start, adapt=[0, 1, 1], max_iter=5)
    assert found.W[:, 0].tobytes() == start.W[:, 0].tobytes()
    assert not np.allclose(found.W[:, 1] / found.W[:, 1].max(), start.W[:, 1])


def test_templates_adapt_by_degrees(V, start):
    """The further they may go, the further they go, and the better the model fits."""
    moved, costs = [], []
    for adapt in (0, 0.1, 0.5, 0.9, 1):
        found = nmfd(V, start, adapt=adapt, max_iter=50, tol=0)
        shape = found.W / found.W.sum(axis=(0, 2), keepdims=True)
        before = start.W / start.W.sum(axis=(0, 2), keepdims=True)
        moved.append(np.abs(shape - before).sum())
        costs.append(specnmf.beta_divergence(V, found.model(), 1))
    assert moved == sorted(moved)
    assert moved[0] < 1e-9 < moved[1]
    assert costs == sorted(costs, reverse=True)


def test_known_activations_stay(V, start):
    found = nmfd(V, start, known=[True, False, False], max_iter=5)
    np.testing.assert_array_equal(found.H[0], start.H[0])
    assert not np.array_equal(found.H[1], start.H[1])


def test_support_keeps_zeros(V, start, rng):
    free_W, free_H = rng.random(start.W.shape) > 0.3, rng.random(start.H.shape) > 0.3
    found = nmfd(V, start, support=(free_W, free_H), max_iter=5)
    assert not found.W[~free_W].any()
    assert not found.H[~free_H].any()
    assert found.W[free_W].all()
    assert found.H[free_H].all()


def test_templates_are_scaled_to_a_maximum_of_one(V, start):
    found = nmfd(V, start, max_iter=5)
    raw = nmfd(V, start, max_iter=5, normalize=False)
    np.testing.assert_allclose(found.W.max(axis=(0, 2)), 1)
    np.testing.assert_allclose(found.model(), raw.model(), rtol=1e-9)


def test_a_callback_hears_each_iteration(V):
    heard = []
    found = nmfd(V, 2, max_iter=4, tol=0, callback=lambda *args: heard.append(args))
    assert heard == list(enumerate(found.losses, start=1))
    heard.clear()
    found = nmfd(
        V, 2, updates="average", max_iter=4, callback=lambda *args: heard.append(args)
    )
    assert heard == list(enumerate(found.losses, start=1))


def test_silence_has_no_activations():
    found = nmfd(np.zeros((4, 10), np.float32), 2, max_iter=3)
    assert not found.H.any()
    assert np.isfinite(found.W).all()


@settings(max_examples=30, deadline=None)
@given(
    n_frames=st.integers(1, 12),
    n_lags=st.integers(1, 20),
    beta=st.sampled_from(BETAS),
    seed=st.integers(0, 9),
)
def test_templates_may_be_longer_than_the_data(n_frames, n_lags, beta, seed):
    V = np.random.default_rng(seed).random((5, n_frames)) + 0.1
    found = nmfd(V, 2, n_template_frames=n_lags, beta=beta, max_iter=5, tol=0)
    assert np.all(np.diff(found.losses) <= 0)
    assert np.isfinite(found.W).all()
    assert np.isfinite(found.H).all()


def test_parts_of_the_model_add_up(start):
    parts = [start.model([k]) for k in range(3)]
    np.testing.assert_allclose(sum(parts), start.model(), rtol=1e-12)
    np.testing.assert_allclose(start.model(), reference.convolved(start.W, start.H))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"updates": "both"}, "updates must be one of auto, joint, alternate, average"),
        ({"updates": "joint", "beta": 2}, "updates joint need beta 1"),
        ({"updates": "average", "beta": 2}, "need beta 1"),
        ({"updates": "average", "adapt": 0}, "need beta 1"),
        ({"adapt": 1.5}, "adapt must lie between 0 and 1"),
        ({"adapt": [0.5, np.nan, 1]}, "adapt must lie between 0 and 1"),
        ({"adapt": [1, 1]}, "a number or 3 numbers"),
        ({"known": [1, 0, 0]}, "known must be booleans"),
        ({"support": (np.ones((2, 2)), None)}, "support of W must be booleans"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"tol": -1}, "tol must be at least 0"),
    ],
)
def test_errors_say_what_was_expected(V, start, options, message):
    with pytest.raises(ParameterError, match=message):
        nmfd(V, start, **options)


def test_a_start_must_fit(V, start):
    with pytest.raises(ParameterError, match="the start must have 30 bins and 60"):
        nmfd(V[:, :60], start)
    with pytest.raises(ParameterError, match="n_components must be at least 1"):
        nmfd(V, 0)
    with pytest.raises(ParameterError, match="n_template_frames must be at least 1"):
        nmfd(V, 2, n_template_frames=0)


@pytest.mark.parametrize(
    ("W", "H", "labels", "message"),
    [
        (np.ones((3, 2)), np.ones((2, 4)), (), "n_template_frames"),
        (np.ones((3, 2, 2)), np.ones((3, 4)), (), "W has 2 components"),
        (-np.ones((3, 2, 2)), np.ones((2, 4)), (), "non-negative"),
        (np.ones((3, 2, 2)), np.ones((2, 4)), ("kick",), "need as many labels"),
    ],
)
def test_factors_are_checked(W, H, labels, message):
    with pytest.raises(ParameterError, match=message):
        ConvolutiveFactorization(W, H, labels)
