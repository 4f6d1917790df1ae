"""The model of a recording by its score: what it says of each stem."""

import numpy as np
import pytest

from specnmf import Audio, Note, Score, ScoreSettings
from specnmf.audio import neighbours
from specnmf.audio.stft import channel_magnitudes
from specnmf.methods.by_score import fit_stems, label_notes
from specnmf.methods.partials.model import NOISE_WEIGHT

SR, N = 22050, 33075

#: Two parts, the first on two pitches, and a drum.
BAND = Score(
    (
        Note(0.1, 0.5, 60, part="low"),
        Note(0.7, 0.6, 64, part="low"),
        Note(0.2, 1.0, 67, part="high"),
        Note(0.4, 0.1, 38, part="snare", percussion=True),
        Note(0.9, 0.1, 38, part="snare", percussion=True),
    )
)


@pytest.fixture(params=[1, 2])
def band(tone, rng, request):
    """A recording of one or two channels."""
    notes = [note for note in BAND.notes if not note.percussion]
    t = np.arange(N) / SR
    y = sum(tone(note, SR, N) for note in notes)
    for start in (0.4, 0.9):
        fading = np.exp(-(t - start) / 0.03) * (t >= start)
        y = y + 0.05 * rng.standard_normal(N) * fading
    gains = np.array([[1.0], [0.5]])[: request.param]
    noise = 0.001 * rng.standard_normal((request.param, N))
    return Audio(gains * y + noise, SR)


def fitted(audio, **options):
    settings = ScoreSettings(n_fft=2048, **options)
    return fit_stems(audio, BAND, label_notes(BAND, settings), settings)


def test_stems_and_residual_explain_the_recording(band):
    stems = fitted(band, residual=True)
    V = channel_magnitudes(band, stems.grid)
    frames = slice(0, stems.grid.n_frames)
    total = np.sum(stems.model.magnitudes(frames), axis=0)
    assert np.abs(V - total).sum() < 0.25 * V.sum()


def test_the_model_of_some_frames_is_that_of_all_cut_out(band):
    model = fitted(band).model
    whole = model.magnitudes(slice(0, model.grid.n_frames))
    some = model.magnitudes(slice(5, 17))
    for piece, all_frames in zip(some, whole, strict=True):
        np.testing.assert_allclose(piece, all_frames[:, 5:17], rtol=1e-5, atol=1e-9)
    total = model.total(slice(5, 17), some)
    np.testing.assert_allclose(total, np.sum(some, axis=0), rtol=1e-5)


def test_a_note_that_does_not_sound_is_silent(band):
    model = fitted(band, by="note").model
    models = model.magnitudes(slice(0, 4))
    assert models[0] is not None
    assert models[-1] is None


def test_components_name_stems_and_pitches(band):
    stems = fitted(band)
    components = zip(stems.factors.labels, stems.pitches, strict=True)
    expected = [("high", 67), ("low", 60), ("low", 64), ("snare", None)]
    assert [(c, None if np.isnan(p) else p) for c, p in components] == expected
    assert len(stems.notes) == 4


def test_components_are_a_factorisation_of_the_recording(band):
    stems = fitted(band)
    result = stems.factors
    V = channel_magnitudes(band, stems.grid).mean(axis=0).T
    assert result.W.shape[0] == stems.grid.n_bins
    assert result.H.shape[1] == stems.grid.n_frames
    assert (result.W >= 0).all()
    assert (result.H >= 0).all()
    np.testing.assert_allclose(result.W.sum(axis=0), 1, rtol=1e-3)
    assert np.abs(V - result.W @ result.H).sum() < 0.4 * V.sum()
    np.testing.assert_array_equal(result.losses, stems.model.losses)


def test_components_rest_where_the_score_does(band):
    stems = fitted(band)
    times = stems.grid.times
    for pitch, start, end in ((60, 0.1, 0.6), (64, 0.7, 1.3), (67, 0.2, 1.2)):
        row = stems.factors.H[stems.pitches == pitch][0]
        near = (times > start - 0.1) & (times < end + 0.15)
        assert not row[~near].any()
        assert row[near].max() > 0


def test_a_component_is_loudest_at_its_pitchs_partials(band):
    stems = fitted(band)
    for template, pitch in zip(stems.factors.W.T, stems.pitches, strict=True):
        if not np.isnan(pitch):
            peak = stems.grid.frequencies[template.argmax()]
            expected = 440 * 2 ** ((pitch - 69) / 12)
            assert abs(peak - expected) < SR / 2048


def test_a_stem_alone_has_all_the_noise(band):
    alone = {"all": ["*"]}
    with_noise, without = (
        fitted(band, groups=alone, residual=residual) for residual in (False, True)
    )
    frames = slice(0, with_noise.grid.n_frames)
    (shared,) = with_noise.model.magnitudes(frames)
    notes, noise = without.model.magnitudes(frames)
    added = shared - notes
    assert added.min() > -1e-6
    assert 0 < added.sum() <= 1.001 * noise.sum()


def noise_of(band, **options):
    """Each stem's share of the noise in all frames, and all of it."""
    shared, apart = (
        fitted(band, residual=residual, **options).model for residual in (False, True)
    )
    frames = slice(0, shared.grid.n_frames)
    *notes, noise = apart.magnitudes(frames)
    stems = shared.magnitudes(frames)
    shares = [
        stem - note for stem, note in zip(stems, notes, strict=True) if stem is not None
    ]
    return np.array(shares), noise, shared.grid


def test_stems_share_all_the_noise(band):
    shares, noise, _ = noise_of(band)
    assert shares.min() > -1e-5 * noise.max()
    np.testing.assert_allclose(shares.sum(0), NOISE_WEIGHT * noise, atol=1e-5)


def test_noise_goes_to_the_notes_that_are_near(band):
    shares, noise, grid = noise_of(band)
    together = (grid.times > 0.75) & (grid.times < 1.1)

    def share_of_high(low_hz, high_hz):
        near = (grid.frequencies > low_hz) & (grid.frequencies < high_hz)
        place = np.ix_(range(noise.shape[0]), together, near)
        high, low = shares[0][place].sum(), shares[1][place].sum()
        return high / (high + low)

    # The lowest partials are at 330 Hz, of the low part, and 392 Hz, of the high one.
    assert share_of_high(700, 900) > share_of_high(250, 330)


def test_densities_lie_at_the_partials(band):
    model = fitted(band, residual=True).model
    frames, n_bins = slice(10, 25), 100  # from .23 to .56 s
    densities = model.densities(frames, n_bins)
    n_channels = len(model.noise.strengths)
    assert densities.shape == (4, n_channels, 15, neighbours.FINE, n_bins)
    assert (densities >= 0).all()
    for name, pitch in (("high", 67), ("low", 60)):
        summed = densities[model.names.index(name)].sum(axis=(0, 1))
        peak = summed.T.ravel().argmax() / neighbours.FINE
        expected = 440 * 2 ** ((pitch - 69) / 12) * model.grid.n_fft / SR
        assert abs(peak - expected) < 0.5
    rest = densities[-1]
    np.testing.assert_allclose(rest[:, :, 0], rest[:, :, -1], rtol=1e-6)


def test_densities_explain_the_magnitudes(band):
    model = fitted(band).model
    frames, n_bins = slice(20, 40), 100
    density = model.densities(frames, n_bins)[model.names.index("high"), 0]
    magnitudes = model.magnitudes(frames)[model.names.index("high")][0, :, :n_bins]
    variances = np.zeros_like(magnitudes)
    taps = neighbours.taps()[0]
    for u in range(-2, 3):
        moved = np.roll(density, -u, axis=2)
        variances += (taps[u + 2][:, None] * moved).sum(axis=1)
    inner = np.s_[:, 5:-5]
    loud = magnitudes[inner] > 0.3 * magnitudes[inner].max()
    ratio = variances[inner][loud] / magnitudes[inner][loud] ** 2
    assert 0.5 < np.median(ratio) < 2
