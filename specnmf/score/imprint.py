"""The features in which notes and a recording are compared.

Both sides are arrays of frames by pitches: *harmony*, of length 1 where there is sound
and 0 where there is none, and *attacks*, which jump where a note begins and decay. So
the beginnings of notes are matched, not only their sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.score import silence
from specnmf.score.notes import Note

Float32 = NDArray[np.float32]

#: The pitches compared, in MIDI numbers; the highest hold cymbals only.
LOWEST, HIGHEST = 21, 127
N_PITCHES = HIGHEST - LOWEST + 1

#: Semitones above a note at which its partials lie, and their heights.
PARTIALS = ((0, 1.0), (12, 0.5), (19, 0.33), (24, 0.25), (28, 0.2), (31, 0.16))

#: Notes are held to die away in so many seconds (to 1 / e). Winds do not, but even
#: they are told apart better where the newer note counts more.
DECAY, DRUM_DECAY = 1.0, 0.1

#: Where a drum's sound lies, by General MIDI number: kicks and low toms, snares and
#: other drums, cymbals. What is not named is taken for a snare.
KICK, SNARE, CYMBAL = (21, 50), (50, 105), (100, 128)
KICKS = frozenset((35, 36, 41, 43, 45))
CYMBALS = frozenset((42, 44, 46, 49, 51, 52, 53, 54, 55, 57, 59, 69, 70, 80, 81, 82))

#: Magnitudes are compressed to log(1 + COMPRESSION * x), where the loudest pitch of
#: a frame reaches x = 1 in one frame of twenty.
COMPRESSION, LOUD = 100.0, 0.95

#: Below this share of the loud frames' length, harmony fades into silence.
SILENCE = 0.1

#: Below this length of its spectrum, a note that dies away fades into silence.
FAINT = 0.05

#: A mean over so small a share of music is that of a pause.
HARDLY_AUDIBLE = 0.2

#: Keeps a silent recording from a division by 0.
TINY = 1e-9

#: How much of what all frames have in common is taken from each, where harmonies vary
#: enough that the mean of the frames is shorter than VARIED times a frame. Of a lone
#: chord nothing would be left.
SHARED, VARIED = 0.95, 0.8

#: An attack is a rise over RISE seconds, counts in proportion to the loudest within
#: NEAR seconds (at least LEAST of the loudest of all), and lasts LASTING seconds.
RISE, NEAR, LEAST, LASTING = 0.04, 0.8, 0.1, 0.2


class Imprint(NamedTuple):
    """A score or a recording as features (n_frames, 214): harmony beside attacks."""

    features: Float32
    #: How silent each frame is, 0 to 1, shape (n_frames,).
    silence: Float32

    @property
    def harmony(self) -> Float32:
        """The sound, shape (n_frames, 107)."""
        return self.features[:, :N_PITCHES]

    @property
    def attacks(self) -> Float32:
        """The beginnings of sounds, shape (n_frames, 107)."""
        return self.features[:, N_PITCHES:]


def of_recording(magnitudes: Float32, rate: float) -> Imprint:
    """The features of a recording, from the loudness of each pitch, (n_frames, 128)."""
    loud = loudness(magnitudes)
    imprint = _blank(silence.of_recording(magnitudes, loud))
    harmony = compress(magnitudes, loud)[:, LOWEST:]
    imprint.attacks[:] = rises(harmony, rate)
    _make_lasting(imprint.attacks, rate)
    lengths = np.linalg.norm(harmony, axis=1, keepdims=True)
    usual = np.quantile(lengths, LOUD)
    np.divide(harmony, np.maximum(lengths, SILENCE * usual + TINY), out=imprint.harmony)
    return imprint


def of_notes(notes: Sequence[Note], n_frames: int, rate: float) -> Imprint:
    """The features of the notes of a score, with the given length.

    Drums contribute to the harmony only where there is nothing else.
    """
    imprint = _blank(silence.of_notes(notes, n_frames, rate))
    drums_only = all(note.percussion for note in notes)
    for note in notes:
        heights = spectrum(note.pitch, note.percussion)
        first = min(round(note.start * rate), n_frames - 1)
        last = max(first + 1, round((note.start + note.duration) * rate))
        begun = imprint.attacks[first]
        np.maximum(begun, heights, out=begun)
        if drums_only or not note.percussion:
            sounding = imprint.harmony[first:last]
            decay = rate * (DRUM_DECAY if note.percussion else DECAY)
            fading = np.exp(-np.arange(len(sounding), dtype=np.float32) / decay)
            np.maximum(sounding, fading[:, np.newaxis] * heights, out=sounding)
    lengths = np.linalg.norm(imprint.harmony, axis=1, keepdims=True)
    np.divide(imprint.harmony, np.maximum(lengths, FAINT), out=imprint.harmony)
    _make_lasting(imprint.attacks, rate)
    return imprint


def loudness(magnitudes: Float32) -> float:
    """The level that the loudest pitch reaches in one frame of twenty; never 0."""
    return max(float(np.quantile(magnitudes.max(axis=1, initial=0), LOUD)), TINY)


def compress(
    magnitudes: Float32, loud: float, compression: float = COMPRESSION
) -> Float32:
    """Magnitudes on a scale where soft sounds count as well; 0 for silence."""
    return np.asarray(np.log1p(magnitudes * np.float32(compression / loud)))


def rises(compressed: Float32, rate: float) -> Float32:
    """The increase of each pitch around each frame, 0 where there is none."""
    lag = max(2, round(RISE * rate))
    before, after = lag // 2, lag - lag // 2
    padded = np.pad(compressed, ((before, after), (0, 0)), mode="edge")
    return np.asarray(np.maximum(0, padded[lag:] - padded[:-lag]))


def shared_part(harmony: Float32) -> float:
    """How much of what a score's frames share carries no information, 0 to 1."""
    lengths = float(np.linalg.norm(harmony, axis=1).sum())
    monotony = float(np.linalg.norm(harmony.sum(axis=0))) / max(lengths, TINY)
    return SHARED * min(1.0, (1 - monotony) / (1 - VARIED))


def smoothed(imprint: Imprint, factor: int, shared: float) -> Float32:
    """Harmony at a lower rate, each frame a Hann-weighted mean.

    A share of the common part of all frames is subtracted: a piece keeps to its key and
    a recording to its timbre, and without these, two moments are seldom alike. The last
    of the 108 columns is silence, otherwise a rest would look half like anything.
    """
    from scipy import ndimage

    harmony, window = imprint.harmony, silence.window(factor)
    sound = np.linalg.norm(harmony, axis=1)
    sound = ndimage.convolve1d(sound, window, mode="constant")[::factor].copy()
    means = ndimage.convolve1d(harmony, window, axis=0, mode="constant")[::factor]
    # what a pause has is no music, and beside one music sounds no softer
    audible = 1 - silence.averaged(imprint.silence, factor)
    common = (means * audible[:, np.newaxis]).sum(axis=0)
    common /= max((sound * audible).sum(), TINY)
    centred = means - sound[:, np.newaxis] * np.float32(shared) * common
    beside = (audible > HARDLY_AUDIBLE) & (audible < 1)
    sound[beside] = np.minimum(sound[beside] / audible[beside], 1)
    lengths = np.linalg.norm(centred, axis=1)
    centred *= (sound / np.maximum(lengths, TINY))[:, np.newaxis]
    rest = np.sqrt(np.maximum(0, 1 - sound**2))
    return np.column_stack([centred, rest]).astype(np.float32)


def _blank(silent: Float32) -> Imprint:
    features = np.zeros((len(silent), 2 * N_PITCHES), np.float32)
    return Imprint(features, silent)


def _make_lasting(attacks: Float32, rate: float) -> None:
    """Scale rises by the loudest nearby, and let them decay as the root of time [1]_.

    .. [1] S. Ewert, M. Müller and P. Grosche, "High resolution audio synchronization
       using chroma onset features", ICASSP 2009.
    """
    from scipy import ndimage

    lengths = np.linalg.norm(attacks, axis=1)
    near = ndimage.maximum_filter1d(lengths, int(NEAR * rate) | 1)
    near = ndimage.uniform_filter1d(near, int(NEAR * rate) | 1)
    attacks /= np.maximum(near, LEAST * near.max(initial=0) + TINY)[:, np.newaxis]
    n_lasting = max(1, round(LASTING * rate))
    decay = 1 / np.sqrt(np.arange(1, n_lasting + 1, dtype=np.float32))
    for column in attacks.T:
        before = np.pad(column, (n_lasting - 1, 0))
        windows = np.lib.stride_tricks.sliding_window_view(before, n_lasting)
        (windows * decay[::-1]).max(axis=1, out=column)


@cache
def spectrum(pitch: int, percussion: bool) -> Float32:
    """The heights of a note's partials, or a drum's share of each pitch."""
    spectrum = np.zeros(N_PITCHES, np.float32)
    if percussion:
        low, high = KICK if pitch in KICKS else CYMBAL if pitch in CYMBALS else SNARE
        spectrum[low - LOWEST : high - LOWEST] = 1 / np.sqrt(high - low)
    else:
        for semitones, height in PARTIALS:
            if LOWEST <= pitch + semitones <= HIGHEST:
                spectrum[pitch + semitones - LOWEST] = height
    return spectrum
