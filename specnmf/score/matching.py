"""Matching: the path between score and recording, and its quality."""

from __future__ import annotations

from math import ceil, sqrt
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ScoreError
from specnmf.score import imprint, silence
from specnmf.score.dtw import Level, Path, Prices, bridge, coarse_path, fine_paths
from specnmf.score.imprint import N_PITCHES, Float32, Imprint
from specnmf.score.notes import Score
from specnmf.score.tightening import Tightened, tightened

Float64 = NDArray[np.float64]

#: Frames per second of the path, and of the coarser path that shows the way.
FINE, COARSE = 50, 5

#: The longest music, in seconds, whose path has FINE frames a second; that of longer
#: music has fewer, so that memory stays bounded.
LONGEST = 5400.0

#: So many seconds of a score in which no note begins are too many, if they are longer
#: than the recording.
LONGEST_GAP = 30.0

#: Cells of a grid that is searched whole, and of one searched in each of many keys.
MOST_CELLS, CELLS_PER_KEY = 25_000_000, 1_500_000

#: What it costs to leave out frames, of the score where the recording lacks bars or of
#: the recording where the score does.
PRICES = Prices(begin=4.0, skip=0.7, silent_begin=0.5, silent_skip=0.05)

#: How much harmony and attacks count in the path, as squared lengths. Drums are
#: nearly all attack.
WEIGHTS, DRUM_WEIGHTS = (1.0, 3.0), (0.1, 1.0)

#: The recording begins and ends where its harmony has at least this length.
AUDIBLE = 0.5

#: Semitones by which a score is transposed in search of the recording's key, the
#: nearest first.
KEYS = sorted((*range(-12, 0), *range(1, 13)), key=abs)

#: What both sides leave out is taken to correspond all the same where one is at most
#: BRIDGED times as long as the other, or both are shorter than so many seconds.
BRIDGED, BRIEF = 2.0, 1.5

#: Agreement is averaged over so many seconds.
AGREEMENT_WINDOW = 2.0


class Recording(Protocol):
    """The features of a recording, as `specnmf.audio.features` makes them."""

    @property
    def magnitudes(self) -> Float32:
        """The loudness of each MIDI pitch, shape (128, n_frames)."""

    @property
    def rate(self) -> float:
        """Frames per second, a multiple of 50."""

    @property
    def tuning(self) -> float:
        """Cents from 440 Hz up to the recording's A4."""

    @property
    def duration(self) -> float:
        """In seconds."""


class Music(NamedTuple):
    """A score and a recording as features, each from its first sound to its last."""

    score: Imprint
    recording: Imprint
    #: Frames per second.
    rate: float
    #: The notes whose first frame is the score's.
    tight: Tightened
    #: When the recording's first frame is, in seconds.
    origin: float

    @property
    def drums(self) -> bool:
        """Whether the score has only drums."""
        return all(note.percussion for note in self.tight.notes)

    @property
    def size(self) -> tuple[int, int]:
        """The numbers of frames of the score and of the recording."""
        return len(self.score.features), len(self.recording.features)

    def seconds(self, path: Path) -> tuple[Float64, Float64]:
        """The times of frames of the score and of the recording, both (n_points,)."""
        rows, columns = path.T / self.rate
        return self.tight.written(rows), self.origin + columns


class Way(NamedTuple):
    """A coarse path, and the features in which it was found."""

    level: Level
    #: Where it leaps, something has no counterpart.
    path: Path
    #: The columns that hold sound, before that of silence.
    n_sounds: int


def music(score: Score, recording: Recording) -> Music:
    """The features of a score and a recording; ScoreError if the latter is silent."""
    tight = tightened(score.notes, max(recording.duration, LONGEST_GAP))
    duration = max(note.start + note.duration for note in tight.notes)
    rate = FINE / ceil(max(recording.duration, duration) / LONGEST)
    every = round(recording.rate / rate)
    played = imprint.of_recording(recording.magnitudes.T[::every], rate)
    audible = np.flatnonzero(np.linalg.norm(played.harmony, axis=1) >= AUDIBLE)
    if not len(audible):
        raise ScoreError("the recording is silent, so no score can be aligned to it")
    first, last = audible[0], audible[-1] + 1
    played = Imprint(played.features[first:last], played.silence[first:last])
    written = imprint.of_notes(tight.notes, max(1, round(duration * rate)), rate)
    music = Music(written, played, rate, tight, first / rate)
    weights = DRUM_WEIGHTS if music.drums else WEIGHTS
    harmony, attacks = np.sqrt(weights, dtype=np.float32)
    for side in music[:2]:
        side.harmony[:] *= harmony
        side.attacks[:] *= attacks
        side.silence[:] = silence.lasting(side.silence, rate)
    return music


def way(music: Music) -> Way:
    """The coarse path: what corresponds, and what has no counterpart."""
    if music.drums:
        # a beat is lost at a rate at which harmonies are told apart best
        levels = [_decimated(music, _factor(music, 1, MOST_CELLS))]
        n_sounds = 2 * N_PITCHES
    else:
        least = max(1, round(music.rate / COARSE))
        factors = sorted({_factor(music, least, MOST_CELLS), least}, reverse=True)
        levels = [_harmony(music, factor) for factor in factors]
        n_sounds = N_PITCHES
    return Way(levels[-1], coarse_path(levels, PRICES), n_sounds)


def paths(music: Music, way: Way) -> list[Path]:
    """The path in full detail, in pieces of shape (n_points, 2)."""
    level = _decimated(music, 1)
    brief = round(BRIEF * way.level.rate)
    # there notes were improvised or hardly heard, rather than left out
    bridged = bridge(way.path, way.level, ratio=BRIDGED, brief=brief)
    return fine_paths(level, bridged, way.level.rate)


def explained(way: Way) -> float:
    """The share of the score that the recording explains, or the reverse if larger.

    An excerpt explains little of the score, but the score explains nearly all of the
    excerpt. If both are sounds that agree, the share is above 0.4. For different pieces
    it seldom reaches 0.1, because the cheapest path between them stays where either is
    silent.
    """
    products = np.einsum("ij,ij->i", *_sounds(way))
    shares = []
    for side, features in enumerate(way.level[:2]):
        features = features[:, : way.n_sounds]
        best = np.zeros(len(features))
        np.maximum.at(best, way.path[:, side], products)
        shares.append(best.sum() / max(float(np.sum(features**2)), 1e-9))
    return float(max(shares))


def agreement(music: Music, way: Way) -> Float64:
    """The similarity of score and recording along the path, shape (n_points, 2).

    Seconds of the recording, and a mean over time that is 1 for the same sound, 0 for
    an unrelated one or silence.
    """
    from scipy import ndimage

    size = max(1, round(AGREEMENT_WINDOW * way.level.rate))
    X, Y = _sounds(way)
    energies = 0.5 * (np.einsum("ij,ij->i", X, X) + np.einsum("ij,ij->i", Y, Y))
    products = np.einsum("ij,ij->i", X, Y)
    means = [ndimage.uniform_filter1d(x, size) for x in (products, energies)]
    alike = (means[0] / np.maximum(means[1], 1e-6)).astype(np.float64)
    seconds = music.origin + way.path[:, 1] / way.level.rate
    return np.stack([seconds, np.clip(alike, 0.0, 1.0)], axis=1)


def key(music: Music) -> tuple[int, float]:
    """The transposition in semitones, not 0, that explains most, and the share."""
    least = max(1, round(music.rate / COARSE))
    level = _harmony(music, _factor(music, least, CELLS_PER_KEY))

    def share(semitones: int) -> float:
        moved = level._replace(X=_moved(level.X, semitones))
        return explained(Way(moved, coarse_path([moved], PRICES), N_PITCHES))

    shares = {semitones: share(semitones) for semitones in KEYS}
    best = max(KEYS, key=lambda semitones: shares[semitones])
    return best, shares[best]


def _sounds(way: Way) -> tuple[Float32, Float32]:
    """The features of both sides along the path, without the column of silence."""
    X, Y = way.level[:2]
    rows, columns = way.path.T
    return X[rows, : way.n_sounds], Y[columns, : way.n_sounds]


def _moved(features: Float32, semitones: int) -> Float32:
    """Features transposed, with zeros where there was no pitch; silence stays."""
    moved = np.roll(features[:, :N_PITCHES], semitones, axis=1)
    vacated = slice(0, semitones) if semitones > 0 else slice(semitones, None)
    moved[:, vacated] = 0
    return np.hstack([moved, features[:, N_PITCHES:]])


def _harmony(music: Music, factor: int) -> Level:
    """Harmony at a lower rate."""
    shared = imprint.shared_part(music.score.harmony)
    X, Y = (imprint.smoothed(side, factor, shared) for side in music[:2])
    silences = [silence.averaged(side.silence, factor) for side in music[:2]]
    return Level(X, Y, music.rate / factor, (silences[0], silences[1]))


def _decimated(music: Music, factor: int) -> Level:
    """All features at a lower rate."""
    X, Y = (np.ascontiguousarray(side.features[::factor]) for side in music[:2])
    silences = music.score.silence[::factor], music.recording.silence[::factor]
    return Level(X, Y, music.rate / factor, silences)


def _factor(music: Music, least: int, most_cells: int) -> int:
    """The factor by which to lower the rate to get at most so many cells."""
    cells = len(music.score.harmony) * len(music.recording.harmony)
    return max(least, ceil(sqrt(cells / most_cells)))
