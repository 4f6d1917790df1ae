"""Partials: against the spectra of real sinusoids, and where they lie."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import specnmf
from specnmf import Audio
from specnmf.audio.stft import Grid
from specnmf.methods.partials import notes as partials
from specnmf.methods.partials.notes import detunings, note_lobes, piano_inharmonicity

SR, N_FFT = 44100, 4096
GRID = Grid(SR, 10 * N_FFT, N_FFT, N_FFT // 4)


def hertz(pitch):
    return 440 * 2 ** ((pitch - 69) / 12)


def main_lobe_of_sinusoid(frequency):
    """Two bins to either side, of a long sinusoid's magnitudes; their sum is one."""
    t = np.arange(GRID.n_samples) / SR
    audio = Audio(np.sin(2 * np.pi * frequency * t), SR)
    X = specnmf.stft(audio, n_fft=N_FFT).X[0, :, GRID.n_frames // 2]
    near = np.abs(GRID.frequencies - frequency) < 2 * SR / N_FFT
    lobe = np.abs(X) * near
    return lobe / lobe.sum()


def middles(lobes, n_bins=GRID.n_bins):
    """Where the lobes lie, in bins; NaN for those left out."""
    P = reference.lobe_spectra(lobes, n_bins)
    sums = P.sum(axis=-1)
    return np.divide(
        P @ np.arange(n_bins), sums, out=np.full(sums.shape, np.nan), where=sums > 0
    )


@pytest.fixture
def exact(monkeypatch):
    """A single detuning of no width: the pitch itself."""
    monkeypatch.setattr(partials, "DETUNING_SPAN", 0.0)
    return {"detuning_step": 1e-3}


@pytest.mark.parametrize("pitch", [40, 60.3, 69, 88.77, 108])
@pytest.mark.parametrize("m", [1, 2, 5])
def test_a_lobe_of_no_width_is_the_spectrum_of_a_sinusoid(exact, pitch, m):
    lobes = reference.lobe_spectra(note_lobes([pitch], GRID, **exact), GRID.n_bins)
    expected = main_lobe_of_sinusoid(m * hertz(pitch))
    assert lobes.shape[:2] == (1, 1)
    peak = expected.max()
    np.testing.assert_allclose(lobes[0, 0, m - 1], expected, atol=1e-3 * peak)


@pytest.mark.parametrize("pitch", [60, 69, 91.5])
@pytest.mark.parametrize("m", [1, 4])
def test_a_lobe_is_the_mean_of_sinusoids_within_its_step(pitch, m):
    lobes = reference.lobe_spectra(note_lobes([pitch], GRID), GRID.n_bins)
    half = np.diff(detunings())[0] / 2
    for d in (0, len(detunings()) // 2, -1):
        cents = detunings()[d] + half * np.arange(-0.95, 1, 0.1)
        glide = [main_lobe_of_sinusoid(m * hertz(pitch + c / 100)) for c in cents]
        expected = np.mean(glide, axis=0)
        found = lobes[0, d, m - 1]
        np.testing.assert_allclose(found, expected, atol=5e-3 * expected.max())


def test_detunings_are_even_steps_around_the_pitch():
    np.testing.assert_allclose(detunings(), -detunings()[::-1], atol=1e-9)
    steps = np.diff(detunings())
    np.testing.assert_allclose(steps, steps[0])
    assert 0 in detunings()


@settings(max_examples=30, deadline=None)
@given(
    pitches=st.lists(st.floats(0, 127), min_size=1, max_size=4),
    sr=st.sampled_from([8000, 22050, 44100, 96000]),
    n_fft=st.sampled_from([64, 1000, 2048, 16384]),
    tuning=st.floats(-100, 100),
    inharmonicity=st.sampled_from([0.0, 1e-3]),
)
def test_every_lobe_sums_to_one_and_lies_within_the_bins(
    pitches, sr, n_fft, tuning, inharmonicity
):
    grid = Grid(sr, sr, n_fft, n_fft // 4)
    lobes = note_lobes(pitches, grid, tuning=tuning, inharmonicity=inharmonicity)
    heard = lobes.length > 0
    assert lobes.length.shape[:2] == (len(pitches), len(detunings()))
    assert (lobes.length >= 0).all()
    assert (lobes.first[heard] >= 0).all()
    assert ((lobes.first + lobes.length)[heard] <= grid.n_bins).all()
    assert len(lobes.values) == lobes.length.sum()
    assert (lobes.values >= 0).all()
    sums = reference.lobe_spectra(lobes, grid.n_bins).sum(axis=-1)
    np.testing.assert_allclose(sums, heard, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(pitch=st.floats(0, 127), n_fft=st.sampled_from([64, 1024, 16384]))
def test_a_partial_is_there_at_every_detuning_or_at_none(pitch, n_fft):
    lobes = note_lobes([pitch], Grid(22050, 22050, n_fft, n_fft // 4))
    heard = lobes.length[0] > 0
    assert (heard == heard[0]).all()


def test_partials_lie_at_multiples_of_the_fundamental():
    found = middles(note_lobes([57], GRID))[0, len(detunings()) // 2]
    m = np.arange(1, len(found) + 1)
    np.testing.assert_allclose(found, m * hertz(57) * N_FFT / SR, atol=0.02)


def test_partials_beyond_half_the_sample_rate_are_left_out():
    found = middles(note_lobes([100, 127], Grid(22050, 22050, N_FFT, 1024)))
    audible = np.isfinite(found).any(axis=1)
    assert audible[0].sum() == int(11025 / (hertz(100) * 2 ** (0.6 / 12)))
    assert not audible[1].any()  # 12.5 kHz


def test_stretched_partials_follow_fletchers_formula():
    B = np.array([0.0, 4e-4, 2e-3])
    lobes = note_lobes([50, 50, 62], GRID, inharmonicity=B)
    found = middles(lobes)[:, len(detunings()) // 2]
    m = np.arange(1, found.shape[1] + 1)
    f1 = hertz(np.array([50, 50, 62]))[:, None]
    expected = m * f1 * np.sqrt((1 + B[:, None] * m**2) / (1 + B[:, None]))
    heard = np.isfinite(found)
    np.testing.assert_allclose(found[heard], (expected * N_FFT / SR)[heard], atol=0.05)
    np.testing.assert_allclose(found[:, 0], f1[:, 0] * N_FFT / SR, atol=0.02)


def test_tuning_moves_every_partial():
    tuned = middles(note_lobes([60, 72.5], GRID, tuning=30))
    moved = middles(note_lobes([60.3, 72.8], GRID))
    np.testing.assert_allclose(tuned, moved, atol=1e-6)


def test_pianos_strings_are_stiffest_in_the_treble_and_stiff_in_the_deep_bass():
    B = piano_inharmonicity([21, 45, 60, 69, 84, 108])
    assert B.argmin() == 1
    assert (np.diff(B[1:]) > 0).all()
    assert 2e-4 < B[2] < 6e-4  # of a grand's middle C
    assert 5e-3 < B[-1] < 5e-2
