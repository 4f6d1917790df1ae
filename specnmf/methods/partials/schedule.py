"""Schedule: the notes that may sound in each frame, and their stems."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.factor.parametric.fading import ENDED, FREE, HELD, RELEASED, Fading
from specnmf.factor.parametric.lobes import Support
from specnmf.score.notes import Note, Score

Integers = NDArray[np.int64]

#: Seconds before the onset and after the end in which a note may sound.
BEFORE, AFTER = 0.05, 0.1

#: Seconds for which a note may ring on after that.
RING = 0.5

#: Seconds of a note's attack after its onset, and of its release before its end.
ATTACK, RELEASE = 0.15, 0.05

#: A note ends at its next strike if that is at most this long before its end (seconds).
REPEAT = 0.05

#: A strike may start this many frames before or after its time in the score.
STRIKE_REACH = 1


class Template(NamedTuple):
    """A pitch of one part, a drum, or the hammers of an octave."""

    part: str
    pitch: int


@dataclass(frozen=True, eq=False)
class Hits:
    """Strikes: their templates and times.

    Attributes
    ----------
    templates : tuple of Template
        The templates, whose sounds are to be found.
    frame, template, owner : array, shape (n_hits,)
        The first possible frame of each hit, its template and its stem.
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
        The played pitches, one for each part that plays it.
    support : Support
        The frames in which each of them may sound: the entries.
    owner : array, shape (n_entries,)
        The stem of each entry.
    hammers : Hits
        The attacks of struck strings, equal within an octave.
    struck : array of bool, shape (n_templates,)
        The templates of struck strings.
    fading : Fading or None
        Where the notes may only fade; None: nowhere.
    """

    templates: tuple[Template, ...]
    support: Support
    owner: Integers
    drums: Hits
    hammers: Hits
    stems: tuple[str, ...]
    struck: NDArray[np.bool_]
    fading: Fading | None = None


def make_schedule(
    score: Score,
    labels: Sequence[str],
    grid: Grid,
    *,
    stems: Sequence[str] | None = None,
    struck: Collection[str] = (),
    ringing: bool = False,
) -> Schedule:
    """Find the frames in which each note may sound.

    A note may sound from BEFORE its onset to AFTER its end, but not beyond the start of
    the next note of its template. If two stems have the same note, each has an entry.
    A ringing note may fade for another RING seconds.

    Parameters
    ----------
    score : Score
        In the recording's time; notes beyond the recording are left out.
    labels : sequence of str
        The stem of each note.
    stems : sequence of str, optional
        All stems, in order; by default in the order of their first notes.
    struck : collection of str
        The parts with struck strings.
    ringing : bool
        Whether notes ring on, and fade.
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
    shape = len(templates), len(stems)
    after = AFTER + RING if ringing else AFTER
    entries = _unique(list(_spans(pitched, templates, grid, after=after)), shape)
    fading = _fading(entries, pitched, templates, grid, shape) if ringing else None
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
        fading,
    )


#: A note with its template and its stem.
_Owned = tuple[Template, Note, int]

#: Frames from and to, template and stem.
_Span = tuple[int, int, int, int]


def _spans(
    notes: list[_Owned],
    templates: list[Template],
    grid: Grid,
    *,
    after: float = AFTER,
    longest: float = np.inf,
) -> Iterator[_Span]:
    """The frames of each note, cut where its template is played again.

    They end ``after`` its end or ``longest`` from its onset, whichever comes first.
    """
    number = {template: i for i, template in enumerate(templates)}
    starts: dict[Template, list[float]] = {template: [] for template in templates}
    for template, note, _ in notes:
        starts[template].append(note.start)
    rate = grid.sr / grid.hop_length
    for template, note, owner in notes:
        end = note.start + note.duration
        again = bisect_right(starts[template], max(note.start, end - REPEAT))
        end = min(end + after, note.start + longest)
        if again < len(starts[template]):
            end = min(end, starts[template][again] - BEFORE)
        first = int(np.ceil((note.start - BEFORE) * rate))
        last = max(int(np.floor(end * rate)), first)
        yield *_clipped(first, last + 1, grid), number[template], owner


def _fading(
    entries: Integers,
    notes: list[_Owned],
    templates: list[Template],
    grid: Grid,
    shape: tuple[int, int],
) -> Fading:
    """Where the entries are in their notes; the last of several notes counts."""
    keys = entry_keys(entries, shape)
    state = np.full(len(keys), ENDED, np.int64)
    for number, after, longest in (
        (RELEASED, AFTER, np.inf),
        (HELD, -RELEASE, np.inf),
        (FREE, AFTER, ATTACK),
    ):
        spans = list(_spans(notes, templates, grid, after=after, longest=longest))
        state[np.isin(keys, entry_keys(_unique(spans, shape), shape))] = number
    before = keys - shape[0] * shape[1]
    place = np.searchsorted(keys, before)
    previous = np.where(keys[place] == before, place, -1)
    _, part = np.unique([t.part for t in templates], return_inverse=True)
    instrument = np.asarray(part, np.int64)[entries[1]]
    return Fading(previous, state, instrument, grid.hop_length / grid.sr)


def _hits(notes: list[_Owned], n_stems: int, grid: Grid) -> Hits:
    """The frames in which each strike may start."""
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
    """Every combination of frame, template and stem once, shape (3, n)."""
    if not spans:
        return np.zeros((3, 0), np.int64)
    first, stop, template, owner = np.array(spans, np.int64).T
    counts = stop - first
    rows = np.repeat(np.arange(len(spans)), counts)
    frame = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    frame += first[rows]
    keys = np.unique(entry_keys((frame, template[rows], owner[rows]), shape))
    rest, owner = np.divmod(keys, shape[1])
    frame, template = np.divmod(rest, shape[0])
    return np.stack([frame, template, owner])


def entry_keys(entries: Iterable[Integers], shape: tuple[int, int]) -> Integers:
    """A number for each frame, template and stem, in this order."""
    frame, template, owner = entries
    return (frame * shape[0] + template) * shape[1] + owner
