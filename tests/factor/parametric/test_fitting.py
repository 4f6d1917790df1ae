"""fit: against dense updates, then its properties, its edges and its errors."""

import numpy as np
import pytest
import reference

from specnmf import ParameterError
from specnmf.factor.parametric import partials
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.noise import Noise


@pytest.fixture
def plain(monkeypatch):
    """No ties, and nothing is sharpened or given up: every update lowers the cost."""
    monkeypatch.setattr(partials, "TIE", 0.0)
    monkeypatch.setattr(partials, "LEAST_FROM", 10**9)
    monkeypatch.setattr(partials, "FAINT_FROM", 10**9)


def layers_of(toy):
    return [toy.notes, toy.strikes, toy.noise]


def arrays_of(toy):
    return {
        "strengths": toy.notes.strengths,
        "amplitudes": toy.notes.amplitudes,
        "pans": toy.notes.pans,
        "strikes": toy.strikes.strengths,
        "spectra": toy.strikes.spectra,
        "noise": toy.noise.strengths,
    }


def total_of(toy):
    model = np.zeros_like(toy.V)
    for layer in layers_of(toy):
        layer.add(slice(0, toy.V.shape[1]), model)
    return model


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_the_updates_are_those_of_the_reference(toy, dense, plain, n_channels):
    toy = toy(n_channels=n_channels)
    expected, costs = reference.parametric_updates(
        toy.V, dense(toy), 9, partials.PAN_EVERY
    )
    losses = fit(toy.V, layers_of(toy), max_iter=9)
    found = dense(toy)
    for name in arrays_of(toy):
        assert relative_error(found[name], expected[name]) < 1e-4, name
    np.testing.assert_allclose(losses, costs, rtol=1e-5)


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_without_ties_and_sharpening_the_cost_never_rises(toy, plain, n_channels):
    toy = toy(n_channels=n_channels)
    losses = fit(toy.V, layers_of(toy), max_iter=60)
    assert (np.diff(losses) <= 1e-6 * losses[0]).all()
    assert losses[-1] < 0.9 * losses[0]


def test_losses_are_the_divergence_of_the_layers(toy):
    toy = toy(n_channels=2)
    losses = fit(toy.V, layers_of(toy), max_iter=5)
    cost = reference.beta_divergence(toy.V, total_of(toy), 1)
    assert losses[-1] == pytest.approx(cost, rel=1e-5)


def test_what_the_model_can_make_it_explains(toy, plain):
    truth, guess = toy(n_channels=2), toy(n_channels=2)
    guess.notes.lobes, guess.notes.support = truth.notes.lobes, truth.notes.support
    guess.notes.strengths = np.ones_like(truth.notes.strengths)
    guess.noise.bands, guess.noise.sums = truth.noise.bands, truth.noise.sums
    guess.noise.edges = truth.noise.edges
    V = total_of(truth)
    losses = fit(V, layers_of(guess), max_iter=400)
    assert losses[-1] < 1e-3 * V.sum()


def test_who_sounds_gets_the_energy(toy):
    toy = toy()
    notes = toy.notes
    sounding = notes.support.template == notes.support.frame // 34
    truth = np.where(sounding, 1.0, 0.0)[:, None] * [0.0, 1.0, 0.0]
    notes.strengths = truth.astype(np.float32)
    V = np.zeros_like(toy.V)
    notes.add(slice(0, V.shape[1]), V)
    notes.strengths = np.ones_like(notes.strengths)
    notes.amplitudes = np.full_like(notes.amplitudes, 1 / notes.amplitudes.shape[1])
    fit(V, [notes, toy.noise], max_iter=300)
    assert notes.strengths[sounding, 1].sum() > 0.95 * notes.strengths.sum()
    assert notes.strengths.sum() > 0.95 * V.sum()


@pytest.mark.parametrize("n_channels", [1, 2])
def test_rows_of_amplitudes_sum_to_one_and_pans_have_a_mean_of_one(toy, n_channels):
    toy = toy(n_channels=n_channels)
    fit(toy.V, layers_of(toy), max_iter=25)
    np.testing.assert_allclose(toy.notes.amplitudes.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(toy.notes.pans.mean(axis=1), 1, rtol=1e-5)


def test_pans_are_found(toy):
    toy = toy(n_channels=2)
    truth = np.array([[0.0, 2.0], [2.0, 0.0], [1.0, 1.0]], np.float32)
    toy.notes.pans = truth
    V = np.zeros_like(toy.V)
    toy.notes.add(slice(0, V.shape[1]), V)
    toy.notes.pans = np.ones_like(truth)
    fit(V, [toy.notes], max_iter=200)
    np.testing.assert_allclose(toy.notes.pans, truth, atol=0.02)


def test_all_stays_in_single_precision(toy):
    toy = toy(n_channels=2)
    fit(toy.V, layers_of(toy), max_iter=20)
    assert {array.dtype for array in arrays_of(toy).values()} == {np.dtype("f4")}


@pytest.mark.parametrize("n_channels", [1, 2])
def test_results_do_not_depend_on_the_threads(toy, n_channels):
    one = toy(n_channels=n_channels, n_frames=300)
    start = {name: array.copy() for name, array in arrays_of(one).items()}
    losses = fit(one.V, layers_of(one), max_iter=20, threads=1)
    first = {name: array.copy() for name, array in arrays_of(one).items()}
    one.notes.strengths, one.notes.amplitudes = start["strengths"], start["amplitudes"]
    one.notes.pans, one.noise.strengths = start["pans"], start["noise"]
    one.strikes.strengths, one.strikes.spectra = start["strikes"], start["spectra"]
    again = fit(one.V, layers_of(one), max_iter=20, threads=2)
    assert losses.tobytes() == again.tobytes()
    for name, array in arrays_of(one).items():
        assert array.tobytes() == first[name].tobytes(), name


@pytest.mark.parametrize("quiet", [0.0, 1e-44, 1e-38, 1e-30, 1e-12])
def test_silence_at_the_start_is_no_trouble(toy, quiet):
    toy = toy(n_channels=2)
    toy.V[:, :20] = quiet
    losses = fit(toy.V, layers_of(toy), max_iter=40)
    assert np.isfinite(losses).all()
    for name, array in arrays_of(toy).items():
        assert np.isfinite(array).all(), name
    loud = toy.notes.strengths.max()
    assert toy.notes.strengths[toy.notes.support.frame < 20].max() < 1e-6 * loud


def test_silence_stays_silence(toy):
    toy = toy(n_channels=2)
    losses = fit(np.zeros_like(toy.V), layers_of(toy), max_iter=40)
    assert np.isfinite(losses).all()
    for name, array in arrays_of(toy).items():
        assert np.isfinite(array).all(), name
    assert not total_of(toy).any()


def test_a_silent_channel_is_heard_by_no_template(toy):
    toy = toy(n_channels=2)
    toy.V[1] = 0
    fit(toy.V, layers_of(toy), max_iter=20)
    assert not toy.notes.pans[:, 1].any()
    np.testing.assert_allclose(toy.notes.pans[:, 0], 2, rtol=1e-5)


def test_a_note_that_nobody_plays_harms_nothing(toy):
    toy = toy()
    support = toy.notes.support
    support.template[support.template == 2] = 1  # two entries of one template
    losses = fit(toy.V, layers_of(toy), max_iter=40)
    assert np.isfinite(losses).all()
    assert np.isfinite(toy.notes.amplitudes).all()


@pytest.mark.kernels
def test_one_layer_and_one_frame_are_enough(rng):
    bands = rng.random((2, 9)).astype(np.float32) + 0.1
    noise = Noise(bands, strength=1.0, n_channels=1, n_frames=1)
    V = np.array([[3.0, 0.5]], np.float32) @ bands
    losses = fit(V[None], [noise], max_iter=500)
    assert losses[-1] < 1e-5 * V.sum()
    np.testing.assert_allclose(noise.strengths, [[[3.0, 0.5]]], rtol=0.01)


def test_it_stops_once_the_cost_falls_by_less_than_tol(toy, plain):
    toy = toy()
    losses = fit(toy.V, layers_of(toy), max_iter=500, tol=1e-3)
    falls = -np.diff(losses) / losses[:-1]
    assert 5 < len(losses) < 500
    assert (falls[:-2] > 1e-3).all()
    assert falls[-2] <= 1e-3  # seen an iteration later


def test_the_callback_hears_every_iteration(toy):
    toy, heard = toy(), []
    losses = fit(
        toy.V,
        layers_of(toy),
        max_iter=7,
        callback=lambda *call: heard.append(call),
    )
    assert heard == list(enumerate(losses, start=1))
    assert len(losses) == 7


@pytest.mark.parametrize(
    ("V", "message"),
    [
        (np.ones((3, 4), np.float32), r"got float32 of shape \(3, 4\)"),
        (np.ones((1, 3, 4)), "V must be float32 of shape .* got float64"),
    ],
)
def test_what_is_no_magnitudes_of_channels_is_refused(V, message):
    with pytest.raises(ParameterError, match=message):
        fit(V, [], max_iter=1)
