"""Judging: from activations to the likelihood that each pitch sounds and starts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.builtin_fitting import Activations
from specnmf.methods.transcription.builtin_spectrum import (
    HOP,
    LOWEST_BIN,
    PER_SEMITONE,
    SR,
)
from specnmf.methods.transcription.salience import LOWEST, N_PITCHES

Float32 = NDArray[np.float32]

#: Weights of logistic regressions. They were fitted on 22 mixtures of one to six parts
#: and 2 of synthetic tones over the whole range, so that the middle is not preferred,
#: then scaled to the input of `picking`; "flat" was set to silence noise.
SOUNDS = {
    "bias": 3.17, "level": 0.66, "level squared": 0.03, "to loudest around": 0.58,
    "mean": 1.14, "beside": -0.18, "crest": 0.89, "crest of fundamental": -0.49,
    "low": -0.62, "high": -0.74, "flat": -60.0,
}  # fmt: skip
BEGINS = {
    "bias": -0.41, "level": -6.53, "level squared": -1.03, "to loudest around": 1.38,
    "mean": 0.6, "least": -3.35, "most": 0.95, "after": 2.29, "before": 4.3,
    "rise": 3.3, "flux": 1.37, "crest of fundamental": -2.83, "low": -2.9,
    "flat": -60.0,
}  # fmt: skip

#: Additions to strengths and magnitudes before their logarithm, as shares of the
#: loudest.
FAINT, FAINTER = 0.01, 0.02

#: Partials in noise stand out by about 0.1 (log), those of notes rarely less than this.
NOISY = 0.18

#: The pitches beyond which notes are rare.
LOW, HIGH = 48, 84

#: The least distance of a pitch's onsets in frames, and the factor for other onsets.
APART, BESIDE = 3, np.float32(0.2)

#: Onsets are less likely, in proportion, if their pitch is less likely than this two
#: frames later.
UNHEARD = np.float32(0.125)

#: Frames per second.
RATE = SR / HOP


def judge(heard: Activations) -> tuple[Float32, Float32]:
    """The likelihoods of sounding and starting pitches, each (n_frames, N_PITCHES)."""
    shape = heard.pitches.shape
    sounds, begins = np.full(shape, SOUNDS["bias"]), np.full(shape, BEGINS["bias"])
    for name, values in _features(heard):
        for odds, weights in ((sounds, SOUNDS), (begins, BEGINS)):
            if name in weights:
                odds += weights[name] * values
    likely = _logistic(sounds)
    return likely, _peaks(_logistic(begins) * _followed(likely))


def _followed(sounds: Float32) -> Float32:
    """Whether a pitch sounds within two frames, 0 to 1: else no note starts."""
    from scipy.ndimage import maximum_filter1d

    ahead = maximum_filter1d(sounds, 3, axis=0, origin=-1)
    followed: Float32 = np.minimum(1, ahead / UNHEARD)
    return followed


def _peaks(begins: Float32) -> Float32:
    """Likelihoods of onsets, lowered beside the local maximum: a note starts once."""
    from scipy.ndimage import maximum_filter1d

    highest = begins == maximum_filter1d(begins, 2 * APART + 1, axis=0)
    near = maximum_filter1d(highest.astype(np.uint8), 3, axis=0) > 0
    return np.where(near, begins, BESIDE * begins)


def _features(heard: Activations) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """The features of pitches, each (n_frames, N_PITCHES) or broadcast to it."""
    loud = _loudness(heard.target)
    strength, target = heard.pitches / loud, heard.target / loud
    yield from _strengths(strength)
    yield from _changes(strength)
    yield from _crests(target, heard.templates)
    yield "flux", _flux(target)[:, np.newaxis]
    pitch = LOWEST + np.arange(N_PITCHES, dtype=np.float32)
    yield "low", np.maximum(0, LOW - pitch) / 12
    yield "high", np.maximum(0, pitch - HIGH) / 12


def _strengths(strength: Float32) -> Iterator[tuple[str, Float32]]:
    """The strength of a pitch, absolute and relative to others."""
    from scipy.ndimage import maximum_filter1d

    level = _log(strength)
    loudest = maximum_filter1d(strength.max(axis=1), round(RATE) | 1)[:, np.newaxis]
    sides = np.pad(strength, ((0, 0), (1, 1)))
    yield "level", level
    yield "level squared", level**2
    yield "to loudest around", level - np.log(loudest + FAINTER)
    yield "beside", _log(np.maximum(sides[:, 2:], sides[:, :-2]))


def _changes(strength: Float32) -> Iterator[tuple[str, Float32]]:
    """The change of a pitch's strength over time."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

    yield "mean", _log(uniform_filter1d(strength, 11, axis=0))
    yield "least", _log(minimum_filter1d(strength, 5, axis=0))
    yield "most", _log(maximum_filter1d(strength, 15, axis=0))
    ahead = np.pad(strength, ((0, 6), (0, 0)), mode="edge")
    behind = np.pad(strength, ((6, 0), (0, 0)))
    n_frames = len(strength)
    yield "after", _log(uniform_filter1d(ahead, 7, axis=0)[3 : 3 + n_frames])
    yield "before", _log(uniform_filter1d(behind, 5, axis=0)[2 : 2 + n_frames])
    yield "rise", _log(ahead[4 : 4 + n_frames]) - _log(behind[2 : 2 + n_frames])


def _crests(target: Float32, templates: Float32) -> Iterator[tuple[str, Float32]]:
    """How far a pitch's partials exceed the spectrum around them."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    peaks = maximum_filter1d(target, PER_SEMITONE, axis=1)
    around = uniform_filter1d(target, 4 * PER_SEMITONE + 1, axis=1)
    crest = np.log((peaks + FAINTER) / (around + FAINTER))
    shares = templates / np.maximum(templates.sum(axis=1, keepdims=True), 1e-9)
    over_partials = crest @ shares.T
    yield "crest", over_partials
    yield "flat", np.maximum(0, NOISY - over_partials)
    places = (LOWEST - LOWEST_BIN + np.arange(N_PITCHES)) * PER_SEMITONE
    yield "crest of fundamental", crest[:, np.minimum(places, crest.shape[1] - 1)]


def _flux(target: Float32) -> Float32:
    """The rise of the spectrum, relative to the rises around, (n_frames,)."""
    from scipy.ndimage import median_filter

    padded = np.pad(target, ((2, 1), (0, 0)), mode="edge")
    rise = np.maximum(0, padded[3:] - padded[:-3]).sum(axis=1)
    usual = median_filter(rise, round(2 * RATE) | 1)
    flux: Float32 = np.log((rise + 1) / (usual + 1))
    return flux


def _loudness(target: Float32) -> float:
    """The frames' highest magnitudes, averaged with themselves as weights."""
    highest = target.max(axis=1, initial=0)
    return float((highest**2).sum() / max(highest.sum(), 1e-30)) or 1.0


def _log(strength: Float32) -> Float32:
    level: Float32 = np.log(strength + np.float32(FAINT))
    return level


def _logistic(odds: NDArray[np.float64]) -> Float32:
    from scipy.special import expit

    likely: Float32 = expit(odds).astype(np.float32)
    return likely
