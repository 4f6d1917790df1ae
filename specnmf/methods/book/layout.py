"""The FMP book's model: a score laid out as templates and activations.

Each pitch of the score gets a template that is zero except near its harmonics, and an
activation that is zero except where its notes sound [1]_. Multiplicative updates keep
zeros, so the constraints of the score hold while the recording determines the rest. The
numbers equal those of libfmp, section 8.3 of [2]_, bit by bit.

.. [1] S. Ewert and M. Müller, "Using score-informed constraints for NMF-based source
   separation", ICASSP 2012.
.. [2] M. Müller, "Fundamentals of Music Processing", 2nd edition, Springer 2021.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.checks import check_at_least
from specnmf.errors import ParameterError, ScoreError
from specnmf.factor.factorization import Factorization
from specnmf.notation import counted, drum_name, note_name
from specnmf.score.notes import Note, Score

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int = NDArray[np.int64]

#: The kind of a component: a pitch, the attacks of a pitch, or a drum.
Kind = Literal["pitch", "onset", "drum"]
Component = tuple[Kind, int]

#: The initial value of each kind's template, before a pitch gets its harmonics.
FLOOR: Mapping[Kind, float] = {"pitch": 0.0, "onset": 0.1, "drum": 1.0}

#: The range of frequencies of A4, in Hz.
LOWEST_TUNING, HIGHEST_TUNING = 220.0, 880.0


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """The tolerances of the constraints; the defaults are libfmp's.

    Attributes
    ----------
    pitch : float
        Around each harmonic, as a fraction of its frequency, below 0.5.
    before, after : float
        Before the start and after the end of a note, in seconds.
    onset_before, onset_after : float
        Before and after the start of a note, for its attack, in seconds.

    Raises
    ------
    ParameterError
        If one is negative or not finite, or ``pitch`` is 0.5 or more.

    Examples
    --------
    >>> import specnmf
    >>> tolerances = specnmf.Tolerances(before=0.1, after=0.5)
    >>> tolerances.before, tolerances.after
    (0.1, 0.5)
    """

    pitch: float = 0.05
    before: float = 0.2
    after: float = 0.5
    onset_before: float = 0.3
    onset_after: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            check_at_least(f"tolerance {field.name}", getattr(self, field.name), 0)
        if self.pitch >= 0.5:
            raise ParameterError(
                f"tolerance pitch must be below 0.5 of a harmonic, got {self.pitch}"
            )


@dataclass(frozen=True, eq=False)
class FmpLayout:
    """A score as components: the start of a factorisation, and the place of each note.

    Attributes
    ----------
    start : Factorization
        W (n_bins, n_components) and H (n_components, n_frames), float64; the label of
        each component is its note or drum.
    pitches : array of int, shape (n_components,)
        MIDI pitch of each component; for a drum its General MIDI note.
    kinds : tuple of str
        ``"pitch"``, ``"onset"`` or ``"drum"`` for each component.
    n_notes : int
        The number of notes of the score.
    spans : array of int, shape (n_spans, 4)
        The frames in which notes may sound: index of the note in the score, component,
        first frame, and frame after the last.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> audio = specnmf.Audio(np.zeros((1, 4000), np.float32), 8000)
    >>> score = specnmf.Score([specnmf.Note(0.0, 0.3, 60)])
    >>> layout = specnmf.fmp_layout(score, specnmf.stft(audio).grid)
    >>> layout.kinds, layout.n_notes
    (('pitch',), 1)
    """

    start: Factorization
    pitches: Int
    kinds: tuple[Kind, ...]
    n_notes: int
    spans: Int

    def __repr__(self) -> str:
        """A summary on one line."""
        return f"FmpLayout({counted(self.n_notes, 'note')}, start={self.start!r})"

    @property
    def support(self) -> tuple[Bool, Bool]:
        """Where W and H may be non-zero: the argument ``support`` of `specnmf.nmf`."""
        return self.start.W > 0, self.start.H > 0


def fmp_layout(
    score: Score,
    grid: Grid,
    *,
    onsets: bool = False,
    tolerances: Tolerances | None = None,
    tuning: float = 440.0,
) -> FmpLayout:
    """The start of a score-informed factorisation, as in the FMP book.

    There is one component for each pitch [1]_, in rising order, then one for each drum.
    Drums, which the book does not have, get a flat template and are active like notes.
    All values are those of libfmp [2]_.

    Parameters
    ----------
    score : Score
        The score, in the recording's time.
    grid : Grid
        The grid of the spectrogram to factorise, `specnmf.Spectrogram.grid`.
    onsets : bool
        Add before each pitch a component for its attacks, with a flat template, active
        around the starts of its notes.
    tolerances : Tolerances, optional
        By default those of libfmp.
    tuning : float
        Frequency of A4 in Hz, 220 to 880.

    Returns
    -------
    FmpLayout
        ``start`` and ``support`` are arguments of `specnmf.nmf`. A pitch above all bins
        has a template of zeros; a pitch whose notes all start after the end has an
        activation of zeros.

    Raises
    ------
    ScoreError
        If the score has no notes, or none before the end of the recording.
    ParameterError
        If ``tuning`` is outside 220 to 880 Hz.

    References
    ----------
    .. [1] S. Ewert and M. Müller, "Using score-informed constraints for NMF-based
       source separation", ICASSP 2012.
    .. [2] libfmp.c8: init_nmf_template_pitch, init_nmf_activation_score, and their
       variants with _onset.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> score = specnmf.Score(
    ...     [specnmf.Note(0.0, 0.3, 60), specnmf.Note(0.2, 0.5, 67)]
    ... )
    >>> audio = specnmf.Audio(np.zeros((1, 4000), np.float32), 8000)
    >>> layout = specnmf.fmp_layout(score, specnmf.stft(audio).grid)
    >>> layout.start.labels
    ('C4', 'G4')
    >>> layout.pitches
    array([60, 67])
    """
    if not score.notes:
        raise ScoreError("expected a score with notes, got none")
    tolerances = tolerances or Tolerances()
    components = _components(score, onsets=onsets)
    spans = _spans(score, components, grid, tolerances)
    if not spans.size:
        seconds = grid.n_frames * grid.hop_length / grid.sr
        raise ScoreError(
            f"no note starts within the {seconds:.1f} s of the recording; the first "
            f"starts at {score.notes[0].start:.1f} s: use the score of this recording"
        )
    W = _templates(components, grid, tolerances.pitch, tuning)
    H = _activations(spans, len(components), grid)
    return FmpLayout(
        start=Factorization(W, H, tuple(map(_name, components))),
        pitches=np.array([pitch for _, pitch in components]),
        kinds=tuple(kind for kind, _ in components),
        n_notes=len(score.notes),
        spans=spans,
    )


def _components(score: Score, *, onsets: bool) -> list[Component]:
    pitched = {note.pitch for note in score.notes if not note.percussion}
    drums = {note.pitch for note in score.notes if note.percussion}
    kinds: tuple[Kind, ...] = ("onset", "pitch") if onsets else ("pitch",)
    components: list[Component] = [(k, p) for p in sorted(pitched) for k in kinds]
    return components + [("drum", drum) for drum in sorted(drums)]


def _name(component: Component) -> str:
    kind, pitch = component
    return drum_name(pitch) if kind == "drum" else note_name(pitch)


def _templates(
    components: Sequence[Component], grid: Grid, tolerance: float, tuning: float
) -> Float64:
    if not LOWEST_TUNING <= tuning <= HIGHEST_TUNING:
        raise ParameterError(
            f"expected a tuning from {LOWEST_TUNING:g} to {HIGHEST_TUNING:g} Hz, "
            f"got {tuning}"
        )
    W = np.empty((grid.n_bins, len(components)))
    for template, (kind, pitch) in zip(W.T, components, strict=True):
        template[:] = FLOOR[kind]
        if kind == "pitch":
            # libfmp's expressions in its order, which decides how they round
            fundamental = 2 ** ((pitch - 69) / 12) * tuning
            _fill_harmonics(template, fundamental, grid.sr / grid.n_fft, tolerance)
    return W


def _fill_harmonics(
    template: Float64, fundamental: float, resolution: float, tolerance: float
) -> None:
    """Set a template to 1/m around the m-th harmonic, in place."""
    low, high = 1 - tolerance, 1 + tolerance
    n_harmonics = math.ceil(len(template) * resolution / (low * fundamental))
    for m in range(1, n_harmonics + 1):
        first = int(low * m * fundamental / resolution)
        last = int(high * m * fundamental / resolution)
        template[first : last + 1] = 1 / m


def _spans(
    score: Score, components: Sequence[Component], grid: Grid, tolerances: Tolerances
) -> Int:
    """The frames in which each note may sound: see `FmpLayout.spans`."""
    rows = {component: row for row, component in enumerate(components)}
    spans = [
        (index, rows[component], _frame(since, grid), _frame(until, grid))
        for index, note in enumerate(score.notes)
        for component, since, until in _claims(note, tolerances)
        if component in rows
    ]
    audible = [span for span in spans if span[2] < span[3]]
    return np.array(audible, np.int64).reshape(-1, 4)


def _claims(
    note: Note, tolerances: Tolerances
) -> Iterator[tuple[Component, float, float]]:
    """The components of a note, each with start and end in seconds."""
    since = note.start - tolerances.before
    until = note.start + note.duration + tolerances.after
    if note.percussion:
        yield ("drum", note.pitch), since, until
        return
    yield ("pitch", note.pitch), since, until
    since = note.start - tolerances.onset_before
    yield ("onset", note.pitch), since, note.start + tolerances.onset_after


def _frame(seconds: float, grid: Grid) -> int:
    """The frame of a time, clipped to the existing frames."""
    frame = seconds / (grid.hop_length / grid.sr)
    return int(min(max(frame, 0), grid.n_frames))


def _activations(spans: Int, n_components: int, grid: Grid) -> Float64:
    H = np.zeros((n_components, grid.n_frames))
    for _, row, first, end in spans:
        H[row, first:end] = 1
    return H
