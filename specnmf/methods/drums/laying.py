"""Strokes laid out on the frames of a recording, with the templates that they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.drums.hits import Hit, order_of
from specnmf.methods.drums.kits import LEAD, Kit, band_matrix

Integers = NDArray[np.int64]

#: A stroke may begin this many frames before or after its time.
REACH = 1

#: Templates of a sound: two, for soft and loud strokes differ in colour.
VARIANTS = 2

#: Iterations, and seconds of the strokes, by which templates of the kit are chosen.
CHOOSING, HEARD = 12, 0.25


@dataclass(frozen=True, eq=False)
class Layout:
    """Strokes on frames.

    Attributes
    ----------
    drums : tuple of str
        The stems.
    drum : array, shape (n_templates,)
        The stem of each template.
    frame, template, hit : array, shape (n_entries,)
        Where each stroke may begin, by which template; the number of the stroke.
    """

    drums: tuple[str, ...]
    drum: Integers
    frame: Integers
    template: Integers
    hit: Integers

    @property
    def owner(self) -> Integers:
        """The stem of each entry."""
        return self.drum[self.template]


def lay_out(hits: Sequence[Hit], grid: Grid, variants: int = VARIANTS) -> Layout:
    """The frames and templates of strokes: some templates for each note of a drum."""
    drums = order_of(hits)
    sounds = sorted({(drums.index(hit.drum), hit.note) for hit in hits})
    place = {sound: number for number, sound in enumerate(sounds)}
    entries: dict[tuple[int, int], int] = {}
    for number, hit in enumerate(hits):
        sound = place[drums.index(hit.drum), hit.note]
        middle = round(hit.time * grid.sr / grid.hop_length) - LEAD
        for frame in range(middle - REACH, middle + REACH + 1):
            if 0 <= frame < grid.n_frames:
                for variant in range(variants):
                    entries.setdefault((frame, sound * variants + variant), number)
    frames, templates = np.array([*entries] or np.zeros((0, 2)), np.int64).T
    drum = np.repeat([drum for drum, _ in sounds], variants).astype(np.int64)
    numbers = np.array([*entries.values()], np.int64)
    return Layout(drums, drum, frames, templates, numbers)


def strikes_of(
    layout: Layout, spectra: Float32, V: Float32, *, level: float | None = None
) -> Strikes:
    """The layer of strokes, as loud as V, (n_channels, n_frames, n_bins).

    ``spectra`` are (n_templates, n_lags, n_bins); each is scaled to sum to its number
    of frames.
    """
    sums = np.maximum(spectra.sum(axis=(1, 2), keepdims=True), 1e-20)
    scaled = spectra / sums * spectra.shape[1]
    every = np.repeat(scaled[:, :, np.newaxis], len(V), axis=2).astype(np.float32)
    level = float(V.sum(axis=2).mean()) / (2 * REACH + 1) if level is None else level
    strengths = np.full(len(layout.frame), level, np.float32)
    return Strikes(
        layout.frame,
        layout.template,
        np.ascontiguousarray(every),
        strengths,
        n_frames=V.shape[1],
    )


def choose(
    hits: Sequence[Hit], kit: Kit, V: Float32, grid: Grid, *, threads: int | None = None
) -> list[list[int]]:
    """The strokes of a kit that sound most like each sound of a recording.

    All strokes of a drum compete to explain the recording in the bands of the kit, at
    the times of its hits.

    Returns
    -------
    list of lists of int
        For each sound of `lay_out`, numbers of strokes, the best first.
    """
    drums = order_of(hits)
    sounds = sorted({(drums.index(hit.drum), hit.note) for hit in hits})
    own = [_strokes_for(kit, drums[drum], note) for drum, note in sounds]
    B = (V.mean(axis=0) @ band_matrix(grid.frequencies).T)[np.newaxis]
    offered = [(number, stroke) for number, each in enumerate(own) for stroke in each]
    entries = []
    for hit in hits:
        sound = sounds.index((drums.index(hit.drum), hit.note))
        middle = round(hit.time * grid.sr / grid.hop_length) - LEAD
        for frame in range(max(0, middle - REACH), min(middle + REACH + 1, len(V[0]))):
            entries += [(frame, i) for i, (s, _) in enumerate(offered) if s == sound]
    frame, template = np.array(sorted(set(entries)) or np.zeros((0, 2)), np.int64).T
    numbers = np.zeros(len(offered), np.int64)
    layout = Layout(drums, numbers, frame, template, numbers)
    bands = kit.bands(grid.hop_length / grid.sr, HEARD)
    spectra = bands[[stroke for _, stroke in offered]]
    level = float(B.sum(axis=2).mean()) / 10
    strikes = Held(strikes_of(layout, spectra, B, level=level))
    fit(np.ascontiguousarray(B), [strikes], max_iter=CHOOSING, threads=threads)
    loud = strikes.spectra.sum(axis=(1, 2, 3))[template]
    used = np.bincount(template, strikes.strengths * loud, len(offered))
    chosen = []
    for number, each in enumerate(own):
        mine = [used[i] for i, (sound, _) in enumerate(offered) if sound == number]
        chosen.append([each[i] for i in np.argsort(-np.array(mine), kind="stable")])
    return chosen


class Held(Strikes):
    """Strokes whose templates stay, or leave those of the start by degrees."""

    def __init__(self, strikes: Strikes, adapt: float = 0.0) -> None:
        self.strikes, self.heard = strikes.strikes, strikes.heard
        self.spectra, self.strengths = strikes.spectra, strikes.strengths
        self.adapt, self.start = adapt, strikes.spectra.copy()

    def gather(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """Numerators of the strengths, in all iterations where the templates stay."""
        return super().gather(frames, ratio, iteration if self.adapt else 0)

    def learn(self, numerators: Float32, iteration: int) -> None:
        """Update as `Strikes`; the start weighs as its degree says."""
        super().learn(numerators, iteration if self.adapt else 0)
        if self.adapt and iteration % 2:
            degree = np.float32(self.adapt)
            sums = self.start.sum(axis=(1, 2, 3), keepdims=True)
            now = np.maximum(self.spectra.sum(axis=(1, 2, 3), keepdims=True), 1e-20)
            held = self.start * (now / np.maximum(sums, 1e-20))
            self.spectra = degree * self.spectra + (1 - degree) * held


def _strokes_for(kit: Kit, drum: str, note: int) -> list[int]:
    """The strokes of a kit for a note: open hi-hats for 46, else all of the drum."""
    names = kit.drums
    kinds: tuple[str, ...] = {46: ("openhat",), 44: ("hihat",)}.get(note, (drum,))
    if note == 42:  # where it is heard, a hi-hat may be open
        kinds = ("hihat", "openhat")
    own = [i for i, name in enumerate(names) if name in kinds]
    own = own or [i for i, name in enumerate(names) if name == drum]
    return own or list(range(len(names)))
