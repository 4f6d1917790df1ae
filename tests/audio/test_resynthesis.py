"""Streams of sources: mixed, and in pieces of any length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specnmf import Audio, AudioError, Factorization
from specnmf.audio import masks
from specnmf.audio.models import FactorModels
from specnmf.audio.resynthesis import Buffer, crossfade
from specnmf.audio.stft import Grid


def joined(stream):
    pieces = [(first, block.copy()) for first, block in stream]
    lengths = [block.shape[2] for _, block in pieces]
    assert [first for first, _ in pieces] == [0, *np.cumsum(lengths)[:-1]]
    return np.concatenate([block for _, block in pieces], axis=2)


def blocks_of(y, lengths):
    """A stream of blocks of given lengths."""
    first = 0
    for n in lengths:
        yield first, y[:, :, first : first + n]
        first += n


@settings(max_examples=50, deadline=None)
@given(
    cuts=st.tuples(*[st.lists(st.integers(0, 100), max_size=6)] * 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_streams_are_crossfaded_whatever_their_blocks(cuts, seed):
    rng = np.random.default_rng(seed)
    one, other = rng.standard_normal((2, 3, 2, 100)).astype(np.float32)
    weights = rng.random(100).astype(np.float32)
    edges = [np.diff([0, *sorted(cut), 100]) for cut in cuts]
    found = joined(
        crossfade(
            blocks_of(one, edges[0]),
            blocks_of(other, edges[1]),
            lambda first, n: weights[first : first + n],
        )
    )
    expected = (1 - weights) * one + weights * other
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("hops", [(256, 256), (300, 37)])
def test_a_crossfade_of_two_analyses_adds_up(rng, hops):
    audio = Audio(0.1 * rng.standard_normal((2, 20_000)), 44100)
    streams = []
    for n_fft, hop in zip((2048, 512), hops, strict=True):
        grid = Grid.of(audio, n_fft, hop)
        models = FactorModels(
            Factorization(rng.random((grid.n_bins, 3)), rng.random((3, grid.n_frames)))
        )
        spectra = masks.spectra_of(audio, grid)
        streams.append(masks.stream_sources(spectra, grid, models, n_channels=2))

    def weights(first, n):
        return np.linspace(0, 1, 20_000, dtype=np.float32)[first : first + n]

    found = joined(crossfade(*streams, weights))
    np.testing.assert_allclose(found.sum(axis=0), audio.samples, atol=1e-6)


def test_a_crossfade_closes_both_streams():
    closed = []

    def stream(name):
        try:
            while True:
                yield 0, np.zeros((1, 1, 10), np.float32)
        finally:
            closed.append(name)

    fading = crossfade(stream("one"), stream("other"), lambda _, n: np.zeros(n))
    next(fading)
    fading.close()
    assert sorted(closed) == ["one", "other"]


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    cut=st.lists(st.integers(0, 300), max_size=6),
)
def test_a_buffer_hands_out_all_samples_in_pieces_of_any_length(lengths, cut):
    n = sum(lengths)
    y = np.arange(2.0 * n).reshape(2, n)
    buffer = Buffer(block for block in np.split(y, np.cumsum(lengths)[:-1], axis=1))
    edges = [0, *sorted(min(edge, n) for edge in cut), n]
    pieces = [buffer.take(length) for length in np.diff(edges)]
    assert [piece.shape[1] for piece in pieces] == np.diff(edges).tolist()
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), y)
    with pytest.raises(AudioError, match="became shorter"):
        buffer.take(1)
