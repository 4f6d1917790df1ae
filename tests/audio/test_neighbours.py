"""The Wiener filter over neighbouring bins: against plain NumPy; what it is for."""

import numpy as np
import pytest

from specnmf import Audio
from specnmf.audio import masks, neighbour_kernels, neighbours
from specnmf.audio.resynthesis import gather
from specnmf.audio.stft import Grid

SR, N_FFT = 8000, 512


class Tones:
    """Models of sources, each one steady tone: (frequency in bins, amplitude) each."""

    def __init__(self, tones, grid, silent=()):
        self.tones, self.grid, self.silent = tones, grid, silent
        self.names = tuple(f"source {i}" for i in range(len(tones)))

    def magnitudes(self, frames):
        shape = 1, frames.stop - frames.start, self.grid.n_bins
        out = []
        for i, (bin_, amplitude) in enumerate(self.tones):
            lobe = neighbours.main_lobe(np.arange(self.grid.n_bins) - bin_)
            level = amplitude * self.grid.n_fft / 4
            model = np.full(shape, level * lobe + 1e-3 * level, np.float32)
            out.append(None if i in self.silent else model)
        return out

    def densities(self, frames, n_bins):
        n_frames = frames.stop - frames.start
        shape = len(self.tones), 1, n_frames, neighbours.FINE, n_bins
        out = np.full(shape, 1e-6, np.float32)
        for i, (bin_, _) in enumerate(self.tones):
            point = round(bin_ * neighbours.FINE)
            out[i, 0, :, point % neighbours.FINE, point // neighbours.FINE] = 1
        out[list(self.silent)] = 0
        return out

    def total(self, frames, models):
        return np.sum(models, axis=0)


class Coarse(Tones):
    """The same without densities."""

    densities = None


TONES = [(40.25, 0.3), (41.5, 0.1), (90.0, 0.2)]


def mixture(tones=TONES, n_samples=8000, n_channels=1):
    """Steady tones, (n_tones, n_channels, n_samples), their sum, and its grid."""
    t = 2 * np.pi * np.arange(n_samples) / N_FFT
    waves = [a * np.cos(f * t + 2 * f) for f, a in tones]
    sources = np.repeat(np.array(waves, np.float32)[:, None], n_channels, axis=1)
    return sources, Audio(sources.sum(axis=0), SR), Grid(SR, n_samples, N_FFT, 128)


def filtered(audio, grid, models, *, stream=neighbours.stream_sources, **options):
    sounds = masks.spectra_of(audio, grid)
    options = {"power": 2.0, "n_channels": audio.n_channels, **options}
    sources = gather(
        stream(sounds, grid, models, **options), models.names, audio.n_channels, grid
    )
    return np.stack([source.samples for source in sources.values()])


def snr(sources, found):
    errors = ((found - sources) ** 2).sum(axis=(1, 2))
    return 10 * np.log10((sources**2).sum(axis=(1, 2)) / errors)


def dense(matrix):
    """Covariances (OFFSETS, n_bins) as a matrix."""
    n_bins = matrix.shape[1]
    out = np.zeros((n_bins, n_bins))
    for j, row in enumerate(matrix):
        k = np.arange(n_bins - j)
        out[k, k + j] = out[k + j, k] = row[: n_bins - j]
    return out


def covariances(density, variances, correlated):
    out = np.empty((neighbour_kernels.OFFSETS, len(variances)), np.float32)
    neighbour_kernels.covariances(
        density, neighbours.taps(), variances, np.float32(correlated), out
    )
    return out


@pytest.mark.kernels
def test_covariances_are_those_of_lobes_at_each_point(rng):
    n_bins, fine = 20, neighbours.FINE
    density = rng.random((fine, n_bins)).astype(np.float32) ** 4
    points = density.T.ravel()
    frequencies = np.arange(len(points)) / fine
    lobes = neighbours.main_lobe(np.arange(n_bins)[:, None] - frequencies)
    expected = (lobes * points) @ lobes.T
    variances = np.diag(expected).astype(np.float32)
    found = dense(covariances(density, variances, 1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    weaker = dense(covariances(density, 4 * variances, 0.5))
    weighted = 2 * expected + 2 * np.diag(variances)
    np.testing.assert_allclose(weaker, weighted, rtol=1e-4, atol=1e-5)


@pytest.mark.kernels
def test_the_bins_are_solved_for_together(rng):
    n_bins = 30
    density = rng.random((neighbours.FINE, n_bins)).astype(np.float32)
    variances = rng.random(n_bins).astype(np.float32) + 0.5
    total = covariances(density, variances, 0.9)
    x = rng.standard_normal((n_bins, 2)).astype(np.float32)
    z, rest = np.empty_like(x), np.empty_like(x)
    factors = np.empty_like(total)
    neighbour_kernels.solve(x, total, np.float32(0.3), factors, z, rest)
    signs = np.where(np.arange(n_bins) % 2, -1, 1)[:, None]
    noise = 0.3 * np.maximum(0, (x**2).sum(axis=1) - variances)
    expected = np.linalg.solve(dense(total) + np.diag(noise), signs * x)
    np.testing.assert_allclose(z, expected, rtol=1e-3, atol=1e-4)
    heard = signs * (dense(total) @ expected)
    np.testing.assert_allclose(rest, x - heard, rtol=1e-3, atol=1e-4)


def test_a_lobe_is_that_of_a_hann_window():
    grid = Grid(SR, N_FFT, N_FFT, 128)
    tone = np.exp(2j * np.pi * 40.3 * np.arange(N_FFT) / N_FFT)
    X = np.abs(np.fft.fft(grid.window * tone))[38:43]
    lobe = neighbours.main_lobe(np.arange(38, 43) - 40.3) * N_FFT / 2
    assert np.abs(X[[1, 2, 3, 4]] - lobe[[1, 2, 3, 4]]).max() < 1e-3 * X.max()


def test_partials_that_share_bins_are_told_apart():
    sources, audio, grid = mixture()
    models = Tones(TONES, grid)
    inner = np.s_[:, :, N_FFT:-N_FFT]
    found = filtered(audio, grid, models)
    masked = filtered(audio, grid, models, stream=masks.stream_sources)
    gain = snr(sources[inner], found[inner]) - snr(sources[inner], masked[inner])
    assert (gain[:2] > 6).all()
    assert gain[2] > -1


@pytest.mark.parametrize("n_channels", [1, 2])
def test_sources_add_up_to_the_mixture(n_channels, rng):
    _, audio, grid = mixture(n_channels=n_channels)
    noisy = audio.samples + 0.1 * rng.standard_normal(audio.samples.shape)
    audio = Audio(noisy.astype(np.float32), SR)
    found = filtered(audio, grid, Tones(TONES, grid))
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=2e-6)


def test_without_correlations_it_is_the_ratio_mask(monkeypatch):
    _, audio, grid = mixture()
    models = Tones(TONES, grid)
    monkeypatch.setattr(neighbours, "CORRELATED", 0.0)
    found = filtered(audio, grid, models)
    masked = filtered(audio, grid, models, stream=masks.stream_sources)
    np.testing.assert_allclose(found, masked, atol=1e-5)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_coarse_models_are_masked(power):
    _, audio, grid = mixture()
    models = Coarse(TONES, grid)
    found = filtered(audio, grid, models, power=power)
    masked = filtered(audio, grid, models, power=power, stream=masks.stream_sources)
    np.testing.assert_array_equal(found, masked)


def test_other_powers_are_masked():
    _, audio, grid = mixture()
    models = Tones(TONES, grid)
    found = filtered(audio, grid, models, power=1.5)
    masked = filtered(audio, grid, models, power=1.5, stream=masks.stream_sources)
    np.testing.assert_array_equal(found, masked)


def test_a_silent_source_stays_silent():
    _, audio, grid = mixture()
    found = filtered(audio, grid, Tones(TONES, grid, silent=(1,)))
    assert not found[1].any()
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=2e-6)


def test_where_all_are_silent_they_share_alike():
    _, audio, grid = mixture()
    found = filtered(audio, grid, Tones(TONES, grid, silent=(0, 1, 2)))
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=2e-6)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_silence_stays_silent():
    _, _, grid = mixture()
    silence = Audio(np.zeros((1, 8000), np.float32), SR)
    assert not filtered(silence, grid, Tones(TONES, grid)).any()


def test_threads_change_no_bit():
    _, audio, grid = mixture()
    one, two = (
        filtered(audio, grid, Tones(TONES, grid), threads=threads) for threads in (1, 2)
    )
    np.testing.assert_array_equal(one, two)
