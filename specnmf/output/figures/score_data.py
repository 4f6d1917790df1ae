"""What the figures of a separation by score show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.notation import nearest, note_name
from specnmf.output.figures import pooling
from specnmf.output.figures.pooling import Float32, Float64, Plane
from specnmf.output.figures.stems import GREY, Palette, palette
from specnmf.score.notes import Score

#: At most so many voices, the strongest, are drawn.
MOST_VOICES = 128


class Voice(NamedTuple):
    """The components of one colour that sound one pitch, or one without a pitch.

    Attributes
    ----------
    group : int
        Its place in the palette.
    pitch : float
        MIDI number; NaN without a pitch.
    name : str
        Of the note or of what else it is.
    components : array of int
        The strongest first, whose template stands for all.
    """

    group: int
    pitch: float
    name: str
    components: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ScoreFigureData(Plane):
    """What the figures of a separation by score show.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        The magnitudes that were factorised.
    score : Score
        On the recording's clock.
    labels : sequence of str
        The stem of each note.
    factorization : Factorization
        V ≈ W H, each component labelled with its stem.
    pitches : array, shape (n_components,)
        MIDI number of each component; NaN for one without a pitch.
    names : sequence of str, optional
        What each component without a pitch is called, such as its drum; by default
        like its stem. Those of components with a pitch are not looked at.
    start : Factorization, optional
        The same components before the updates.
    original : Score, optional
        On its own clock.
    path : array, shape (n_points, 2), float64, optional
        Seconds of the score and of the recording that belong together.
    agreement : array, shape (n_points, 2), float64, optional
        Seconds of the recording, and how well the score agrees with it, 0 to 1.
    confidence : float
        In the alignment, 0 to 1; NaN if it is not known.
    remarks : sequence of str
        On the alignment.
    envelopes : mapping of str to array, optional
        How far each stem swings, in pieces of equal length of the recording.
    frequencies, times, title
        As for `Plane`.

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    """

    V: NDArray[np.floating]
    score: Score
    labels: Sequence[str]
    factorization: Factorization
    pitches: NDArray[np.floating]
    names: Sequence[str] = ()
    start: Factorization | None = None
    original: Score | None = None
    path: Float64 | None = None
    agreement: Float64 | None = None
    confidence: float = math.nan
    remarks: Sequence[str] = ()
    envelopes: Mapping[str, NDArray[np.floating]] | None = None

    def __post_init__(self) -> None:
        W, H = self.factorization.W, self.factorization.H
        self.check(
            V=(W.shape[0], H.shape[1]),
            frequencies=W.shape[:1],
            times=H.shape[1:],
            pitches=H.shape[:1],
            labels=(len(self.score.notes),),
        )
        if len(self.names):
            self.check(names=H.shape[:1])
        for name in ("path", "agreement"):
            points = getattr(self, name)
            if points is not None:
                self.check(**{name: (len(points), 2)})
        start = self.start
        if start is not None and (start.W.shape, start.H.shape) != (W.shape, H.shape):
            raise ParameterError(
                f"start must have W and H of shapes {W.shape} and {H.shape}, "
                f"got {start.W.shape} and {start.H.shape}"
            )

    @cached_property
    def palette(self) -> Palette:
        """Which colour stands for whom."""
        return palette(self.score, self.labels, self.factorization.labels)

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        """The rows to draw, from the bottom: what has no pitch, then pitches."""
        return _voices(self)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The place in the palette of each voice, shape (n_voices,)."""
        return np.array([voice.group for voice in self.voices], np.intp)

    def power(self, factorization: Factorization) -> Float64:
        """How strong each voice is over time, shape (n_voices, n_columns)."""
        parts = pooling.template_power(factorization.W, factorization.H, self)
        return np.stack([parts[voice.components].sum(axis=0) for voice in self.voices])

    def templates(self, factorization: Factorization, span: float) -> Float32:
        """The voices' templates, from 0, ``span`` dB below each maximum, to 1.

        Returns
        -------
        array, shape (n_voices, ROWS)
        """
        strongest = [voice.components[0] for voice in self.voices]
        return pooling.template_rows(factorization.W[:, strongest], self.rows, span)

    def colour_of(self, stem: str) -> str:
        """The colour of a stem; grey for one that has none."""
        palette, labels = self.palette, self.factorization.labels
        groups = dict(zip(self.labels, palette.notes, strict=True))
        groups.update(zip(labels, palette.components, strict=True))
        return palette.colours[groups[stem]] if stem in groups else GREY

    def needed(self, name: str) -> Any:
        """A field that a figure cannot be drawn without.

        Raises
        ------
        ParameterError
            If it was not given.
        """
        if not self.has(name):
            raise ParameterError(f"this figure shows {name}, got none; give it")
        return getattr(self, name)

    def has(self, name: str) -> bool:
        """Whether a field was given, and not empty."""
        value = getattr(self, name)
        return value is not None and (name == "start" or len(value) > 0)


def _voices(data: ScoreFigureData) -> tuple[Voice, ...]:
    names = data.names if len(data.names) else data.factorization.labels
    shares = data.factorization.energy_shares()
    members: dict[tuple[float, int, str], list[int]] = {}
    for k in np.argsort(-shares, kind="stable").tolist():
        pitch, group = float(data.pitches[k]), int(data.palette.components[k])
        if math.isnan(pitch):
            key = -math.inf, -group, str(names[k])
        else:
            pitch = float(nearest(pitch))
            key = pitch, -group, note_name(pitch)
        members.setdefault(key, []).append(k)
    strongest = list(members)[:MOST_VOICES]
    strongest.sort(key=lambda key: (*key[:2], min(members[key])))
    return tuple(
        Voice(-below, pitch if pitch > -math.inf else math.nan, name, np.array(rows))
        for (pitch, below, name), rows in ((key, members[key]) for key in strongest)
    )
