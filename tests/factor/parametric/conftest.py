"""A small model of notes, drums and noise, sparse and dense."""

from types import SimpleNamespace

import numpy as np
import pytest
import reference

from specnmf.factor.parametric.lobes import Lobes, Support
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.partials import Partials
from specnmf.factor.parametric.strikes import Strikes

N_BINS, N_TEMPLATES, N_DETUNINGS, N_PARTIALS, N_DRUMS, N_LAGS = 40, 3, 3, 4, 2, 8


def random_lobes(rng):
    """Lobes of 1 to 5 bins anywhere; the first template has a partial less."""
    shape = N_TEMPLATES, N_DETUNINGS, N_PARTIALS
    first = rng.integers(0, N_BINS - 5, shape).astype(np.int32)
    length = rng.integers(1, 6, shape).astype(np.int32)
    length[0, :, -1] = 0
    offset = np.cumsum(length.ravel()).reshape(shape) - length
    lobe = np.repeat(np.arange(length.size), length.ravel())
    values = rng.random(len(lobe)) + 0.1
    values /= np.bincount(lobe, values, length.size)[lobe]
    return Lobes(first, length, offset.astype(np.int64), values.astype(np.float32))


def random_support(rng, n_frames):
    """Each template in every other frame or so."""
    sounding = rng.random((n_frames, N_TEMPLATES)) < 0.5
    edges = np.concatenate([[0], np.cumsum(sounding.sum(axis=1))])
    return Support(edges, np.nonzero(sounding)[1].astype(np.int64))


@pytest.fixture
def toy(rng):
    """A function that makes layers of random contents, and V."""

    def make(*, n_channels=1, n_frames=100):
        lobes, support = random_lobes(rng), random_support(rng, n_frames)
        size = {"n_channels": n_channels, "n_frames": n_frames}
        notes = Partials(
            lobes,
            support,
            strength=1.0,
            n_channels=n_channels,
            instruments=np.arange(N_TEMPLATES),
        )
        notes.strengths[:] = rng.random(notes.strengths.shape) + 0.1
        notes.pans = rng.random(notes.pans.shape).astype(np.float32) + 0.5
        notes.pans /= notes.pans.mean(axis=1, keepdims=True)
        frames = np.array([0, 5, 9, 40, n_frames - 3, n_frames - 1])
        spectra = rng.random((N_DRUMS, N_LAGS, n_channels, N_BINS)) + 0.1
        strikes = Strikes(
            frames,
            np.array([0, 1, 0, 1, 0, 1]),
            spectra.astype(np.float32),
            rng.random(len(frames)).astype(np.float32) + 0.1,
            n_frames=n_frames,
        )
        bands = (rng.random((3, N_BINS)) + 0.01).astype(np.float32)
        noise = Noise(bands, strength=0.5, **size)
        V = (10 * rng.random((n_channels, n_frames, N_BINS)) ** 3).astype(np.float32)
        return SimpleNamespace(V=V, notes=notes, strikes=strikes, noise=noise)

    return make


@pytest.fixture
def dense():
    """A function that gives a toy's factors as the reference has them."""

    def spread(toy):
        notes, strikes, n_frames = toy.notes, toy.strikes, toy.V.shape[1]
        place = notes.support.template, notes.support.frame
        strengths = np.zeros((N_TEMPLATES, n_frames, N_DETUNINGS))
        strengths[place] = notes.strengths
        hits = np.zeros((N_DRUMS, n_frames))
        frame, drum = strikes.strikes
        hits[drum, frame] = strikes.strengths
        factors = {
            "strengths": strengths,
            "amplitudes": notes.amplitudes,
            "pans": notes.pans,
            "lobes": reference.lobe_spectra(notes.lobes, N_BINS),
            "strikes": hits,
            "spectra": strikes.spectra,
            "noise": toy.noise.strengths,
            "bands": toy.noise.bands,
        }
        return {name: np.array(factor, float) for name, factor in factors.items()}

    return spread
