"""choose_rank: where the number is known, then its properties, edges and errors."""

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

import specnmf
from specnmf import ParameterError
from specnmf.factor import rank
from specnmf.factor.rank import choose_rank


def product(rng, n_components, shape=(150, 400)):
    """A matrix of so many sparse templates, each soft most of the time."""
    W = rng.gamma(0.3, size=(shape[0], n_components))
    loud = rng.random((n_components, shape[1])) < max(0.15, 1.5 / n_components)
    return W @ (rng.gamma(1.0, size=(n_components, shape[1])) * np.maximum(loud, 0.02))


def noisy(rng, V, beta):
    """The noise that the divergence expects, at a mean of 10 counts for KL."""
    if beta == 1:
        return rng.poisson(10 * V / V.mean()).astype(float)
    if beta == 0:
        return V * rng.gamma(20, size=V.shape) / 20
    return np.maximum(V + 0.2 * V.mean() * rng.standard_normal(V.shape), 0)


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("n_components", [2, 3, 5, 8, 12])
@pytest.mark.parametrize("beta", [0, 1, 2])
def test_the_number_behind_a_noisy_product_is_found(rng, n_components, beta):
    V = noisy(rng, product(rng, n_components), beta)
    chosen = choose_rank(V, beta=beta).chosen
    assert chosen == pytest.approx(n_components, rel=0.2)


def test_one_component_in_noise_is_one(rng):
    assert choose_rank(noisy(rng, product(rng, 1), 1)).chosen == 1


@pytest.mark.parametrize("n_notes", [4, 8])
def test_the_number_of_notes_is_found(rng, n_notes):
    """Notes with partials and decay, one after another, as a spectrogram has them."""
    sr, pitches = 8000, rng.choice(np.arange(50, 75), n_notes, replace=False)
    time = np.arange(sr // 2) / sr
    notes = [
        np.minimum(1, 50 * time)
        * np.exp(-2 * time)
        * sum(np.sin(2 * np.pi * m * f * time) / m for m in range(1, 6))
        for f in 440 * 2 ** ((pitches - 69) / 12)
    ]
    played = [*range(n_notes), *rng.integers(n_notes, size=40)]
    y = np.concatenate([rng.uniform(0.3, 1) * notes[number] for number in played])
    audio = specnmf.Audio(y[np.newaxis].astype(np.float32), sr)
    V = specnmf.stft(audio, n_fft=1024).magnitude()
    assert choose_rank(V).chosen == pytest.approx(n_notes, rel=0.3)


@pytest.mark.slow  # many factorizations
def test_a_prelude_has_about_as_many_components_as_its_notes_whatever_the_seed():
    path = ROOT / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.flac"
    V = specnmf.stft(specnmf.read(path)).magnitude()
    chosen = [choose_rank(V, rng=seed).chosen for seed in range(2)]
    assert min(chosen) >= 8
    assert max(chosen) <= 16


def test_neighbours_would_give_away_single_points_that_are_held_out(rng, monkeypatch):
    """In noise there is nothing to learn, but a window smears it over neighbours."""
    noise = 0.1 * rng.standard_normal((1, 100_000)).astype(np.float32)
    V = specnmf.stft(specnmf.Audio(noise, 8000), n_fft=1024).magnitude()
    by_blocks = choose_rank(V)
    monkeypatch.setattr(rank, "BLOCK_ROWS", 1)
    monkeypatch.setattr(rank, "BLOCK_FRAMES", 1)
    by_points = choose_rank(V)
    assert by_blocks.chosen == 1
    assert by_blocks.means.min() > -0.01
    assert by_points.means.min() < -0.02


@pytest.mark.slow  # many factorizations
def test_the_choice_depends_on_the_seed_alone(rng):
    V = noisy(rng, product(rng, 6, (100, 1500)), 1).astype(np.float32)
    one, other = choose_rank(V, rng=3, threads=1), choose_rank(V, rng=3, threads=4)
    assert one.chosen == other.chosen
    assert one.ranks.tobytes() == other.ranks.tobytes()
    assert one.means.tobytes() == other.means.tobytes()
    assert one.errors.tobytes() == other.errors.tobytes()
    assert choose_rank(V, rng=4).means.tobytes() != one.means.tobytes()


def test_loudness_changes_nothing(rng):
    V = noisy(rng, product(rng, 4), 1)
    choices = [choose_rank(scale * V) for scale in (2.0**-30, 2.0**30)]
    assert len({choice.chosen for choice in choices}) == 1
    np.testing.assert_allclose(choices[0].means, choices[1].means, rtol=1e-3)


def test_the_curve_starts_at_one_component_and_is_finer_around_the_choice(rng):
    choice = choose_rank(noisy(rng, product(rng, 10), 1))
    assert (np.diff(choice.ranks) > 0).all()
    assert (choice.ranks[0], choice.means[0], choice.errors[0]) == (1, 0, 0)
    assert {8, 9, 10, 11, 12} <= set(choice.ranks)
    assert len(choice.ranks) == len(choice.means) == len(choice.errors)
    reached = choice.means <= rank.SHARE * choice.means.min()
    assert choice.chosen == choice.ranks[reached].min()


def test_only_candidates_and_one_are_tried(rng):
    choice = choose_rank(noisy(rng, product(rng, 5), 1), candidates=[7, 5, 5, 900])
    assert choice.ranks.tolist() == [1, 5, 7]
    assert choice.chosen == 5


def test_frames_come_in_runs_from_all_over_a_long_song(rng):
    frames = rank._runs(100_000, rng)
    assert len(frames) == rank.FRAMES
    runs = frames.reshape(-1, rank.RUN)
    assert (np.diff(runs, axis=1) == 1).all()
    assert (np.diff(runs[:, 0]) >= rank.RUN).all()
    assert runs[0, 0] < 5000
    assert 95_000 < runs[-1, -1] < 100_000
    assert (rank._runs(rank.FRAMES + 1, rng) <= rank.FRAMES).all()


@settings(max_examples=50, deadline=None)
@given(shape=st.tuples(st.integers(5, 200), st.integers(1, 200)))
def test_every_entry_is_held_out_once_and_never_a_whole_frame(shape):
    held = rank._held_out(shape, np.random.default_rng(0))
    assert len(held) == rank.FOLDS
    assert (np.sum(held, axis=0) == 1).all()
    assert all(not mask.all(axis=0).any() for mask in held)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    beta=st.sampled_from([0, 0.5, 1, 2]),
    zeros=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_matrix_gives_a_number_that_fits(shape, beta, zeros, seed):
    rng = np.random.default_rng(seed)
    V = rng.random(shape) * (rng.random(shape) >= zeros)
    choice = choose_rank(V, beta=beta, threads=1)
    assert 1 <= choice.chosen <= min(shape)
    assert np.isfinite(choice.means).all()
    assert np.isfinite(choice.errors).all()


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_silence_is_one_component(beta):
    assert choose_rank(np.zeros((60, 80), np.float32), beta=beta).chosen == 1


@pytest.mark.parametrize(
    ("V", "message"),
    [
        (np.zeros(3), r"V must be \(n_bins, n_frames\), got shape \(3,\)"),
        (np.zeros((0, 3)), "got shape"),
        (np.full((3, 4), -1.0), "finite and non-negative, got values from -1.0"),
        (np.full((3, 4), np.nan), "finite and non-negative"),
    ],
)
def test_what_is_no_magnitude_spectrogram_is_refused(V, message):
    with pytest.raises(ParameterError, match=message):
        choose_rank(V)


def test_wrong_options_are_named():
    V = np.ones((8, 9))
    with pytest.raises(ParameterError, match="candidates must be at least 1, got 0"):
        choose_rank(V, candidates=[0, 3])
    with pytest.raises(
        ParameterError, match="beta must be euclidean, kl, is or a number"
    ):
        choose_rank(V, beta="cosine")
