"""Kits: how the strokes of drums sound, as short spectrograms.

A built-in template is stored as levels in mel-spaced bands at some times after the
onset, so that it fits any sample rate and window. It is where a fit starts: the
templates then adapt to the recording.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.archives import read_arrays
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid, magnitude
from specnmf.errors import TemplateError

#: The built-in kits, made by training/drum_kits.py.
BUILT_IN = Path(__file__).with_name("kits.npz")

#: Mel-spaced bands, and the centre of the highest in Hz.
N_BANDS, HIGHEST = 96, 16_000.0

#: Times after the onset in seconds.
TIMES = np.array(
    [-0.0174, -0.0116, -0.0058, 0, 0.0058, 0.0116, 0.0174, 0.0232, 0.03, 0.04, 0.05,
     0.07, 0.09, 0.12, 0.16, 0.22, 0.3, 0.42, 0.6, 0.9, 1.3]
)  # fmt: skip

#: The window that templates are made with, in seconds, and the step in samples.
WINDOW, STEP = 2048 / 44_100, 64

#: Steps of a level in a decibel; the loudest level is the highest number of a byte.
PER_DECIBEL, LOUDEST = 2, 255

#: A stroke starts where it reaches this share of its peak.
ONSET = 0.03

#: The template frame in which a stroke is at its onset: a window hears it before.
LEAD = 1

#: Words in names of files and templates, and the drums that they name.
_WORDS = (
    ("openhat", r"(open|\boh\b|op).*(hat|hh)|(hat|hh).*(open|\boh\b)|open"),
    ("hihat", r"hi?.?hat|\bhh|hat|closed|pedal"),
    ("kick", r"kick|bass.?drum|^bd|bd[_ ]"),
    ("snare", r"snare|^sn|^sd|sd[_ ]"),
    ("toms", r"tom"),
    ("ride", r"ride"),
    ("crash", r"crash|splash|china|cymbal"),
    ("clap", r"clap"),
)


def window_length(sr: int) -> int:
    """The default window of a fit in samples: the power of two nearest to WINDOW."""
    return 1 << max(4, round(math.log2(WINDOW * sr)))


@dataclass(frozen=True, eq=False)
class Kit:
    """The strokes of drums, as levels in bands.

    Attributes
    ----------
    drums : tuple of str
        The drum of each stroke, or another name for what a kit of one's own holds.
    levels : array, shape (n_strokes, n_times, n_bands)
        Their levels in dB below their loudest.
    """

    drums: tuple[str, ...]
    levels: Float32

    def bands(self, step: float, seconds: float) -> Float32:
        """Magnitudes in the bands, frames a ``step`` apart, (n_strokes, n_lags, ...).

        The strokes start in frame LEAD.
        """
        return np.asarray(
            10 ** (_at_times(self.levels, step, seconds) / 20), np.float32
        )

    def spectra(self, chosen: Sequence[int], grid: Grid, seconds: float) -> Float32:
        """Magnitudes of some strokes on a grid, shape (n_chosen, n_lags, n_bins)."""
        step = grid.hop_length / grid.sr
        levels = _at_times(self.levels[list(chosen)], step, seconds)
        mel = mel_of(grid.frequencies)
        places = np.clip(mel / mel_of(np.array(HIGHEST)) * N_BANDS - 1, 0, N_BANDS - 1)
        low = np.minimum(places.astype(int), N_BANDS - 2)
        part = (places - low).astype(np.float32)
        between = levels[..., low] * (1 - part) + levels[..., low + 1] * part
        return np.asarray(10 ** (between / 20), np.float32)


def lags_of(step: float, seconds: float) -> int:
    """The frames of a template."""
    return max(1, round(seconds / step)) + LEAD


def mel_of(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequencies in mel."""
    return np.asarray(2595 * np.log10(1 + hertz / 700))


def band_matrix(frequencies: NDArray[np.float64]) -> Float32:
    """The mean of magnitudes in each band, shape (n_bands, n_bins)."""
    places = mel_of(frequencies) / mel_of(np.array(HIGHEST)) * N_BANDS - 1
    distance = np.abs(places - np.arange(N_BANDS)[:, np.newaxis])
    weights = np.maximum(1 - distance, 0)
    nearest = distance == distance.min(axis=1, keepdims=True)
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0.5, weights, nearest)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def levels_of(sound: Audio) -> NDArray[np.uint8]:
    """The levels of a stroke, shape (n_times, n_bands), in a byte each."""
    heard = from_onset(sound)
    n_fft = 2 * round(WINDOW * sound.sr / 2)
    lead = n_fft  # silence before the onset
    padded = np.pad(heard, ((0, 0), (lead, n_fft)))
    grid = Grid(sound.sr, padded.shape[1], n_fft, STEP)
    V = band_matrix(grid.frequencies) @ magnitude(Audio(padded, sound.sr), grid)
    frames = np.rint((lead + TIMES * sound.sr) / STEP).astype(int)
    chosen = np.where(frames < V.shape[1], V.T[np.minimum(frames, V.shape[1] - 1)].T, 0)
    decibel = 20 * np.log10(np.maximum(chosen / chosen.max(), 1e-7))
    levels = np.clip(LOUDEST + PER_DECIBEL * decibel, 0, LOUDEST)
    return np.asarray(levels.T, np.uint8)


def from_onset(sound: Audio) -> Float32:
    """The samples of a stroke from its onset on, shape (1, n_samples)."""
    y = np.asarray(sound.samples.mean(axis=0), np.float32)
    loud = np.abs(y) >= ONSET * np.abs(y).max()
    return y[np.newaxis, int(np.argmax(loud)) :]


@cache
def built_in() -> Kit:
    """The kits that specnmf comes with."""
    arrays = read_arrays(
        BUILT_IN,
        ("levels", "drums"),
        most_bytes=1 << 24,
        error=TemplateError,
        expected="the built-in kits",
        kinds="uU",
    )
    return Kit(tuple(map(str, arrays["drums"])), decibels(arrays["levels"]))


def decibels(levels: NDArray[np.uint8]) -> Float32:
    """Levels in dB, from bytes."""
    return np.asarray((levels.astype(np.float32) - LOUDEST) / PER_DECIBEL, np.float32)


def drum_of(name: str) -> str | None:
    """The drum that a file or a template is named after; None: it is another."""
    plain = name.lower()
    return next((drum for drum, words in _WORDS if re.search(words, plain)), None)


def _at_times(levels: Float32, step: float, seconds: float) -> Float32:
    """Levels at frames a step apart; they fall on as they fell last."""
    times = (np.arange(lags_of(step, seconds)) - LEAD) * step
    later = np.searchsorted(TIMES, times).clip(1, len(TIMES) - 1)
    part = (times - TIMES[later - 1]) / (TIMES[later] - TIMES[later - 1])
    part = part.astype(np.float32)[:, np.newaxis]
    return np.asarray(levels[:, later - 1] * (1 - part) + levels[:, later] * part)
