"""What the figures of notes over a spectrogram show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from specnmf.output.figures import stems
from specnmf.output.figures.pooling import Float64, Magnitudes, Plane
from specnmf.output.figures.stems import Palette
from specnmf.score.notes import Score

#: Notes of this confidence or less are drawn faintest, those of SURE or more in full.
DOUBTFUL, SURE = 0.3, 0.7
#: How strongly the faintest notes are drawn; full strength is 1.
FAINTEST = 0.25

#: What the legend calls notes that are no more than likely, and a colour as pale.
UNSURE = ("pale: unsure", "#c4c4c4")


@dataclass(frozen=True, eq=False, kw_only=True)
class NoteFigureData(Plane):
    """What the figures of notes show; ParameterError if the shapes do not fit."""

    V: Magnitudes  # (n_bins, n_frames)
    score: Score  # on the recording's clock
    labels: Sequence[str]  # the stem of each note

    def __post_init__(self) -> None:
        self.check(
            V=(len(self.frequencies), len(self.times)),
            labels=(len(self.score.notes),),
        )

    @cached_property
    def palette(self) -> Palette:
        """Which colour stands for whom."""
        return stems.palette(self.score, self.labels)

    @cached_property
    def strength(self) -> Float64:
        """How strongly each note is drawn: the surer, the more, shape (n_notes,)."""
        confidence = [note.confidence for note in self.score.notes]
        return np.interp(confidence, (DOUBTFUL, SURE), (FAINTEST, 1.0))

    @property
    def legend(self) -> list[tuple[str, str]]:
        """What the colours of the notes stand for, and why some are pale."""
        unsure = bool((self.strength < 1).any())
        return [*self.palette.legend, *[UNSURE] * unsure]
