"""The multichannel Wiener filter: against plain NumPy; sources add up; its gate."""

import numpy as np
import pytest

from specnmf import Audio
from specnmf.audio import masks, wiener, wiener_kernels
from specnmf.audio.resynthesis import gather
from specnmf.audio.stft import Grid, spectra

SR = 8000


class FixedModels:
    """Given magnitudes, (n_sources, n_channels, n_frames, n_bins)."""

    def __init__(self, models, silent=()):
        self.models, self.silent = models.astype(np.float32), silent
        self.names = tuple(f"source {i}" for i in range(len(models)))

    def magnitudes(self, frames):
        return [
            None if i in self.silent else model[:, frames].copy()
            for i, model in enumerate(self.models)
        ]

    def total(self, frames, models):
        return np.sum(models, axis=0)


def placed(rng, directions, n_samples=24_000, noise=0.0, flat=1.0):
    """Noises from directions, (n_sources, 2); their sum, grid, and models of them.

    Each is loud in bursts. The models, equal in both channels but for their levels, are
    those of the true sources, made ``flat``: a fit finds no more.
    """
    grid = Grid(SR, n_samples, 512, 128)
    bursts = np.repeat(rng.random((len(directions), n_samples // 2000)) ** 2, 2000, 1)
    mono = 0.1 * bursts * rng.standard_normal((len(directions), n_samples))
    sources = (np.asarray(directions)[:, :, None] * mono[:, None]).astype(np.float32)
    sound = sources.sum(axis=0) + noise * rng.standard_normal((2, n_samples))
    frames = slice(0, grid.n_frames)
    models = np.array([np.abs(spectra(y, grid, frames)) for y in sources])
    models = 0.3 * models + flat * models.mean(axis=(2, 3), keepdims=True)
    return Audio(sound.astype(np.float32), SR), grid, models, sources


APART = [(1.3, 0.5), (1.0, 1.0), (0.4, 1.35)]
TOGETHER = [(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)]


def filtered(audio, grid, models, wiener_="auto", power=2.0, threads=1):
    stream = wiener.stream_sources(
        masks.spectra_of(audio, grid),
        grid,
        models,
        power=power,
        wiener=wiener_,
        threads=threads,
    )
    sources = gather(stream, models.names, 2, grid)
    return np.stack([source.samples for source in sources.values()])


def masked(audio, grid, models, power=2.0):
    stream = masks.stream_sources(
        masks.spectra_of(audio, grid), grid, models, n_channels=2, power=power
    )
    sources = gather(stream, models.names, 2, grid)
    return np.stack([source.samples for source in sources.values()])


def snr(sources, found):
    errors = ((found - sources) ** 2).sum(axis=(1, 2))
    return 10 * np.log10((sources**2).sum(axis=(1, 2)) / errors)


def matrices(R):
    """Covariances as matrices, (n_sources, n_bins, 2, 2)."""
    a, d, upper = R[:, 0], R[:, 1], R[:, 2] + 1j * R[:, 3]
    rows = [[a, upper], [upper.conj(), d]]
    return np.moveaxis(np.array(rows, complex), (0, 1), (2, 3))


def random_covariances(rng, n_sources, n_bins):
    A = rng.standard_normal((n_sources, n_bins, 2, 4)).view(complex)
    R = A @ A.conj().swapaxes(2, 3)
    R /= np.trace(R, axis1=2, axis2=3)[..., None, None].real
    four = R[..., 0, 0].real, R[..., 1, 1].real, R[..., 0, 1].real, R[..., 0, 1].imag
    return np.stack(four, axis=1).astype(np.float32)


def random_point(rng, n_sources=3, n_frames=4, n_bins=7):
    """A mixture, shares and covariances."""
    X = rng.standard_normal((2, n_frames, n_bins, 2)).astype(np.float32)
    shares = rng.random((n_sources, n_frames, n_bins)).astype(np.float32)
    return X, shares / shares.sum(axis=0), random_covariances(rng, n_sources, n_bins)


def estimates(X, shares, R):
    """Each source by the textbook's filter, and the inverse of the covariance."""
    own = np.einsum("ktf,kfij->ktfij", shares, matrices(R))
    inverse = np.linalg.inv(own.sum(axis=0))
    x = np.moveaxis(X[..., 0] + 1j * X[..., 1], 0, 2)
    return np.einsum("ktfij,tfjl,tfl->ktfi", own, inverse, x), own, inverse


@pytest.mark.kernels
@pytest.mark.parametrize("power", [2, 1.5])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_shares_are_those_of_both_channels_powers(rng, power, n_channels):
    models = rng.random((3, n_channels, 4, 7)).astype(np.float32)
    models[:, :, 1, 2:5] = 0
    shares = np.empty((3, 4, 7), np.float32)
    total = np.zeros((4, 7), np.float32)
    for model, share in zip(models, shares, strict=True):
        wiener_kernels.add_powers(model, np.float32(power), share, total)
    wiener_kernels.divide(shares, total, np.float32(1e-30))
    powers = (models.astype(float) ** power).sum(axis=1)
    with np.errstate(invalid="ignore"):
        expected = powers / powers.sum(axis=0)
    expected[:, 1, 2:5] = 1 / 3
    np.testing.assert_allclose(shares, expected, rtol=1e-5)


def test_what_rounds_keep_changes_no_bit(rng, monkeypatch):
    audio, grid, models, _ = placed(rng, APART)
    found = filtered(audio, grid, FixedModels(models))
    monkeypatch.setattr(wiener, "KEPT_BYTES", 0)
    again = filtered(audio, grid, FixedModels(models))
    assert found.tobytes() == again.tobytes()


@pytest.mark.kernels
def test_a_source_is_its_covariance_times_the_whitened_mixture(rng):
    X, shares, R = random_point(rng)
    white, rest, out = (np.empty_like(X) for _ in range(3))
    wiener_kernels.whiten(X, shares, R, white, rest)
    expected, _, _ = estimates(X, shares, R)
    for k in range(3):
        wiener_kernels.estimate(white, rest, shares[k], R[k], out)
        found = np.moveaxis(out[..., 0] + 1j * out[..., 1], 0, 2)
        np.testing.assert_allclose(found, expected[k], atol=2e-4)


@pytest.mark.kernels
@pytest.mark.parametrize("posterior", [0, 1])
def test_covariances_are_those_of_expectation_maximisation(rng, posterior):
    X, shares, R = random_point(rng)
    out = np.zeros_like(R)
    wiener_kernels.gather_covariances(X, shares, R, np.float32(posterior), out)
    y, own, inverse = estimates(X, shares, R)
    power = (X**2).sum(axis=(0, 3))[None, :, :, None, None]
    C = np.einsum("ktfi,ktfj->ktfij", y, y.conj())
    C += posterior * power * (own - own @ inverse @ own)
    np.testing.assert_allclose(matrices(out), C.sum(axis=1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("power", [1.0, 2.0, 8.0])
def test_the_sources_add_up_to_the_recording(rng, power):
    audio, grid, models, _ = placed(rng, APART)
    found = filtered(audio, grid, FixedModels(models), "always", power)
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=1e-6)


def test_sources_placed_apart_are_separated_better_than_by_masks(rng):
    audio, grid, models, sources = placed(rng, APART)
    before = snr(sources, masked(audio, grid, FixedModels(models)))
    after = snr(sources, filtered(audio, grid, FixedModels(models)))
    assert (after > before).all()
    assert after.mean() > before.mean() + 3


def test_a_panned_source_has_the_covariance_of_its_direction(rng):
    audio, grid, models, _ = placed(rng, APART, flat=0.0)
    found = wiener.learn_covariances(
        masks.spectra_of(audio, grid), grid, FixedModels(models), power=2.0
    )
    expected = np.array([np.outer(each, each) for each in APART])
    expected /= np.trace(expected, axis1=1, axis2=2)[:, None, None]
    for own, true in zip(matrices(found.R), expected, strict=True):
        np.testing.assert_allclose(own.mean(axis=0), true, atol=0.08)


@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_sources_at_one_place_are_masked_as_before_to_the_bit(rng, noise):
    audio, grid, models, _ = placed(rng, TOGETHER, noise=noise)
    models = FixedModels(models)
    np.testing.assert_array_equal(
        filtered(audio, grid, models), masked(audio, grid, models)
    )


def test_models_of_one_channel_are_filtered_only_on_request(rng):
    audio, grid, models, _ = placed(rng, APART)
    models = FixedModels(models.mean(axis=1, keepdims=True))
    before = masked(audio, grid, models)
    np.testing.assert_array_equal(filtered(audio, grid, models), before)
    found = filtered(audio, grid, models, "always")
    assert np.abs(found - before).max() > 1e-3
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=1e-6)


def test_never_leaves_the_masks_as_they_are(rng):
    audio, grid, models, _ = placed(rng, APART)
    models = FixedModels(models)
    np.testing.assert_array_equal(
        filtered(audio, grid, models, "never"), masked(audio, grid, models)
    )


def test_a_single_source_is_the_recording(rng):
    audio, grid, models, _ = placed(rng, APART[:1])
    found = filtered(audio, grid, FixedModels(models), "always")
    np.testing.assert_allclose(found[0], audio.samples, atol=1e-6)


def test_many_sources_are_filtered_only_on_request(rng, monkeypatch):
    monkeypatch.setattr(wiener, "MOST_SOURCES", 2)
    audio, grid, models, _ = placed(rng, APART)
    models = FixedModels(models)
    before = masked(audio, grid, models)
    np.testing.assert_array_equal(filtered(audio, grid, models), before)
    assert np.abs(filtered(audio, grid, models, "always") - before).max() > 1e-3


def test_threads_change_no_bit(rng, monkeypatch):
    monkeypatch.setattr(masks, "BLOCK_BYTES", 1 << 20)
    audio, grid, models, _ = placed(rng, APART)
    models = FixedModels(models)
    one, three = (filtered(audio, grid, models, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_some_frames_of_a_long_recording_are_enough(rng, monkeypatch):
    monkeypatch.setattr(masks, "BLOCK_BYTES", 1 << 18)
    audio, grid, models, sources = placed(rng, APART)
    whole = snr(sources, filtered(audio, grid, FixedModels(models)))
    monkeypatch.setattr(wiener, "MOST_FRAMES", grid.n_frames // 3)
    part = snr(sources, filtered(audio, grid, FixedModels(models)))
    assert not np.array_equal(part, whole)
    assert part.mean() > whole.mean() - 1


def test_a_silent_source_is_silent_and_the_others_add_up(rng):
    audio, grid, models, _ = placed(rng, APART)
    found = filtered(audio, grid, FixedModels(models, silent=(1,)), "always")
    assert not found[1].any()
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=1e-6)


@pytest.mark.parametrize("wiener_", ["auto", "always"])
def test_where_all_sources_are_silent_they_still_add_up(rng, wiener_):
    audio, grid, models, _ = placed(rng, APART)
    silent = FixedModels(models, silent=(0, 1, 2))
    found = filtered(audio, grid, silent, wiener_)
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=1e-6)


@pytest.mark.parametrize("level", [0.0, 1e-12, 1e6])
def test_silence_and_any_level_leave_finite_sources(rng, level):
    audio, grid, models, _ = placed(rng, APART)
    scaled = Audio(np.float32(level) * audio.samples, SR)
    found = filtered(scaled, grid, FixedModels(level * models), "always")
    assert np.isfinite(found).all()
    tolerance = 1e-6 * max(level, 1e-12)
    np.testing.assert_allclose(found.sum(axis=0), scaled.samples, atol=tolerance)
