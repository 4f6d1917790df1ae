"""The error of stems by pair of instruments and interval of their notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import librosa
import numpy as np
from numpy.typing import NDArray
from separation_songs import Song, Sounds

N_FFT, HOP = 4096, 1024

#: Classes of intervals, the hardest first; of two chords the hardest pair counts.
INTERVALS = ("unison", "octave", "fifth, twelfth", "other", "one rests")


class Error(NamedTuple):
    """The error between two parts while their notes are at an interval.

    Energies are relative to the mean energy of a part of the mixture.
    """

    a: str
    b: str
    interval: str
    error: float
    energy: float


def errors(song: Song, estimates: Sounds) -> Iterator[Error]:
    """Yield the energy of the error between each two parts at each kind of interval.

    The error of a stem at a time and frequency is put down to the strongest of the
    other parts there: sound that it took from, or left to, that part. ``energy`` is
    that of both parts in the same frames.
    """
    names = list(song.references)
    true = np.stack([spectrum(song.references[name]) for name in names])
    energy = np.abs(true) ** 2
    found = np.stack([spectrum(estimates[name]) for name in names])
    wrong = np.abs(found - true) ** 2
    per_part = energy.sum() / len(names)
    for a, b in combinations(range(len(names)), 2):
        between = wrong[a] * (other(energy, a) == b) + wrong[b] * (
            other(energy, b) == a
        )
        kinds = intervals(song, names[a], names[b], true.shape[2])
        for kind, name in enumerate(INTERVALS):
            frames = kinds == kind
            yield Error(
                *sorted((names[a], names[b])),
                name,
                float(between[:, frames].sum() / per_part),
                float(energy[[a, b]][:, :, frames].sum() / per_part),
            )


def spectrum(y: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Return the transform of a stem's mean over channels."""
    return librosa.stft(y.mean(axis=0), n_fft=N_FFT, hop_length=HOP)


def other(energy: NDArray[np.float32], part: int) -> NDArray[np.intp]:
    """Return the strongest part but one, shape (n_bins, n_frames)."""
    rest = energy.copy()
    rest[part] = -1
    return np.argmax(rest, axis=0)


def intervals(song: Song, a: str, b: str, n_frames: int) -> NDArray[np.intp]:
    """Return the hardest interval between two parts' notes in each frame."""
    sounding = [rolls(song, name, n_frames) for name in (a, b)]
    out = np.full(n_frames, len(INTERVALS) - 1)
    for frame in range(n_frames):
        low, high = (np.flatnonzero(roll[:, frame]) for roll in sounding)
        if len(low) and len(high):
            apart = np.abs(np.subtract.outer(low, high))
            out[frame] = min(kind_of(int(steps)) for steps in apart.ravel())
    return out


def rolls(song: Song, name: str, n_frames: int) -> NDArray[np.bool_]:
    """Return the frames in which a part's pitches sound, shape (128, n_frames)."""
    out = np.zeros((128, n_frames), bool)
    for note in song.score.notes:
        if note.part == name:
            rate = song.audio.sr / HOP
            first, last = note.start * rate, (note.start + note.duration) * rate
            out[note.pitch, round(first) : round(last) + 1] = True
    return out


def kind_of(semitones: int) -> int:
    """Return the class of an interval."""
    if semitones == 0:
        return 0
    return {0: 1, 7: 2}.get(semitones % 12, 3)
