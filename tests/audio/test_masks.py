"""Masks: against librosa and plain NumPy; their sources add up."""

from dataclasses import replace

import librosa
import numpy as np
import pytest
import reference

import specnmf
from specnmf import Audio, Factorization, ParameterError
from specnmf.audio import masks
from specnmf.audio.models import FactorModels


def decomposed(rng, n_channels=2, n_samples=50_000, n_components=3, **options):
    audio = Audio(0.1 * rng.standard_normal((n_channels, n_samples)), 44100)
    spectrogram = specnmf.stft(audio, **options)
    V = spectrogram.magnitude()
    return audio, spectrogram, specnmf.nmf(V, n_components, max_iter=5)


def summed(sources):
    return sum(source.samples for source in sources.values())


@pytest.mark.parametrize("power", [1, 2, 0.7])
def test_sources_are_masked_and_inverted_as_by_librosa(rng, power):
    audio, spectrogram, result = decomposed(rng)
    models = [np.outer(w, h) for w, h in zip(result.W.T, result.H, strict=True)]
    sources = specnmf.separate(spectrogram, result, power=power)
    for mask, source in zip(
        reference.ratio_masks(models, power), sources.values(), strict=True
    ):
        expected = librosa.istft(spectrogram.X * mask, length=audio.n_samples)
        np.testing.assert_allclose(source.samples, expected, atol=1e-6)


@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_activations_of_all_sizes_leave_no_frame_too_loud(rng, n_channels):
    """Also where a component hardly sounds in one frame, and alone in the next."""
    audio = Audio(0.1 * rng.standard_normal((n_channels, 20_000)), 44100)
    spectrogram = specnmf.stft(audio, n_fft=512)
    n_bins, n_frames = spectrogram.magnitude().shape
    W = rng.random((n_bins, 3)).astype(np.float32)
    H = (10.0 ** rng.uniform(-25, 0, (3, n_frames))).astype(np.float32)
    sources = specnmf.separate(spectrogram, Factorization(W, H))
    models = [np.outer(w, h).astype(float) for w, h in zip(W.T, H, strict=True)]
    for mask, source in zip(
        reference.ratio_masks(models, 1), sources.values(), strict=True
    ):
        expected = librosa.istft(spectrogram.X * mask, length=20_000, n_fft=512)
        np.testing.assert_allclose(source.samples, expected, atol=1e-6)


@pytest.mark.parametrize("power", [8, 100, 1e308])
@pytest.mark.parametrize("scale", [1e-9, 1, 1e12])
def test_powers_beyond_what_floats_hold_are_those_of_ratios(rng, power, scale):
    audio = Audio(scale * 0.1 * rng.standard_normal((2, 8000)), 8000)
    spectrogram = specnmf.stft(audio, n_fft=512)
    result = specnmf.nmf(spectrogram.magnitude(), 2, max_iter=3)
    sources = specnmf.separate(spectrogram, result, power=power)
    first, second = (
        np.outer(w, h).astype(float) for w, h in zip(result.W.T, result.H, strict=True)
    )
    with np.errstate(over="ignore", divide="ignore"):
        mask = 1 / (1 + (second / first) ** power)
    expected = librosa.istft(spectrogram.X * mask, length=8000, n_fft=512)
    found = sources["component_01"].samples
    assert np.abs(found - expected).max() < 2e-4 * scale
    np.testing.assert_allclose(summed(sources), audio.samples, atol=1e-6 * scale)


def test_binary_masks_give_each_point_to_the_strongest(rng):
    audio, spectrogram, result = decomposed(rng)
    models = np.array(
        [np.outer(w, h) for w, h in zip(result.W.T, result.H, strict=True)]
    )
    sources = specnmf.separate(spectrogram, result, mask="binary")
    first = librosa.istft(
        spectrogram.X * (models.argmax(axis=0) == 0), length=audio.n_samples
    )
    np.testing.assert_allclose(sources["component_01"].samples, first, atol=1e-6)


@pytest.mark.parametrize("mask", ["ratio", "binary"])
@pytest.mark.parametrize(
    ("n_fft", "hop_length"), [(2048, 512), (1024, 300), (512, 256), (4096, 64)]
)
@pytest.mark.parametrize("n_samples", [1, 700, 50_000])
def test_sources_add_up(rng, mask, n_fft, hop_length, n_samples):
    audio, spectrogram, result = decomposed(
        rng, n_samples=n_samples, n_fft=n_fft, hop_length=hop_length
    )
    sources = specnmf.separate(spectrogram, result, mask=mask)
    error = summed(sources) - audio.samples
    assert np.sqrt(np.mean(error**2)) <= 1e-6 * np.sqrt(np.mean(audio.samples**2))


def test_components_of_one_label_make_one_source(rng):
    audio, spectrogram, result = decomposed(rng)
    named = Factorization(result.W, result.H, labels=("left", "right", "left"))
    sources = specnmf.separate(spectrogram, named)
    apart = specnmf.separate(spectrogram, result)
    assert list(sources) == ["left", "right"]
    np.testing.assert_allclose(
        sources["left"].samples,
        apart["component_01"].samples + apart["component_03"].samples,
        atol=1e-6,
    )
    assert sources["left"].sr == audio.sr


def test_where_no_component_sounds_the_mixture_is_shared_equally(rng):
    audio, spectrogram, result = decomposed(rng, n_components=2)
    silent = Factorization(result.W, np.zeros_like(result.H))
    for source in specnmf.separate(spectrogram, silent).values():
        np.testing.assert_allclose(source.samples, audio.samples / 2, atol=1e-6)


def test_results_do_not_depend_on_the_threads(rng):
    _, spectrogram, result = decomposed(rng)
    one, two = (specnmf.separate(spectrogram, result, threads=n) for n in (1, 2))
    for name in one:
        assert one[name].samples.tobytes() == two[name].samples.tobytes()


def test_any_memory_order_will_do(rng):
    _, spectrogram, result = decomposed(rng)
    other = replace(spectrogram, X=np.ascontiguousarray(spectrogram.X))
    assert other.X.strides != spectrogram.X.strides
    found, expected = (specnmf.separate(s, result) for s in (other, spectrogram))
    for name in expected:
        assert found[name].samples.tobytes() == expected[name].samples.tobytes()


def test_blocks_do_not_show(rng, monkeypatch):
    _, spectrogram, result = decomposed(rng)
    whole = specnmf.separate(spectrogram, result)
    monkeypatch.setattr(masks, "BLOCK_BYTES", 1)
    for name, source in specnmf.separate(spectrogram, result).items():
        np.testing.assert_allclose(source.samples, whole[name].samples, atol=1e-7)


def test_a_blocks_memory_does_not_grow_with_the_sources():
    grid = masks.Grid(44100, 8_000_000, 2048, 512)
    for n_sources in (1, 8, 64):
        frames = masks.PIECES * masks.piece_length(grid, n_sources, 2)
        floats = n_sources * frames * (grid.n_bins + 3 * 2 * grid.hop_length)
        assert 4 * floats <= masks.BLOCK_BYTES


def test_wrong_options_and_shapes_are_refused(rng):
    _, spectrogram, result = decomposed(rng)
    with pytest.raises(ParameterError, match="mask must be one of ratio, binary"):
        specnmf.separate(spectrogram, result, mask="soft")
    with pytest.raises(ParameterError, match="power must be above 0, got 0"):
        specnmf.separate(spectrogram, result, power=0)
    shorter = Factorization(result.W, result.H[:, 1:])
    with pytest.raises(ParameterError, match="has 1025 bins and 98 frames"):
        specnmf.separate(spectrogram, shorter)


class FixedModels:
    """Models that are what they are, (n_sources, n_channels, n_frames, n_bins)."""

    def __init__(self, models, silent=()):
        self.models, self.silent = np.asarray(models, np.float32), silent
        self.names = tuple(f"source {i}" for i in range(len(models)))

    def magnitudes(self, frames):
        return [
            None if i in self.silent else model[:, frames].copy()
            for i, model in enumerate(self.models)
        ]

    def total(self, frames, models):
        return np.sum(models, axis=0)


def streamed(audio, grid, models, **options):
    """All that a stream yields, (n_sources, n_channels, n_samples)."""
    stream = masks.stream_sources(
        masks.spectra_of(audio, grid),
        grid,
        models,
        n_channels=audio.n_channels,
        **options,
    )
    return joined(stream)


def joined(stream):
    pieces = [(first, block.copy()) for first, block in stream]
    lengths = [block.shape[2] for _, block in pieces]
    assert [first for first, _ in pieces] == [0, *np.cumsum(lengths)[:-1]]
    return np.concatenate([block for _, block in pieces], axis=2)


@pytest.fixture
def stereo(rng):
    """Noise in two channels, its grid, and models of three sources in each channel."""
    audio = Audio(0.1 * rng.standard_normal((2, 20_000)), 44100)
    grid = masks.Grid.of(audio, 1024)
    return audio, grid, rng.random((3, 2, grid.n_frames, grid.n_bins)) + 0.01


@pytest.mark.parametrize("power", [1, 2])
def test_each_channel_may_have_models_of_its_own(stereo, power):
    audio, grid, models = stereo
    found = streamed(audio, grid, FixedModels(models), power=power)
    for channel in range(2):
        alone = Audio(audio.samples[channel], audio.sr)
        own = FixedModels(models[:, channel : channel + 1])
        expected = streamed(alone, grid, own, power=power)
        np.testing.assert_allclose(found[:, channel], expected[:, 0], atol=1e-7)
    assert not np.allclose(models[:, 0], models[:, 1])


def test_binary_masks_give_each_channels_points_to_its_strongest(stereo):
    audio, grid, models = stereo
    found = streamed(audio, grid, FixedModels(models), mask="binary")
    X = specnmf.stft(audio, n_fft=grid.n_fft).X
    for source in range(3):
        won = models.argmax(axis=0).transpose(0, 2, 1) == source
        expected = librosa.istft(X * won, n_fft=grid.n_fft, length=audio.n_samples)
        np.testing.assert_allclose(found[source], expected, atol=1e-6)


@pytest.mark.parametrize("mask", ["ratio", "binary"])
@pytest.mark.parametrize("power", [1, 2])
def test_a_silent_source_is_silent_and_the_others_share_the_rest(stereo, mask, power):
    audio, grid, models = stereo
    options = {"mask": mask, "power": power}
    found = streamed(audio, grid, FixedModels(models, silent=(1,)), **options)
    expected = streamed(audio, grid, FixedModels(models[[0, 2]]), **options)
    assert not found[1].any()
    np.testing.assert_allclose(found[[0, 2]], expected, atol=1e-7)
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=1e-6)


@pytest.mark.parametrize(
    ("mask", "shares"), [("ratio", [1 / 3, 1 / 3, 1 / 3]), ("binary", [1, 0, 0])]
)
def test_where_all_sources_are_silent_they_still_add_up(stereo, mask, shares):
    audio, grid, models = stereo
    silent = FixedModels(models, silent=(0, 1, 2))
    found = streamed(audio, grid, silent, mask=mask)
    for source, share in zip(found, shares, strict=True):
        np.testing.assert_allclose(source, share * audio.samples, atol=1e-6)


def test_models_of_a_factorisation_are_its_products(rng):
    W, H = rng.random((33, 4)), rng.random((4, 50))
    factors = Factorization(W, H, labels=("a", "b", "a", "c"))
    models, frames = FactorModels(factors), slice(7, 20)
    assert models.names == ("a", "b", "c")
    found = models.magnitudes(frames)
    for model, own in zip(found, ([0, 2], [1], [3]), strict=True):
        expected = (W[:, own] @ H[own, frames]).T
        np.testing.assert_allclose(model, expected[None], rtol=1e-5)
    total = models.total(frames, found)
    np.testing.assert_allclose(total, sum(found), rtol=1e-5)
