"""Factorisation in passes: of what comes in blocks, as if it were all there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import Factorization, Settings, beta_divergence, nmf, starts
from specnmf.factor import passes

N_BINS, N_FRAMES, RANK = 40, 1500, 4


@pytest.fixture
def V(rng):
    """Four spectra that come and go, and noise."""
    W = rng.random((N_BINS, RANK)) ** 6
    H = rng.random((RANK, N_FRAMES)) ** 4
    noisy = (W @ H + 0.001) * rng.uniform(0.5, 1.5, (N_BINS, N_FRAMES))
    return np.asfortranarray(noisy.astype(np.float32))


def in_blocks(V, length=400):
    return lambda: (V.T[i : i + length] for i in range(0, V.shape[1], length))


def factorise(V, n_sampled, *, length=400, fixed=None, callback=None, **options):
    """Learn from some frames, then refine on all."""
    settings = Settings(n_components=RANK, **options)
    sample = passes.sample(V.shape[1], n_sampled, rng=0)
    own = V[:, sample.frames]
    learned = nmf(own, starts.random(own, RANK), beta=settings.beta)
    return passes.refine(
        in_blocks(V, length),
        learned,
        sample.counts,
        settings,
        peak=float(V.max()),
        fixed=np.zeros(RANK, bool) if fixed is None else fixed,
        callback=callback,
    )


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0])
def test_the_cost_is_that_of_all_frames_in_memory_within_one_percent(V, beta):
    result = factorise(V, 800, beta=beta)
    whole = nmf(V, starts.random(V, RANK), beta=beta)
    assert result.losses[-1] < 1.01 * whole.losses[-1]
    cost = beta_divergence(V, result.W @ result.H, beta)
    assert result.losses[-1] == pytest.approx(cost, rel=1e-4)


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("beta", [-1.0, 0.0, 1.0, 2.0])
def test_no_pass_raises_the_cost_and_the_first_to_gain_little_is_the_last(
    V, beta, monkeypatch
):
    monkeypatch.setattr(passes, "MOST_PASSES", 9)
    monkeypatch.setattr(passes, "WORTHWHILE", 1e-4)
    losses = factorise(V, 20, beta=beta).losses
    gains = -np.diff(losses) / losses[:-1]
    assert len(losses) >= 3
    assert (gains[:-1] >= 1e-4).all()
    assert gains[-1] >= 0
    assert gains[-1] < 1e-4 or len(losses) == 9


def test_learned_templates_have_a_maximum_of_one(V):
    result = factorise(V, 100)
    np.testing.assert_allclose(result.W.max(axis=0), 1, rtol=1e-6)
    assert result.W.dtype == result.H.dtype == np.float32


def test_fixed_templates_stay_and_need_but_one_pass_if_all_are(V):
    fixed = np.arange(RANK) < 2
    settings = Settings(n_components=RANK)
    sample = passes.sample(N_FRAMES, 100, rng=0)
    start = Factorization(
        np.random.default_rng(1).random((N_BINS, RANK), np.float32),
        np.ones((RANK, 100), np.float32),
    )
    for mask, n_passes in ((fixed, 4), (np.ones(RANK, bool), 1)):
        result = passes.refine(
            in_blocks(V), start, sample.counts, settings, peak=V.max(), fixed=mask
        )
        assert len(result.losses) == n_passes
        assert (result.W[:, mask] == start.W[:, mask]).all()
        assert (result.W[:, ~mask] != start.W[:, ~mask]).any(axis=0).all()


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
def test_threads_do_not_change_a_bit(V, beta):
    one, two = (factorise(V, 300, beta=beta, threads=n) for n in (1, 2))
    assert (one.W == two.W).all()
    assert (one.H == two.H).all()
    assert (one.losses == two.losses).all()


def test_the_length_of_the_blocks_hardly_matters(V):
    short, long = (factorise(V, 300, length=n) for n in (150, 1500))
    assert short.losses[-1] == pytest.approx(long.losses[-1], rel=1e-3)


def test_the_callback_hears_of_every_block(V):
    heard = []
    result = factorise(V, 300, length=500, callback=lambda *call: heard.append(call))
    n_passes = len(result.losses)
    expected = [(i, n) for i in range(n_passes) for n in (500, 1000, 1500)]
    assert heard == expected


@given(
    n_frames=st.integers(1, 5000),
    n_sampled=st.integers(1, 600),
    seed=st.integers(0, 99),
)
def test_each_sampled_frame_stands_for_its_stretch(n_frames, n_sampled, seed):
    sample = passes.sample(n_frames, n_sampled, rng=seed)
    stops = np.cumsum(sample.counts)
    assert len(sample.frames) == min(n_frames, n_sampled)
    assert stops[-1] == n_frames
    assert np.ptp(sample.counts) <= 1
    assert (sample.frames < stops).all()
    assert (sample.frames >= stops - sample.counts).all()


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
def test_silence_costs_nothing(beta):
    V = np.zeros((N_BINS, 500), np.float32, order="F")
    result = factorise(V, 100, beta=beta)
    assert result.losses[-1] == pytest.approx(0, abs=1e-3)
    assert np.isfinite(result.H).all()


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
def test_a_block_of_silence_is_the_whole_songs_silence(V, beta):
    V[:, 400:800] = 0
    result = factorise(V, 800, beta=beta)
    whole = nmf(V, starts.random(V, RANK), beta=beta)
    assert result.losses[-1] < 1.01 * whole.losses[-1]
