"""Piano roll: activations converted to notes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.audio import pitch
from specnmf.audio.stft import Grid
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.notation import nearest
from specnmf.score.notes import LOUDEST, Note, Score

Array = NDArray[np.float64]

#: A note starts where an activation exceeds this share of its component's maximum
#: (-12 dB) and RUN_ON of the loudest component's (-30 dB), and ends where it has
#: fallen RISE_DB below the higher of the two.
OWN_ON, RUN_ON = 10 ** (-12 / 20), 10 ** (-30 / 20)

#: A rise by this many decibels is a repetition of the note.
RISE_DB = 5.0

#: The onset is where the activation has reached this share of its rise. An attack
#: reaches it at once; half the rise would be late for bowed and blown notes.
RISEN = 0.2

#: Half the length, in seconds, of the Hann window that smooths the activations:
#: tremolo and beating strings are not repeated notes.
SMOOTHING = 0.05

#: Shorter notes (in seconds) are left out.
MIN_DURATION = 0.05

#: General MIDI's drums for unpitched components, the likeliest first, by the
#: frequency (Hz) below which their spectrum is centred.
DRUMS = (
    (1_800.0, (36, 35, 41, 43, 45, 47)),  # kicks and low toms
    (8_500.0, (38, 40, 39, 37, 48, 50)),  # snares, clap, side stick, high toms
    (math.inf, (42, 46, 44, 49, 51, 57)),  # hi-hats and cymbals
)
_ALL_DRUMS = range(35, 82)

_TIE = 1e-9  # decibels a frame


def transcribe(
    H: ArrayLike,
    times: ArrayLike,
    pitches: ArrayLike,
    labels: Sequence[str],
    *,
    gains: ArrayLike | None = None,
    centroids: ArrayLike | None = None,
) -> Score:
    """The notes of activations, one part for each component.

    A note is a peak at least RISE_DB above the levels before and after it, where levels
    below the end of a note count as silence. This is a threshold with hysteresis, which
    also finds new attacks inside a sustained note. The thresholds depend on each
    component's own maximum, so that soft components have notes, and on that of the
    loudest component, so that faint components do not produce spurious notes.

    A pitched component plays the nearest note, moved by octaves into MIDI's range. An
    unpitched component plays a drum of its own, as long as there are drums, chosen by
    its centroid: a kick below 1.8 kHz, a snare below 8.5 kHz, else a hi-hat.

    Velocity is LOUDEST times the square root of the strength relative to the strongest
    note: 6 dB for a factor of 0.71. This inverts the 40 log10(v / 127) dB of General
    MIDI synthesisers [1]_, so that they play the notes at their original levels.

    Parameters
    ----------
    H : array, shape (n_components, n_frames), non-negative
    times : array, shape (n_frames,)
        The centres of the frames in seconds, evenly spaced.
    pitches : array, shape (n_components,)
        Fractional MIDI numbers, NaN for an unpitched component.
    gains : array, shape (n_components,), optional
        The strength of each template, such as its norm; by default all are equal.
    centroids : array, shape (n_components,), optional
        Each template's mean frequency in Hz, weighted by magnitude. By default
        all unpitched components count as snares.

    Raises
    ------
    ParameterError
        If the shapes do not fit, the times do not rise, a value of ``H`` or ``gains``
        is negative or not finite, or a pitch is infinite.

    References
    ----------
    .. [1] MIDI Manufacturers Association, "Downloadable Sounds Level 1", 1997:
       the concave transform from velocity to attenuation.
    """
    H, times, pitches, gains, centroids = _checked(
        H, times, pitches, labels, gains, centroids
    )
    hop = float(times[1] - times[0]) if len(times) > 1 else MIN_DURATION
    # Smoothed twice, component by component, which saves memory.
    tops = np.array(
        [_smooth(h, g, hop).max(initial=0) for h, g in zip(H, gains, strict=True)]
    )
    loudest = tops.max(initial=0.0)
    free = set(_ALL_DRUMS)
    notes = []
    for k in np.flatnonzero(tops > RUN_ON * loudest).tolist():
        pitch, drum = _played(pitches[k], centroids[k], free)
        strength = _smooth(H[k], gains[k], hop)
        for start, duration, peak in _events(strength, times, RUN_ON * loudest):
            velocity = max(1, round(LOUDEST * math.sqrt(peak / loudest)))
            notes.append(Note(start, duration, pitch, velocity, labels[k], drum))
    return Score(tuple(notes))


def notes_of(factors: Factorization, grid: Grid, pitches: NDArray[np.float64]) -> Score:
    """The notes of a model V ≈ W H: `transcribe` with the strength of each template."""
    return transcribe(
        factors.H,
        grid.times,
        pitches,
        factors.labels,
        gains=np.linalg.norm(factors.W, axis=0),
        centroids=pitch.centroids(factors.W, grid.frequencies),
    )


def _events(
    strength: Array, times: Array, least: float
) -> Iterator[tuple[float, float, float]]:
    """Start, duration and strength of each note of one component."""
    on = max(OWN_ON * strength.max(), least)
    off = on / 10 ** (RISE_DB / 20)
    decibels = np.pad(20 * np.log10(np.maximum(strength, off) / off), 1)
    # of equal peaks, as in a tremolo, the first one counts
    decibels -= _TIE * np.arange(len(decibels))
    peaks = _peaks(decibels, RISE_DB) - 1
    starts = [
        _onset(strength, times, before, peak)
        for before, peak in zip((0, *peaks), peaks, strict=False)
    ]
    for start, stop, peak in zip(starts, [*starts[1:], math.inf], peaks, strict=True):
        silent = np.flatnonzero(strength[peak:] < off)
        end = times[peak + silent[0]] if silent.size else times[-1]
        duration = min(stop, float(end)) - start
        if duration >= MIN_DURATION:
            yield start, duration, float(strength[peak])


def _peaks(levels: Array, prominence: float) -> NDArray[np.intp]:
    """The indices of the peaks of at least this prominence; neighbours must differ.

    They are those of ``scipy.signal.find_peaks``, which takes half a second to import.
    """
    rising = np.diff(levels) > 0
    turns = np.append(1 + np.flatnonzero(rising[1:] != rising[:-1]), len(levels) - 1)
    low, high, top = float(levels[0]), 0.0, -1  # top: the peak that may be one
    peaks = []
    for turn, level in zip(turns.tolist(), levels[turns].tolist(), strict=True):
        if top < 0 and level - low < prominence:
            low = min(low, level)
        elif top < 0 or level > high:
            high, top = level, turn
        elif high - level >= prominence:
            peaks.append(top)
            low, top = level, -1
    return np.array(peaks, np.intp)


def _onset(strength: Array, times: Array, before: int, peak: int) -> float:
    """The time at which the rise to ``peak`` reaches RISEN, interpolated."""
    rise = strength[before : peak + 1]
    level = rise.min() + RISEN * (rise[-1] - rise.min())
    below = np.flatnonzero(rise < level)
    if not below.size:
        return max(0.0, float(times[before]))
    last = before + below[-1]
    nearby = slice(last, last + 2)
    return max(0.0, float(np.interp(level, strength[nearby], times[nearby])))


def _smooth(activation: NDArray[np.floating], gain: float, hop: float) -> Array:
    """One component's strength, shape (n_frames,)."""
    from scipy.ndimage import convolve1d

    window = np.hanning(2 * max(1, round(SMOOTHING / hop)) + 1)[1:-1]
    strength = gain * activation.astype(np.float64)
    smoothed: Array = convolve1d(strength, window / window.sum(), mode="nearest")
    return smoothed


def _played(pitch: float, centroid: float, free: set[int]) -> tuple[int, bool]:
    """The MIDI number of a component, and whether it is a drum, now used up."""
    if not math.isnan(pitch):
        return _in_range(nearest(pitch)), False
    kit = next((drums for edge, drums in DRUMS if centroid < edge), DRUMS[1][1])
    drum = next((drum for drum in (*kit, *_ALL_DRUMS) if drum in free), kit[0])
    free.discard(drum)
    return drum, True


def _in_range(pitch: int) -> int:
    if pitch < 0:
        return pitch % 12
    return pitch if pitch <= 127 else 116 + (pitch - 116) % 12


def _checked(
    H: ArrayLike,
    times: ArrayLike,
    pitches: ArrayLike,
    labels: Sequence[str],
    gains: ArrayLike | None,
    centroids: ArrayLike | None,
) -> tuple[NDArray[np.floating], Array, Array, Array, Array]:
    H, times = np.asarray(H), np.asarray(times, np.float64)
    if H.ndim != 2 or times.shape != H.shape[1:]:
        raise ParameterError(
            "expected one time for each frame of the activations, "
            f"got shapes {H.shape} and {times.shape}"
        )
    if not (np.diff(times) > 0).all():
        raise ParameterError("expected times to rise from frame to frame")
    each = np.empty(len(labels))
    given = {
        "pitches": pitches,
        "labels": each,
        "gains": np.ones_like(each) if gains is None else gains,
        "centroids": np.full_like(each, np.nan) if centroids is None else centroids,
    }
    columns = {name: np.asarray(values, float) for name, values in given.items()}
    for name, values in columns.items():
        if values.shape != H.shape[:1]:
            raise ParameterError(
                f"expected {name} of shape ({len(H)},), got {values.shape}"
            )
    for name, values in (("activations", H), ("gains", columns["gains"])):
        if not np.isfinite(values).all() or (values < 0).any():
            raise ParameterError(f"expected {name} to be finite and non-negative")
    if np.isinf(columns["pitches"]).any():
        raise ParameterError(
            "expected pitches to be finite, or NaN for unpitched components"
        )
    return H, times, columns["pitches"], columns["gains"], columns["centroids"]
