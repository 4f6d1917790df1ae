"""Names: what a pitch and a drum are called."""

from __future__ import annotations

import math

from specnmf.errors import ParameterError

_STEPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

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
    octave, step = divmod(math.floor(midi + 0.5), 12)
    return f"{_STEPS[step]}{octave - 1}"


def drum_name(drum: int) -> str:
    """Return what General MIDI [1]_ plays at a note of percussion, such as ``snare``.

    Notes without a drum are called by their number, such as ``drum 20``.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "General MIDI System Level 1", 1991.
    """
    index = drum - _FIRST_DRUM
    return _DRUMS[index] if 0 <= index < len(_DRUMS) else f"drum {drum}"
