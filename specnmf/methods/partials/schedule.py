"""Schedule: which note may sound in which frame, and whose it is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.factor.parametric.lobes import Support
from specnmf.score.notes import Note, Score

Integers = NDArray[np.int64]

#: Seconds before its onset and after its end in which a note may sound.
BEFORE, AFTER = 0.05, 0.1

#: A note that is struck again this soon before its end, in seconds, has ended.
REPEAT = 0.05

#: A strike may begin so many frames before or after its place in the score.
STRIKE_REACH = 1


class Template(NamedTuple):
    """A pitch as one part plays it, a drum, or an octave of hammers."""

    part: str
    pitch: int


@dataclass(frozen=True, eq=False)
class Hits:
    """What is struck, and when.

    Attributes
    ----------
    templates : tuple of Template
        What each sounds like is to be found.
    frame, template, owner : array, shape (n_hits,)
        When each hit may begin, what it hits, and the stem it belongs to.
    """

    templates: tuple[Template, ...]
    frame: Integers
    template: Integers
    owner: Integers


@dataclass(frozen=True, eq=False)
class Schedule:
    """A score laid out on the frames of a recording.

    Attributes
    ----------
    templates : tuple of Template
        The pitches that are played, one for each part that plays it.
    support : Support
        Which of them may sound in which frames: the entries.
    owner : array, shape (n_entries,)
        The stem that each entry belongs to.
    hammers : Hits
        The attacks of struck strings, alike within an octave.
    struck : array of bool, shape (n_templates,)
        The templates of struck strings.
    """

    templates: tuple[Template, ...]
    support: Support
    owner: Integers
    drums: Hits
    hammers: Hits
    stems: tuple[str, ...]
    struck: NDArray[np.bool_]


def make_schedule(
    score: Score,
    labels: Sequence[str],
    grid: Grid,
    *,
    stems: Sequence[str] | None = None,
    struck: Collection[str] = (),
) -> Schedule:
    """Find the frames in which each note may sound.

    A note may sound from BEFORE its onset to AFTER its end, but not into the next
    note of the same template. Where two stems hold the same note, each has an entry.

    Parameters
    ----------
    score : Score
        On the recording's clock; what lies beyond the recording is left out.
    labels : sequence of str
        The stem of each note.
    stems : sequence of str, optional
        All of them, in order; by default as they first appear.
    struck : collection of str
        The parts that strike strings.
    """
    stems = tuple(dict.fromkeys(labels)) if stems is None else tuple(stems)
    number = {stem: i for i, stem in enumerate(stems)}
    owners = [number[label] for label in labels]
    owned = list(zip(score.notes, owners, strict=True))
    played = [(Template(n.part, n.pitch), n, o) for n, o in owned]
    pitched = [each for each in played if not each[1].percussion]
    drums = [each for each in played if each[1].percussion]
    hammers = [
        (Template(n.part, n.pitch // 12), n, o)
        for _, n, o in pitched
        if n.part in struck
    ]
    templates = sorted({template for template, _, _ in pitched})
    spans = list(_spans(pitched, templates, grid))
    entries = _unique(spans, (len(templates), len(stems)))
    counts = np.bincount(entries[0], minlength=grid.n_frames)
    support = Support(np.concatenate([[0], np.cumsum(counts)]), entries[1])
    return Schedule(
        tuple(templates),
        support,
        entries[2],
        _hits(drums, len(stems), grid),
        _hits(hammers, len(stems), grid),
        stems,
        np.array([template.part in struck for template in templates], bool),
    )


#: A note with its template and its stem.
_Owned = tuple[Template, Note, int]

#: Frames from and to, template and stem.
_Span = tuple[int, int, int, int]


def _spans(
    notes: list[_Owned], templates: list[Template], grid: Grid
) -> Iterator[_Span]:
    """The frames of each note, cut where its template is played again."""
    number = {template: i for i, template in enumerate(templates)}
    starts: dict[Template, list[float]] = {template: [] for template in templates}
    for template, note, _ in notes:
        starts[template].append(note.start)
    rate = grid.sr / grid.hop_length
    for template, note, owner in notes:
        end = note.start + note.duration
        again = bisect_right(starts[template], max(note.start, end - REPEAT))
        end += AFTER
        if again < len(starts[template]):
            end = min(end, starts[template][again] - BEFORE)
        first = int(np.ceil((note.start - BEFORE) * rate))
        last = max(int(np.floor(end * rate)), first)
        yield *_clipped(first, last + 1, grid), number[template], owner


def _hits(notes: list[_Owned], n_stems: int, grid: Grid) -> Hits:
    """The frames in which each strike may begin."""
    templates = sorted({template for template, _, _ in notes})
    number = {template: i for i, template in enumerate(templates)}
    spans = []
    for template, note, owner in notes:
        frame = round(note.start * grid.sr / grid.hop_length)
        first, stop = _clipped(frame - STRIKE_REACH, frame + STRIKE_REACH + 1, grid)
        spans.append((first, stop, number[template], owner))
    hits = _unique(spans, (max(1, len(templates)), n_stems))
    return Hits(tuple(templates), *hits)


def _clipped(first: int, stop: int, grid: Grid) -> tuple[int, int]:
    return min(max(0, first), grid.n_frames), min(max(0, stop), grid.n_frames)


def _unique(spans: list[_Span], shape: tuple[int, int]) -> Integers:
    """Every frame, template and stem once, in this order, shape (3, n)."""
    if not spans:
        return np.zeros((3, 0), np.int64)
    first, stop, template, owner = np.array(spans, np.int64).T
    counts = stop - first
    rows = np.repeat(np.arange(len(spans)), counts)
    frame = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    frame += first[rows]
    n_templates, n_owners = shape
    keys = np.unique((frame * n_templates + template[rows]) * n_owners + owner[rows])
    rest, owner = np.divmod(keys, n_owners)
    frame, template = np.divmod(rest, n_templates)
    return np.stack([frame, template, owner])
