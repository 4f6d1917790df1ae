"""Describing: the strength and timbre of each detected note, by a joint fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio, at_rate, one_of_alike
from specnmf.audio.stft import Float32, Grid, channel_magnitudes, magnitude
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.lobes import Lobes, Support
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.partials import Partials
from specnmf.methods.partials.notes import detunings, note_lobes
from specnmf.methods.partials.unpitched import noise_layer
from specnmf.methods.transcription.heard import N_TIMBRE, Float64, Heard
from specnmf.subnormals import flush_to_zero

#: The sample rate of the fit, its window and hop in samples: coarser than the final
#: model of the stems, for speed.
SR, N_FFT, HOP = 22_050, 4096, 1024

#: Partials per note, and the step of the detunings in cents.
N_PARTIALS, DETUNING_STEP = 16, 15.0

#: Iterations of the fit; in the last of them the detunings are sharpened.
MAX_ITER = 16

#: Seconds before the onset and after the end in which a note may sound.
BEFORE, AFTER = 0.05, 0.1

#: Avoids a division by zero in silence.
TINY = 1e-20


@dataclass(frozen=True, eq=False, kw_only=True)
class NoteFit:
    """A spectrogram as a sum of noise and notes, each with its own template.

    Attributes
    ----------
    heard : Heard
        The notes before the fit.
    V : array, shape (n_channels, n_frames, n_bins), float32
        Magnitudes on the grid.
    partials : Partials
        Template c belongs to note c.
    """

    heard: Heard
    grid: Grid
    V: Float32
    partials: Partials
    noise: Noise

    @cached_property
    def strengths(self) -> Float64:
        """The strength of each entry of the support, shape (n_entries,)."""
        sums: Float64 = self.partials.strengths.sum(axis=1, dtype=np.float64)
        return sums

    @cached_property
    def within(self) -> NDArray[np.bool_]:
        """Whether an entry is between its note's onset and end."""
        note, half = self.partials.support.template, HOP / SR / 2
        t = self.grid.times[self.partials.support.frame]
        after = t >= self.heard.start[note] - half
        return after & (t <= self.heard.end[note] + half)

    def courses(self) -> Iterator[tuple[Float64, Float64]]:
        """The times of each note's frames, and its strength in them."""
        support = self.partials.support
        order = np.argsort(support.template, kind="stable")
        bounds = np.searchsorted(
            support.template[order], np.arange(len(self.heard) + 1)
        )
        for entries in map(slice, bounds[:-1], bounds[1:]):
            own = order[entries]
            yield self.grid.times[support.frame[own]], self.strengths[own]

    def described(self) -> Heard:
        """The notes with their energy, timbre, pan and cents."""
        support, n = self.partials.support, len(self.heard)
        inside = self.strengths * self.within
        frames = support.totals(self.within.astype(float), n)
        total = support.totals(inside, n)
        spread = self.partials.strengths @ detunings(DETUNING_STEP)
        timbre = np.sqrt(self.partials.amplitudes[:, :N_TIMBRE].astype(float))
        norm = np.linalg.norm(timbre, axis=1, keepdims=True)
        return dataclasses.replace(
            self.heard,
            energy=total / np.maximum(frames, 1),
            timbre=timbre / np.maximum(norm, TINY),
            pan=self.partials.pans.astype(float),
            cents=support.totals(spread, n)
            / np.maximum(support.totals(self.strengths, n), TINY),
        )


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """Magnitudes V, (n_channels, n_frames, n_bins), with their grid."""

    V: Float32
    grid: Grid


def resampled(audio: Audio) -> Audio:
    """The recording at the rate of the fit; equal channels become one."""
    samples = one_of_alike(audio).samples
    return Audio(at_rate(samples, audio.sr, SR), SR)


def spectrogram(
    audio: Audio,
    *,
    n_fft: int = N_FFT,
    hop: int = HOP,
    together: bool = False,
    threads: int | None = None,
) -> Spectrogram:
    """The magnitudes for the fit, of each channel or of all together."""
    grid = Grid.of(audio, n_fft, hop)
    if together:
        return Spectrogram(magnitude(audio, grid, threads=threads).T[np.newaxis], grid)
    return Spectrogram(channel_magnitudes(audio, grid, threads=threads), grid)


@flush_to_zero()
def fit_notes(
    sound: Spectrogram,
    heard: Heard,
    *,
    max_iter: int = MAX_ITER,
    amplitudes: Float32 | None = None,
    before: float = BEFORE,
    threads: int | None = None,
) -> NoteFit:
    """Fit all notes, each with its own template, and noise.

    Parameters
    ----------
    amplitudes : array, shape (n, N_PARTIALS), optional
        Initial amplitudes of the partials; by default 1/m.
    before : float
        Seconds before the onset from which a note may sound.
    """
    V, grid = sound.V, sound.grid
    support = _support(heard, grid, before)
    per_frame = max(1.0, len(support.template) / max(1, support.n_frames))
    level = float(V.sum(axis=2).mean()) / per_frame / len(detunings(DETUNING_STEP))
    partials = Partials(
        _lobes(heard.pitch, grid),
        support,
        strength=level,
        n_channels=len(V),
        instruments=heard.pitch,
    )
    if amplitudes is not None:
        partials.amplitudes = amplitudes * (partials.amplitudes > 0)
    noise = noise_layer(V, grid)
    partials.hasty = False  # faint detunings tell notes from what is none
    fit(V, [partials, noise], max_iter=max_iter, threads=threads)
    return NoteFit(heard=heard, grid=grid, V=V, partials=partials, noise=noise)


def _lobes(pitch: NDArray[np.int64], grid: Grid) -> Lobes:
    """The partials of each note; notes of one pitch have the same values in memory."""
    pitches, place = np.unique(pitch, return_inverse=True)
    lobes = note_lobes(
        pitches, grid, n_partials=N_PARTIALS, detuning_step=DETUNING_STEP
    )
    return Lobes(
        lobes.first[place], lobes.length[place], lobes.offset[place], lobes.values
    )


def _support(heard: Heard, grid: Grid, before: float) -> Support:
    """The frames in which each note may sound, up to the next note of its pitch."""
    rate = grid.sr / grid.hop_length
    last = _until_next(heard, before)
    first = np.ceil((heard.start - before) * rate).astype(np.int64)
    stop = np.maximum(np.floor(last * rate).astype(np.int64), first) + 1
    first, stop = np.clip(first, 0, grid.n_frames), np.clip(stop, 0, grid.n_frames)
    note = np.repeat(np.arange(len(heard)), stop - first)
    began = np.cumsum(stop - first) - (stop - first)
    frame = np.arange(len(note)) - began[note] + first[note]
    order = np.lexsort((note, frame))
    counts = np.bincount(frame, minlength=grid.n_frames)
    edges = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Support(edges, note[order].astype(np.int64))


def _until_next(heard: Heard, before: float) -> Float64:
    """The latest end of each note."""
    end = heard.end + AFTER
    order = np.lexsort((heard.start, heard.pitch))
    same = heard.pitch[order][1:] == heard.pitch[order][:-1]
    following = np.where(same, heard.start[order][1:] - before, np.inf)
    end[order[:-1]] = np.minimum(end[order[:-1]], following)
    return np.maximum(end, heard.start)
