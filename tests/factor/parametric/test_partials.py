"""The layer of notes: against dense products, and what is learned from them."""

import numpy as np
import pytest
import reference

from specnmf.factor.parametric import partials
from specnmf.factor.parametric.lobes import Lobes, Support
from specnmf.factor.parametric.partials import Partials

FIRST = slice(0, 100)


def only_notes(factors):
    return {
        **factors,
        "strikes": 0 * factors["strikes"],
        "noise": 0 * factors["noise"],
    }


def steady(notes):
    """Numerators that ask for no change."""
    played = notes.support.totals(notes.strengths.sum(axis=1), len(notes.amplitudes))
    asked = played[:, None] * notes.pans.sum(axis=1, keepdims=True)
    return np.broadcast_to(asked, notes.amplitudes.shape).astype(np.float32)


@pytest.mark.kernels
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("frames", [FIRST, slice(17, 49)])
def test_notes_add_what_the_dense_product_has(toy, dense, n_channels, frames):
    toy = toy(n_channels=n_channels)
    model = np.ones_like(toy.V[:, frames])
    toy.notes.add(frames, model)
    expected = 1 + reference.parametric_model(only_notes(dense(toy)))[:, frames]
    np.testing.assert_allclose(model, expected, rtol=1e-5)


@pytest.mark.kernels
def test_each_entry_is_added_to_its_owner(toy, dense, rng):
    toy = toy(n_channels=2)
    frame, template = toy.notes.support.frame, toy.notes.support.template
    owner = rng.integers(0, 2, len(template))
    models = np.zeros((2, *toy.V.shape), np.float32)
    toy.notes.add_by_owner(FIRST, owner, models)
    for stem, model in enumerate(models):
        factors = only_notes(dense(toy))
        away = owner != stem
        factors["strengths"][template[away], frame[away]] = 0
        expected = reference.parametric_model(factors)
        np.testing.assert_allclose(model, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.kernels
@pytest.mark.parametrize("n_channels", [1, 2])
def test_strengths_follow_the_ratio(toy, dense, n_channels):
    toy = toy(n_channels=n_channels)
    before = dense(toy)
    for frames in (slice(0, 40), slice(40, 100)):
        toy.notes.follow(frames, toy.V[:, frames])
    heard = reference.slope(before, "strengths", toy.V)
    whole = reference.slope(before, "strengths", np.ones_like(toy.V))
    expected = before["strengths"] * heard / whole
    np.testing.assert_allclose(dense(toy)["strengths"], expected, rtol=1e-4)


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("n_channels", "iteration", "name"),
    [
        (1, partials.PAN_EVERY - 1, "amplitudes"),
        (2, 0, "amplitudes"),
        (2, partials.PAN_EVERY - 1, "pans"),
    ],
)
def test_numerators_of_blocks_add_up_to_the_slope(
    toy, dense, n_channels, iteration, name
):
    toy = toy(n_channels=n_channels)
    blocks = slice(0, 40), slice(40, 100)
    found = sum(toy.notes.gather(b, toy.V[:, b], iteration) for b in blocks)
    expected = reference.slope(dense(toy), name, toy.V)
    sounding = getattr(toy.notes, name) > 0
    np.testing.assert_allclose(found[sounding], expected[sounding], rtol=1e-4)


@pytest.mark.kernels
def test_spectra_are_templates_summed_over_their_detunings(toy, dense):
    notes = toy().notes
    template, weights = np.array([2, 0, 2]), np.array([[1, 0, 3], [0, 5, 0], [1, 1, 1]])
    found = notes.spectra(template, weights.astype(float), 40)
    P = reference.lobe_spectra(notes.lobes, 40)
    for column, c, w in zip(found.T, template, weights, strict=True):
        expected = np.einsum("d,m,dmf->f", w / w.sum(), notes.amplitudes[c], P[c])
        np.testing.assert_allclose(column, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.kernels
def test_strengths_of_unequal_entries_of_one_template_are_their_own(toy):
    notes = toy().notes
    notes.support.template[:] = 1
    two = np.flatnonzero(notes.support.frame == notes.support.frame[0])[:2]
    notes.strengths[two[0]] *= 3
    before = notes.strengths[two[0]] / notes.strengths[two[1]]
    notes.follow(FIRST, np.ones((1, 100, 40), np.float32) * 0.7)
    after = notes.strengths[two[0]] / notes.strengths[two[1]]
    np.testing.assert_allclose(after, before, rtol=1e-5)


def test_partials_that_are_not_there_get_no_amplitude(toy):
    notes = toy().notes
    gone = notes.lobes.length.max(axis=1) == 0
    assert gone.any()
    assert not notes.amplitudes[gone].any()
    assert (notes.amplitudes[~gone] > 0).all()


@pytest.mark.kernels
def test_sharpening_spares_the_strongest_detuning_and_weakens_the_others(toy):
    notes = toy().notes
    before = notes.strengths.copy()
    notes.learn(steady(notes), partials.SHARPEN_FROM)
    strongest = before == before.max(axis=1, keepdims=True)
    np.testing.assert_allclose(notes.strengths[strongest], before[strongest], rtol=1e-5)
    assert (notes.strengths[~strongest] < before[~strongest]).all()
    share = before / before.max(axis=1, keepdims=True)
    expected = before * share**partials.SHARPEN
    np.testing.assert_allclose(notes.strengths, expected, rtol=1e-4)


@pytest.mark.kernels
def test_a_detuning_that_has_fallen_far_behind_is_given_up(toy):
    notes = toy().notes
    notes.strengths[:, 0] = 0.1 * partials.LEAST_SHARE * notes.strengths[:, 1]
    before = notes.strengths.copy()
    notes.learn(steady(notes), partials.LEAST_FROM - 1)
    np.testing.assert_allclose(notes.strengths, before, rtol=1e-5)
    notes.learn(steady(notes), partials.LEAST_FROM)
    assert not notes.strengths[:, 0].any()
    np.testing.assert_allclose(notes.strengths[:, 1:], before[:, 1:], rtol=1e-5)


@pytest.mark.kernels
def test_without_haste_nothing_is_given_up_before_sharpening(toy):
    notes = toy().notes
    notes.hasty = False
    notes.strengths[:, 0] = 0.1 * partials.LEAST_SHARE * notes.strengths[:, 1]
    notes.amplitudes[1] = [0.5, 0.5, 0.9 * partials.FAINT * 0.5, 2 * partials.FAINT]
    notes.learn(steady(notes), partials.SHARPEN_FROM - 1)
    assert notes.strengths.all()
    assert notes.amplitudes[1].all()
    notes.learn(steady(notes), partials.SHARPEN_FROM)
    assert not notes.strengths[:, 0].any()


@pytest.mark.kernels
def test_a_faint_partial_is_given_up_and_does_not_come_back(toy):
    notes = toy().notes
    notes.amplitudes[1] = [0.5, 0.5, 0.9 * partials.FAINT * 0.5, 2 * partials.FAINT]
    notes.learn(steady(notes), partials.FAINT_FROM - 1)
    assert (notes.amplitudes[1] > 0).all()
    notes.learn(steady(notes), partials.FAINT_FROM)
    assert list(notes.amplitudes[1] > 0) == [True, True, False, True]
    notes.learn(steady(notes), 0)
    assert notes.amplitudes[1, 2] == 0


@pytest.mark.kernels
def test_silent_entries_change_nothing_and_stay_silent(toy):
    notes = toy(n_channels=2).notes
    silent = notes.support.frame % 3 == 1
    notes.strengths[silent] = 0
    notes.update(FIRST, np.ones((2, 100, 40), np.float32), 0)
    assert not notes.strengths[silent].any()
    assert notes.strengths[~silent].all()


@pytest.mark.kernels
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("quiet", [0.0, 1e-45, 1e-40, 1e-36, 1e-31, 1e-29])
def test_sharpening_what_is_nearly_silent_gives_no_nan(toy, quiet):
    notes = toy().notes
    notes.strengths[::2] = quiet * np.array([1.0, 0.5, 0.0], np.float32)
    notes.learn(steady(notes), partials.SHARPEN_FROM)
    assert np.isfinite(notes.strengths).all()
    assert (notes.strengths[::2] <= quiet).all()
    assert (notes.strengths[1::2].max(axis=1) > 0).all()


def test_an_instruments_templates_draw_near_and_others_do_not(toy, monkeypatch):
    monkeypatch.setattr(partials, "TIE", 0.1)
    notes = toy().notes
    shares = [0.7, 0.2, 0.1, 0.0], [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]
    notes.amplitudes[:] = shares
    notes.instruments = np.array([5, 5, 2])
    before = notes.amplitudes.copy()
    notes.learn(steady(notes), 0)
    apart, nearer = (np.abs(a[0] - a[1]).sum() for a in (before, notes.amplitudes))
    assert 0.7 * apart < nearer < 0.95 * apart
    np.testing.assert_allclose(notes.amplitudes[2], before[2], rtol=1e-5)
    assert notes.amplitudes[0, 3] == 0  # a partial it does not have
    np.testing.assert_allclose(notes.amplitudes.sum(axis=1), 1, rtol=1e-5)


def test_an_untouched_layer_is_the_start_again(toy):
    notes = toy(n_channels=2).notes
    start = Partials(
        notes.lobes,
        notes.support,
        strength=1 / notes.strengths.shape[1],
        n_channels=2,
        instruments=notes.instruments,
    )
    again = notes.untouched()
    np.testing.assert_array_equal(again.amplitudes, start.amplitudes)
    np.testing.assert_allclose(again.strengths.sum(axis=1), 1, rtol=1e-6)
    assert (again.pans == 1).all()


@pytest.mark.kernels
def test_without_templates_nothing_is_heard(toy):
    notes, nothing = toy().notes, Support(np.zeros(101, np.int64), np.zeros(0, int))
    lobes = notes.lobes
    first, length, offset = (a[:0] for a in (lobes.first, lobes.length, lobes.offset))
    none = Partials(
        Lobes(first, length, offset, notes.lobes.values[:0]),
        nothing,
        strength=1.0,
        n_channels=1,
        instruments=np.zeros(0, int),
    )
    model = np.zeros((1, 100, 40), np.float32)
    none.add(FIRST, model)
    assert not model.any()
    assert none.update(FIRST, model, 0).shape == (0, length.shape[2])
