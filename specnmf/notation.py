"""Notation: what pitches, drums and shares are called, and a pitch's frequency.

Pitches are MIDI numbers: A4, of 440 Hz, is 69. Their names are librosa's, imported when
the first is asked for, which costs a run 0.12 s. Elsewhere our few lines stay:
librosa's frequencies of pitches know no tuning and differ in the last bit, from which
other factors follow; its centroids cost a run a second, its windows as much where
nothing else has imported scipy.signal; its axes label times and pitches otherwise.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf import jit
from specnmf.errors import ParameterError

Float64 = NDArray[np.float64]

#: A share so close to nothing or to all is that but for rounding.
_ROUNDING = 1e-9

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
    return _name(nearest(midi))


@cache
def _name(pitch: int) -> str:
    jit.prepare()
    import librosa

    return str(librosa.midi_to_note(pitch, unicode=False))


def note_number(name: str) -> int:
    """The MIDI number of a note that `note_name` named."""
    import librosa

    return int(librosa.note_to_midi(name))


def nearest(midi: float) -> int:
    """The nearest semitone; of two, the higher."""
    return math.floor(midi + 0.5)


def hertz(midi: ArrayLike, *, cents: float = 0.0) -> Float64:
    """The frequencies of MIDI numbers, where A4 lies so many cents above 440 Hz."""
    return np.asarray(440 * 2 ** ((np.asarray(midi) - 69 + cents / 100) / 12))


def semitones(hertz: ArrayLike) -> Float64:
    """How many semitones frequencies lie above A4 = 440 Hz."""
    return np.asarray(12 * np.log2(np.asarray(hertz) / 440))


def midi_number(hertz: ArrayLike) -> Float64:
    """The fractional MIDI numbers of frequencies."""
    return 69 + semitones(hertz)


def drum_name(drum: int) -> str:
    """Return what General MIDI [1]_ plays at a note of percussion, such as ``snare``.

    Notes without a drum are called by their number, such as ``drum 20``.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "General MIDI System Level 1", 1991.
    """
    index = drum - _FIRST_DRUM
    return _DRUMS[index] if 0 <= index < len(_DRUMS) else f"drum {drum}"


def percent(share: float) -> str:
    """Return a share, of 1, in percent, such as ``12%``.

    What there is, however little, is not 0%, nor is what lacks something 100%: they
    are ``<1%`` and ``>99%``. Without a share, which is NaN, it is ``?``.
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
    """Return how many there are, such as ``1 note`` or ``2 notes``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def spell_seconds(duration: float) -> str:
    """Return a duration as ``4.2 s``; what lasts, however short, is not ``0.0 s``."""
    return "<0.1 s" if 0 < duration <= 0.05 else f"{duration:.1f} s"
