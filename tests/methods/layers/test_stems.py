"""The masks' models of a layer."""

import numpy as np
import pytest

import specnmf
from specnmf.audio import stft
from specnmf.audio.models import FactorModels
from specnmf.audio.stft import Grid
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.factor.layers.model import Layers
from specnmf.methods.layers.stems import LayerModels, layer_stems, spell_notes
from specnmf.tasks.layers import LayerSettings

SR = 8000


@pytest.fixture
def layers(rng):
    shapes = [(65, 6), (6, 4), (4, 2)]
    A = [rng.random(shape).astype(np.float32) ** 3 for shape in shapes]
    S = [rng.random((shape[1], 30)).astype(np.float32) for shape in shapes]
    return Layers(A, S)


def test_first_layer_is_that_of_a_factorization(layers):
    own = LayerModels(layers, 0)
    same = FactorModels(Factorization(layers.A[0], layers.S[0]))
    assert own.names == same.names
    for one, other in zip(
        own.magnitudes(slice(3, 9)), same.magnitudes(slice(3, 9)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_models_of_each_layer_add_up_to_the_first_ones(layers, layer):
    models = LayerModels(layers, layer)
    frames = slice(10, 25)
    magnitudes = models.magnitudes(frames)
    assert len(magnitudes) == len(models.names) == layers.ranks[layer]
    assert all(m.shape == (1, 15, 65) and m.dtype == np.float32 for m in magnitudes)
    expected = (layers.A[0] @ layers.S[0][:, frames]).T
    np.testing.assert_allclose(sum(magnitudes)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(models.total(frames, magnitudes)[0], expected, rtol=1e-5)


def test_a_chord_of_its_own_notes_is_their_sum_and_fades_as_they_do(rng):
    W = rng.random((65, 4)).astype(np.float32)
    H = np.exp(-np.arange(20) / np.array([[2.0], [8], [4], [16]])).astype(np.float32)
    chords = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    flat = np.ones((2, 20), np.float32)
    models = LayerModels(Layers([W, chords], [H, flat]), 1)
    for chord, found in enumerate(models.magnitudes(slice(0, 20))):
        own = slice(2 * chord, 2 * chord + 2)
        np.testing.assert_allclose(found[0], (W[:, own] @ H[own]).T, rtol=1e-5)


@pytest.mark.parametrize(
    ("shares", "spelled"),
    [
        ({"unpitched": 0.4, "F3": 0.3, "B2": 0.2, "D3": 0.1}, "B2 D3 F3 + unpitched"),
        ({"A4": 0.5, "A#3": 0.3, "A-1": 0.2}, "A-1 A#3 A4"),
        ({"unpitched": 1.0}, "unpitched"),
        ({"unpitched": 0.97, "C4": 0.03}, "unpitched"),
        ({"C4": 0.97, "unpitched": 0.03}, "C4"),
        ({"G3": 0.4, "C4": 0.3, "E4": 0.2, "D4": 0.1}, "G3 C4 E4"),
        ({"G3": 0.03}, "G3"),
        ({}, "silent"),
    ],
)
def test_notes_are_spelled_from_the_lowest_up_and_the_rest_after_them(shares, spelled):
    assert spell_notes(shares, most=3, least=0.05) == spelled


def test_stems_of_each_layer_add_up_to_the_recording(layers, rng):
    audio = specnmf.Audio(rng.standard_normal((2, 928)).astype(np.float32) / 9, SR)
    grid = Grid.of(audio, 128, 32)
    spectrogram = stft.stft(audio, n_fft=128, hop_length=32)
    assert grid.n_frames == spectrogram.X.shape[2] == 30
    for layer in range(3):
        stems = layer_stems(audio, grid, layers, layer, np.full(6, np.nan))
        assert len(stems.names) == layers.ranks[layer]
        assert (stems.factors.W == layers.A[0]).all()
        stream = stems.stream(LayerSettings(mask_power=2.0))
        total = [block.sum(axis=0) for _, block in stream]
        np.testing.assert_allclose(np.hstack(total), audio.samples, atol=1e-5)


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there_is_refused(layers, layer):
    with pytest.raises(ParameterError, match=f"from 0 to 2, got {layer}"):
        LayerModels(layers, layer)
