"""The input of the built-in transcriber: magnitudes a third of a semitone apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import hann
from specnmf.audio.tuning import estimate_tuning
from specnmf.notation import hertz
from specnmf.parallel import cut, workers

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

#: The rate, in Hz, and the step from frame to frame, in samples.
SR, HOP = 22_050, 512

#: Bins per semitone, and the MIDI numbers of the lowest and the highest.
PER_SEMITONE, LOWEST_BIN, HIGHEST_BIN = 3, 20, 118

#: Window lengths in samples, and the MIDI numbers from which each is used: only a long
#: one resolves low notes, only a short one resolves time.
WINDOWS = ((8192, LOWEST_BIN), (4096, 58), (2048, 80))

#: The share of half the sample rate up to which a recording has sound.
SOUNDING = 0.95

#: The distance in lines at which a sinusoid vanishes in a Hann window: -60 dB.
LOBE = 8

#: Frames of silence before a recording, which may start with a note.
BEFORE = 8

#: Frames transformed at a time.
FRAMES = 256


@dataclass(frozen=True, eq=False)
class Band:
    """Neighbouring bins of one window length."""

    n_fft: int
    weights: Float32  # (n_fft // 2 + 1, n_bins): what each line adds to each bin

    def magnitudes(self, samples: Float32) -> Float32:
        """The bins' magnitudes, (n_frames, n_bins), of (n_channels, n_frames, n_fft).

        A sinusoid of amplitude 1 in the middle of a bin has magnitude 1.
        """
        from scipy import fft

        lines = fft.rfft(samples * (hann(self.n_fft) * np.float32(4 / self.n_fft)))
        power = (lines.real**2 + lines.imag**2).sum(axis=0) / len(samples)
        bins: Float32 = np.sqrt(power @ self.weights)
        return bins


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins for a recording of a certain tuning, in cents above A4 = 440 Hz."""

    tuning: float
    bands: tuple[Band, ...]


def bins_for(tuning: float, sr: int) -> Bins:
    """The bins that have sound in a recording of this rate."""
    count = (HIGHEST_BIN - LOWEST_BIN) * PER_SEMITONE + 1
    pitches = LOWEST_BIN + np.arange(count) / PER_SEMITONE
    pitches = pitches[hertz(pitches, cents=tuning) < SOUNDING * sr / 2]
    stops = [first for _, first in WINDOWS[1:]] + [HIGHEST_BIN + 1]
    bands = []
    for (n_fft, first), stop in zip(WINDOWS, stops, strict=True):
        inside = pitches[(pitches >= first) & (pitches < stop)]
        bands.append(Band(n_fft, _weights(n_fft, inside, tuning)))
    return Bins(tuning, tuple(bands))


def _weights(n_fft: int, pitches: Float64, tuning: float) -> Float32:
    """Triangles that end at the next bin, but not before the next line."""
    centres = hertz(pitches, cents=tuning)
    beyond = hertz(pitches + 1 / PER_SEMITONE, cents=tuning)
    lines = np.arange(n_fft // 2 + 1) * (SR / n_fft)
    widths = np.maximum(beyond - centres, SR / n_fft)
    weights = np.maximum(0, 1 - abs(lines[:, np.newaxis] - centres) / widths)
    heights = (_lobes(n_fft, centres) * weights.T).sum(axis=1)
    scaled: Float32 = (weights / heights).astype(np.float32)
    return scaled


def _lobes(n_fft: int, frequencies: Float64) -> Float64:
    """Powers of sinusoids at the lines of a Hann window, (n_frequencies, n_lines)."""
    lines = np.arange(n_fft // 2 + 1)
    distance = frequencies[:, np.newaxis] * (n_fft / SR) - lines
    lobes = np.zeros_like(distance)
    near = abs(distance) < LOBE
    beside = distance[near]
    beside = np.where(abs(abs(beside) - 1) < 1e-6, 1 + 1e-6, beside)
    lobes[near] = (np.sinc(beside) / (1 - beside**2)) ** 2
    return lobes


def tuned_bins(samples: Float32, sr: int) -> Bins:
    """The bins for samples (n_channels, n) at `SR` of a recording at a rate."""
    return bins_for(estimate_tuning([samples], SR), sr)


def spectrum(samples: Float32, bins: Bins, threads: int | None) -> Float32:
    """The magnitudes of samples (n_channels, n) at `SR`, (n_frames, n_bins).

    Frame `BEFORE` is the one at the first sample.
    """
    reach = WINDOWS[0][0] // 2
    n_frames = BEFORE + samples.shape[1] // HOP + 1
    padded = np.pad(samples, ((0, 0), (reach + BEFORE * HOP, reach + HOP)))

    def transformed(frames: slice) -> Float32:
        seen = [
            band.magnitudes(_windows(padded, band.n_fft, frames)) for band in bins.bands
        ]
        return np.concatenate(seen, axis=1)

    with workers(threads) as mapper:
        return np.concatenate(mapper(transformed, cut(slice(0, n_frames), FRAMES)))


def _windows(padded: Float32, n_fft: int, frames: slice) -> Float32:
    """The windows around some frames, (n_channels, n_frames, n_fft)."""
    first = (WINDOWS[0][0] - n_fft) // 2
    views = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=1)
    return views[:, first + frames.start * HOP : first + frames.stop * HOP : HOP][
        :, : frames.stop - frames.start
    ]
