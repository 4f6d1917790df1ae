"""Sounds that repeat to the sample, as samplers and drum machines play them.

A mask divides each bin among the stems: where two drums sound together, each gets a
part of the other. But a sound that is heard again has a waveform that can be learned
and subtracted. Only what no waveform explains is divided by masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.models import Models
from specnmf.audio.neighbours import FineModels
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Complex64, Float32, Grid
from specnmf.methods.weighting import FineWeightedModels, WeightedModels

Integers = NDArray[np.int64]

#: The time that the next stroke takes to end one that it chokes, in seconds.
FADING = 0.01


@dataclass(frozen=True)
class WaveFrames:
    """The frames that overlap a waveform of n samples."""

    grid: Grid
    n: int

    @property
    def starts(self) -> Integers:
        """The first sample of each frame, relative to that of the waveform."""
        hop, n_fft = self.grid.hop_length, self.grid.n_fft
        return np.arange(hop - n_fft, self.n, hop)

    def spectra(self, y: Float32) -> Complex64:
        """Spectra, (..., n_frames, n_bins), of waveforms, (..., n)."""
        from scipy import fft

        starts, n_fft = self.starts, self.grid.n_fft
        pad = -int(starts[0]), int(starts[-1]) + n_fft - self.n
        y = np.pad(y, [(0, 0)] * (y.ndim - 1) + [pad])
        frames = np.lib.stride_tricks.sliding_window_view(y, n_fft, axis=-1)
        own = frames[..., :: self.grid.hop_length, :] * self.grid.window
        return np.asarray(fft.rfft(own, axis=-1), np.complex64)

    def waveform(self, spectra: Complex64) -> Float32:
        """The waveform, (..., n), of spectra, (..., n_frames, n_bins)."""
        from scipy import fft

        window, n_fft = self.grid.window, self.grid.n_fft
        starts = self.starts - self.starts[0]
        frames = fft.irfft(spectra, n=n_fft, axis=-1) * window
        shape = *spectra.shape[:-2], int(starts[-1]) + n_fft
        total, weight = np.zeros(shape, np.float32), np.zeros(shape[-1], np.float32)
        for number, start in enumerate(starts):
            total[..., start : start + n_fft] += frames[..., number, :]
            weight[start : start + n_fft] += window**2
        total /= np.maximum(weight, 1e-6)
        first = -int(self.starts[0])
        return total[..., first : first + self.n]

    def rows(self, start: int) -> Integers:
        """The nearest frames of the recording, for a waveform that starts there."""
        middle = start + int(self.starts[0]) + self.grid.n_fft // 2
        return round(middle / self.grid.hop_length) + np.arange(len(self.starts))


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound that repeats, and its strokes.

    Attributes
    ----------
    stem : int
        The number of its drum.
    starts, lengths : array, shape (n_strokes,)
        The first sample of each stroke's waveform, and how many samples are heard
        before another stroke ends it.
    gains : array, shape (n_strokes,)
        The strength of each.
    waveform : array, shape (n_channels, n)
        What all strokes share.
    unknown : array, shape (n_frames, n_bins)
        The share of the sound's power that the waveform does not tell, 0 to 1.
    deviations : array, shape (n_strokes, n_bins)
        What is unknown beside that of each stroke, for it differs from the others.
    """

    stem: int
    starts: Integers
    lengths: Integers
    gains: NDArray[np.float64]
    waveform: Float32
    unknown: Float32
    deviations: Float32

    def stroke(self, number: int, sr: int) -> Float32:
        """The waveform of a stroke, (n_channels, n)."""
        y = np.float32(self.gains[number]) * self.waveform
        length = int(self.lengths[number])
        fading = y[:, length : length + round(FADING * sr)]
        fading *= np.linspace(1, 0, fading.shape[1], dtype=np.float32)
        y[:, length + fading.shape[1] :] = 0
        return y

    def add(self, y: Float32, first: int, sr: int, sign: int = 1) -> None:
        """Add the strokes to a block of sound, (n_channels, n), from a sample on."""
        ends = self.starts + self.waveform.shape[1]
        heard = (self.starts < first + y.shape[1]) & (ends > first)
        for number in np.flatnonzero(heard).tolist():
            own = sign * self.stroke(number, sr)
            put(y, int(self.starts[number]) - first, own)


@dataclass(frozen=True, eq=False)
class Repeats:
    """The sounds of a recording that repeat."""

    grid: Grid
    sounds: tuple[Sound, ...]

    def add(self, first: int, block: Float32) -> None:
        """Add the strokes to a block of the stems, (n_stems, n_channels, n)."""
        for sound in self.sounds:
            sound.add(block[sound.stem], first, self.grid.sr)

    def left(self, audio: Audio) -> Audio:
        """A recording without the strokes."""
        samples = audio.samples.copy()
        for sound in self.sounds:
            sound.add(samples, 0, audio.sr, sign=-1)
        return Audio(samples, audio.sr)

    @cached_property
    def _last(self) -> dict[int, Last]:
        sounds = [(sound.stem, sound.starts) for sound in self.sounds]
        return last_strokes(sounds, self.grid)

    def unknown(self, stem: int, frames: slice) -> Float32:
        """The share of a stem's power that no waveform tells, (n_frames, n_bins)."""
        if stem not in self._last:
            return np.ones((1, 1), np.float32)
        return share_of(self.sounds, self._last[stem].of(frames), self.grid)


class UnknownModels(WeightedModels):
    """Models of stems without what waveforms tell."""

    def __init__(self, models: Models, repeats: Repeats) -> None:
        super().__init__(models, [])
        self.repeats = repeats

    def weight(self, stem: int, frames: slice) -> Float32:
        """The share of the power that is left."""
        return self.repeats.unknown(stem, frames)


class FineUnknownModels(UnknownModels, FineWeightedModels):
    """The same for models that know frequencies more precisely than to a bin."""


def unknown_models(models: Models, repeats: Repeats) -> UnknownModels:
    """Models of stems without what waveforms tell, of the same kind."""
    kind = FineUnknownModels if isinstance(models, FineModels) else UnknownModels
    return kind(models, repeats)


class Last(NamedTuple):
    """The last stroke of a drum in each frame, and the frame of its sound.

    Attributes
    ----------
    sound, stroke, row : array, shape (n_frames,)
        The number of the sound, -1 where there is none; of its stroke; of the frame.
    """

    sound: Integers
    stroke: Integers
    row: Integers

    def of(self, frames: slice | Integers) -> Last:
        """Those of some frames."""
        return Last(*(each[frames] for each in self))


def last_strokes(sounds: Iterable[tuple[int, Integers]], grid: Grid) -> dict[int, Last]:
    """The last strokes of each stem, of the stem and the starts of each sound."""
    strokes: dict[int, list[tuple[int, int, int]]] = {}
    for number, (stem, starts) in enumerate(sounds):
        own = strokes.setdefault(stem, [])
        own += [(start, number, i) for i, start in enumerate(starts.tolist())]
    found = {}
    for stem, own in strokes.items():
        last = Last(*(np.full(grid.n_frames, value) for value in (-1, 0, 0)))
        for start, number, stroke in sorted(own):
            first = int(WaveFrames(grid, 1).rows(start)[0])
            begin = max(0, first)
            last.sound[begin:], last.stroke[begin:] = number, stroke
            last.row[begin:] = np.arange(begin - first, grid.n_frames - first)
        found[stem] = last
    return found


def share_of(sounds: Sequence[Sound], last: Last, grid: Grid) -> Float32:
    """The unknown shares of the last strokes of some frames, (n_frames, n_bins)."""
    out = np.ones((len(last.sound), grid.n_bins), np.float32)
    for number in np.unique(last.sound[last.sound >= 0]).tolist():
        sound = sounds[number]
        own = (last.sound == number) & (last.row < len(sound.unknown))
        out[own] = sound.unknown[last.row[own]] + sound.deviations[last.stroke[own]]
    return np.minimum(out, 1, out=out)


def put(y: Float32, start: int, own: Float32) -> None:
    """Add a waveform to sound, from a sample on that may lie outside."""
    first, last = max(start, 0), min(y.shape[1], start + own.shape[1])
    if first < last:
        y[:, first:last] += own[:, first - start : last - start]


def cut(y: Float32, start: int, n: int) -> Float32:
    """A part of a sound, (n_channels, n); silence outside."""
    out = np.zeros((len(y), n), np.float32)
    first, last = max(start, 0), min(y.shape[1], start + n)
    if first < last:
        out[:, first - start : last - start] = y[:, first:last]
    return out
