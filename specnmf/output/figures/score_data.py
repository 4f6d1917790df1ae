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
from specnmf.output.figures.factor_data import FigureData
from specnmf.output.figures.note_data import NoteFigureData
from specnmf.output.figures.pooling import Float32, Float64
from specnmf.output.figures.stems import GREY, Palette, palette
from specnmf.score.notes import Score

#: At most so many voices, the strongest, are drawn.
MOST_VOICES = 128


class Voice(NamedTuple):
    """The components of one colour that sound one pitch, or one without a pitch."""

    group: int  # its place in the palette
    pitch: float  # MIDI number; NaN without a pitch
    name: str  # of the note or of what else it is
    components: NDArray[np.intp]  # the strongest first; its template stands for all


class Given:
    """What has fields that need not be given."""

    def needed(self, name: str) -> Any:
        """A field that a figure cannot be drawn without, else ParameterError."""
        if not self.has(name):
            raise ParameterError(f"expected {name} for this figure, got none")
        return getattr(self, name)

    def has(self, name: str) -> bool:
        """Whether a field was given, and not empty."""
        value = getattr(self, name)
        return value is not None and (name == "start" or len(value) > 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreFigureData(FigureData, NoteFigureData, Given):
    """What the figures of a separation by score show.

    Its factorisation has each component labelled with its stem. ParameterError is
    raised if the shapes do not fit.
    """

    #: What each unpitched component is called, such as its drum; by default its stem.
    names: Sequence[str] = ()
    start: Factorization | None = None  # the same components before the updates
    original: Score | None = None  # on its own clock
    #: Seconds of the score and of the recording that belong together, (n_points, 2).
    path: Float64 | None = None
    #: Seconds of the recording, and the agreement there, 0 to 1, (n_points, 2).
    agreement: Float64 | None = None
    confidence: float = math.nan  # in the alignment, 0 to 1; NaN: not known
    remarks: Sequence[str] = ()  # on the alignment
    #: How far each stem swings, in pieces of equal length of the recording.
    envelopes: Mapping[str, NDArray[np.floating]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        W, H = self.factorization.W, self.factorization.H
        self.check(labels=(len(self.score.notes),))
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
        names = self.names if len(self.names) else self.factorization.labels
        members: dict[tuple[float, int, str], list[int]] = {}
        for k in np.argsort(-self.shares, kind="stable").tolist():
            pitch, group = float(self.pitches[k]), int(self.palette.components[k])
            if math.isnan(pitch):
                key = -math.inf, -group, str(names[k])
            else:
                pitch = float(nearest(pitch))
                key = pitch, -group, note_name(pitch)
            members.setdefault(key, []).append(k)
        strongest = list(members)[:MOST_VOICES]
        strongest.sort(key=lambda key: (*key[:2], min(members[key])))
        return tuple(
            Voice(-below, math.nan if pitch == -math.inf else pitch, name, components)
            for pitch, below, name in strongest
            for components in [np.array(members[pitch, below, name])]
        )

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The place in the palette of each voice, shape (n_voices,)."""
        return np.array([voice.group for voice in self.voices], np.intp)

    def power(self, factorization: Factorization) -> Float64:
        """How strong each voice is over time, shape (n_voices, n_columns)."""
        parts = pooling.template_power(factorization.W, factorization.H, self)
        return np.stack([parts[voice.components].sum(axis=0) for voice in self.voices])

    def templates(self, factorization: Factorization, span: float) -> Float32:
        """The voices' templates; `pooling.template_rows`, shape (n_voices, ROWS)."""
        strongest = [voice.components[0] for voice in self.voices]
        return pooling.template_rows(factorization.W[:, strongest], self.rows, span)

    def colour_of(self, stem: str) -> str:
        """The colour of a stem; grey for one that has none."""
        palette, labels = self.palette, self.factorization.labels
        groups = dict(zip(self.labels, palette.notes, strict=True))
        groups.update(zip(labels, palette.components, strict=True))
        return palette.colours[groups[stem]] if stem in groups else GREY
