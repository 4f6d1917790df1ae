"""Notation: the names of pitches, drums and shares, and the frequency of a pitch.

Pitches are MIDI numbers: A4, at 440 Hz, is 69. Their names are librosa's, whose import
would take 0.2 s. Other functions have a few lines here as well: librosa's frequencies
of pitches know no tuning and differ in the last bit, which would change factors; its
centroids take a second per run, its windows as long unless scipy.signal is imported
already; its axes label times and pitches in another way.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError

Float64 = NDArray[np.float64]

#: A share so close to nothing or to all is that but for rounding.
_ROUNDING = 1e-9

#: The keys of an octave.
_KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

#: General MIDI's percussion, from note 35 on.
_FIRST_DRUM = 35
_DRUMS = (
    "acoustic kick", "kick", "side stick", "snare", "clap", "electric snare",
    "low floor tom", "closed hi-hat", "high floor tom", "pedal hi-hat", "low tom",
    "open hi-hat", "low mid tom", "high mid tom", "crash", "high tom", "ride",
    "china", "ride bell", "tambourine", "splash", "cowbell", "crash 2", "vibraslap",
    "ride 2", "high bongo", "low bongo", "mute high conga", "open high conga",
    "low conga", "high timbale", "low timbale", "high agogo", "low agogo", "cabasa",
    "maracas", "short whistle", "long whistle", "short guiro", "long guiro", "claves",
    "high wood block", "low wood block", "mute cuica", "open cuica", "mute triangle",
    "open triangle",
)  # fmt: skip


def note_name(midi: float) -> str:
    """Return the name of the nearest note, such as ``A4`` or ``C#4``.

    Sharps only, in ASCII; 60 is C4, 0 is C-1.

    Raises
    ------
    ParameterError
        If ``midi`` is not finite.
    """
    if not math.isfinite(midi):
        raise ParameterError(f"a note's name needs a finite MIDI number, got {midi}")
    octave, key = divmod(nearest(midi), len(_KEYS))
    return f"{_KEYS[key]}{octave - 1}"


def note_number(name: str) -> int:
    """The MIDI number of a note that `note_name` named."""
    import librosa

    return int(librosa.note_to_midi(name))


def nearest(midi: float) -> int:
    """The nearest semitone; the higher of two."""
    return math.floor(midi + 0.5)


def hertz(midi: ArrayLike, *, cents: float = 0.0) -> Float64:
    """The frequencies of MIDI numbers, with A4 the given cents above 440 Hz."""
    return np.asarray(440 * 2 ** ((np.asarray(midi) - 69 + cents / 100) / 12))


def semitones(hertz: ArrayLike) -> Float64:
    """The distances of frequencies from A4 = 440 Hz in semitones."""
    return np.asarray(12 * np.log2(np.asarray(hertz) / 440))


def midi_number(hertz: ArrayLike) -> Float64:
    """The fractional MIDI numbers of frequencies."""
    return 69 + semitones(hertz)


def drum_name(drum: int) -> str:
    """Return the General MIDI [1]_ name of a drum, such as ``snare``.

    Numbers without a name are written as such: ``drum 20``.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "General MIDI System Level 1", 1991.
    """
    index = drum - _FIRST_DRUM
    return _DRUMS[index] if 0 <= index < len(_DRUMS) else f"drum {drum}"


def percent(share: float) -> str:
    """Return a share, of 1, in percent, such as ``12%``.

    A small share is never 0%, and a share that is not whole never 100%: they are
    ``<1%`` and ``>99%``. An unknown share, NaN, is ``?``.
    """
    if math.isnan(share):
        return "?"
    if abs(share) < _ROUNDING:
        return "0%"
    if abs(share - 1) < _ROUNDING:
        return "100%"
    if 0 < share <= 0.005:
        return "<1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{100 * share:.0f}%".replace("-", "−")


def counted(n: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 note`` or ``2 notes``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def spell_seconds(duration: float) -> str:
    """Return a duration as ``4.2 s``; a short one is ``<0.1 s``, never ``0.0 s``."""
    return "<0.1 s" if 0 < duration <= 0.05 else f"{duration:.1f} s"
