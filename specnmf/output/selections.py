"""selections.txt: when and at which frequencies each stem sounds, for Raven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.factor.factorization import Factorization
from specnmf.output import pianoroll
from specnmf.score.regions import REST
from specnmf.score.selections import Selection, write_selections

#: The file.
SELECTIONS = "selections.txt"

#: The share of a spectrum's energy that is left out below its band, and above.
TAIL = 0.05

#: Activities of a stem that are nearer than this, in seconds, are one.
GAP = 0.05


def write_activity(
    folder: Path, factors: Factorization, grid: Grid, *, start: float
) -> None:
    """Write a selection table of when and in which band each stem sounds.

    A selection is a note of the stem, as in the piano roll, but of all its components
    together. The stem ``rest`` has none: as a label it would mark where no other stem
    is heard.

    Parameters
    ----------
    folder : path
        The run.
    factors : Factorization
        The components; the label of each is its stem.
    grid : Grid
        Of the analysis.
    start : float
        Of the excerpt, in seconds: the table is on the recording's clock.
    """
    names, spectra, strengths = _by_stem(factors)
    bands = dict(zip(names, bands_of(spectra, grid), strict=True))
    pitches = np.full(len(names), np.nan)
    notes = pianoroll.transcribe(strengths, grid.times, pitches, names).notes
    boxes = (
        Selection(
            start + note.start,
            start + note.start + note.duration,
            *bands[note.part],
            note.part,
        )
        for note in notes
        if note.part != REST
    )
    write_selections(folder / SELECTIONS, merged(boxes))


def _by_stem(
    factors: Factorization,
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """The stems, their mean spectra (n_bins, n_stems), and levels in each frame."""
    names = list(dict.fromkeys(factors.labels))
    W, H = np.square(factors.W, dtype=np.float64), factors.H
    spectra = np.zeros((len(W), len(names)))
    levels = np.zeros((len(names), H.shape[1]))
    for label, template, activation in zip(factors.labels, W.T, H, strict=True):
        stem = names.index(label)
        spectra[:, stem] += template * np.square(activation, dtype=np.float64).sum()
        levels[stem] += np.sqrt(template.sum()) * activation
    return names, np.sqrt(spectra), levels


def bands_of(W: NDArray[np.floating], grid: Grid) -> list[tuple[float, float]]:
    """The band in Hz that holds the energy of each spectrum but for its tails."""
    energy = np.cumsum(np.square(W, dtype=np.float64), axis=0)
    width = grid.sr / grid.n_fft
    bands = []
    for own in energy.T:
        first, last = np.searchsorted(own, (TAIL * own[-1], (1 - TAIL) * own[-1]))
        low = max(0.0, (first - 0.5) * width)
        bands.append((low, min((last + 0.5) * width, grid.sr / 2)))
    return bands


def merged(boxes: Iterable[Selection]) -> Iterator[Selection]:
    """Yield selections; those of one name that overlap, or nearly, are one box."""
    by_name: dict[str, list[Selection]] = {}
    for box in sorted(boxes):
        own = by_name.setdefault(box.name, [])
        if own and box.start <= own[-1].end + GAP:
            own[-1] = _around((own[-1], box))
        else:
            own.append(box)
    for own in by_name.values():
        yield from own


def _around(boxes: Sequence[Selection]) -> Selection:
    """The smallest box that holds all."""
    return Selection(
        min(box.start for box in boxes),
        max(box.end for box in boxes),
        min(box.low for box in boxes),
        max(box.high for box in boxes),
        boxes[0].name,
    )
