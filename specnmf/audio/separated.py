"""Separated: what a separation in memory gives, a dict that can be heard."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio

#: Where what notebooks show is made: below this module, so found when it is asked for.
PLAYER = "specnmf.output.page.notebook:stems_html"


class Separated(dict[str, Audio]):
    """Sources by name: a dict of str to Audio, which a notebook shows as a player.

    Parameters
    ----------
    sources : mapping of str to Audio, or iterable of pairs
        As for dict.
    notes : Score, optional
        The notes; the part of each is its source.

    Attributes
    ----------
    notes : Score or None
        The notes on the clock of the sources; the part of each is its source.
    factors : Factorization or None
        The model, V ≈ W H; its labels are those of the sources.
    pitches : array, shape (n_components,), float64, or None
        The pitch of each component as a MIDI number; NaN without one.
    frequencies : array, shape (n_bins,), float64, or None
        The centres of the rows of W in Hz.
    times : array, shape (n_frames,), float64, or None
        The centres of the columns of H in seconds.
    remarks : tuple of str
        Warnings: what a command would print.
    layers : Layers or None
        All layers, of a recording in layers.

    Examples
    --------
    >>> import specnmf
    >>> stems = specnmf.decompose("audio_examples/drums/drums.flac", duration=2.0)
    >>> list(stems)[:2]
    ['component_01', 'component_02']
    >>> stems["component_01"]
    Audio(1 channel, 44100 Hz, 2.0 s)
    >>> stems.factors
    Factorization(8 components, 1025 bins, 173 frames, ... iterations)
    >>> stems.times.shape
    (173,)
    """

    factors: Any
    pitches: NDArray[np.float64] | None
    frequencies: NDArray[np.float64] | None
    times: NDArray[np.float64] | None

    def __init__(
        self,
        sources: Mapping[str, Audio] | Iterable[tuple[str, Audio]] = (),
        *,
        notes: Any = None,
    ) -> None:
        super().__init__(sources)
        self.notes = notes
        self.factors = self.pitches = self.frequencies = self.times = None
        self.remarks: tuple[str, ...] = ()
        self.layers: Any = None

    def describe(
        self, factors: Any, grid: Any, pitches: NDArray[np.float64] | None = None
    ) -> None:
        """Take note of the model, and of the grid of its bins and frames."""
        self.factors, self.pitches = factors, pitches
        self.frequencies, self.times = grid.frequencies, grid.times

    def copy(self) -> Separated:
        """The same sources in another dict."""
        copied = Separated(self)
        vars(copied).update(vars(self))
        return copied

    def __repr__(self) -> str:
        """One line: the names, and the sound of the first."""
        first = next(iter(self.values()), None)
        names = ", ".join(map(repr, self))
        return f"Separated({names}: {first!r} each)" if self else "Separated()"

    def _repr_html_(self) -> str | None:
        """The player, in a notebook; None, and so the repr, where there is no sound."""
        html: str | None = pkgutil.resolve_name(PLAYER)(self, self.notes)
        return html
