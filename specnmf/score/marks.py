"""Marks: the regions of a recording, frame by frame."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ScoreError
from specnmf.score.regions import REST, Region

#: Seconds that a region may end too late without a word, for programs round.
SLACK = 0.01


@dataclass(frozen=True, eq=False)
class Marks:
    """The regions of a recording, frame by frame."""

    #: The sounds, in order of first appearance.
    names: tuple[str, ...]
    #: Whether a sound is marked there, (n_names, n_frames).
    heard: NDArray[np.bool_]
    #: Whether anything is, (n_frames,): what is not heard then is marked as absent.
    annotated: NDArray[np.bool_]
    #: What to know of the regions.
    remarks: tuple[str, ...] = ()
    #: The frequencies between which sounds lie, in Hz, by their names.
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def mark(
    regions: Iterable[Region],
    times: NDArray[np.float64],
    *,
    duration: float,
    start: float = 0.0,
    ends: bool = True,
) -> Marks:
    """The marks of regions in the frames of a recording, or of an excerpt.

    Names that differ only in case are the same sound. Regions of a sound that overlap
    are joined, and regions outside the excerpt are left out. If the recording ``ends``
    with the excerpt, a remark tells of regions that go on.

    The regions are in seconds of the recording; the centres of the frames, increasing,
    are in seconds from the start of the excerpt.

    Raises ScoreError if a sound is marked where `REST` is, if no region of a sound lies
    in the excerpt, or if all are shorter than a frame.
    """
    spelled, respelled = _one_spelling(regions)
    joined, overlaps = _joined(spelled)
    _check_rest(joined)
    end = start + duration
    beyond = _beyond(joined, end) if ends else ()
    inside = _inside(joined, start, end)
    marks = _audible(frames_of(inside, _names(inside), times), _names(joined))
    if not marks.names:
        raise ScoreError(_why_none(joined, start, end, ends))
    return replace(marks, remarks=(*respelled, *overlaps, *beyond, *marks.remarks))


def bounded(marks: Marks, bounds: Mapping[str, tuple[float, float]]) -> Marks:
    """Marks with the bounds of their sounds, whatever the spelling of their names.

    Of several spellings with bounds, the widest count.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for name, each in bounds.items():
        found.setdefault(_identity(name), []).append(each)
    own = {name: found.get(_identity(name), []) for name in marks.names if name != REST}
    widest = {
        name: (min(low for low, _ in each), max(high for _, high in each))
        for name, each in own.items()
        if each
    }
    return replace(marks, bounds=widest)


def frames_of(
    regions: Iterable[Region], names: Sequence[str], times: NDArray[np.float64]
) -> Marks:
    """The sounds marked in the frames whose centres, increasing, lie in a region.

    The regions are those of the given names, and of `REST`.
    """
    rows = {name: row for row, name in enumerate((*names, REST))}
    marked = np.zeros((len(rows), len(times)), bool)
    for start, end, name in regions:
        first, last = np.searchsorted(times, (start, end))
        marked[rows[name], first:last] = True
    return Marks(tuple(names), marked[:-1], np.asarray(marked.any(axis=0)))


def runs(
    active: NDArray[np.bool_],
    names: Iterable[str],
    times: NDArray[np.float64],
    *,
    duration: float,
    start: float = 0.0,
) -> tuple[Region, ...]:
    """The regions in which sounds (n_names, n_frames) are active, in order of time.

    The centres of the frames, evenly spaced, are in seconds from the start of the
    excerpt, the regions in seconds of the recording. A region begins and ends halfway
    between two frames and stays within the excerpt.
    """
    half = (times[1] - times[0]) / 2 if len(times) > 1 else duration
    found = []
    for row, name in zip(active, names, strict=True):
        steps = np.diff(row.astype(np.int8), prepend=0, append=0)
        starts = np.maximum(times[steps[:-1] > 0] - half, 0)
        ends = np.minimum(times[steps[1:] < 0] + half, duration)
        found += [
            Region(start + since, start + until, name)
            for since, until in zip(starts.tolist(), ends.tolist(), strict=True)
            if since < until
        ]
    return tuple(sorted(found))


def _one_spelling(regions: Iterable[Region]) -> tuple[list[Region], list[str]]:
    """Regions with the first spelling of each name, and remarks on the changes."""
    spellings: dict[str, dict[str, None]] = {REST: {REST: None}}
    spelled = []
    for region in regions:
        alike = spellings.setdefault(_identity(region.name), {})
        alike[region.name] = None
        spelled.append(region._replace(name=next(iter(alike))))
    del spellings[REST]
    remarks = [
        f"{' and '.join(alike)} are treated as one sound, {next(iter(alike))}"
        for alike in spellings.values()
        if len(alike) > 1
    ]
    return spelled, remarks


def _identity(name: str) -> str:
    """A key that is equal for names that differ only in case or encoding of accents."""
    return unicodedata.normalize("NFC", name).casefold()


def _joined(regions: Iterable[Region]) -> tuple[list[Region], list[str]]:
    """Regions in order of time without overlaps, and remarks on what was changed."""
    by_name: dict[str, list[Region]] = {}
    overlaps: dict[str, tuple[Region, Region]] = {}
    for region in sorted(regions):
        own = by_name.setdefault(region.name, [])
        if own and region.start < own[-1].end:
            overlaps.setdefault(region.name, (own[-1], region))
            own[-1] = own[-1]._replace(end=max(own[-1].end, region.end))
        else:
            own.append(region)
    remarks = [
        f"regions of {name} overlap ({_times(one)} and {_times(other)}): joined"
        for name, (one, other) in overlaps.items()
    ]
    return sorted(region for own in by_name.values() for region in own), remarks


def _check_rest(regions: Sequence[Region]) -> None:
    """Raise ScoreError where a sound is marked and `REST` is too."""
    rests = [region for region in regions if region.name == REST]
    starts = [rest.start for rest in rests]
    for region in regions:
        before = bisect_left(starts, region.end) - 1  # the last to start in time
        if region.name != REST and before >= 0 and rests[before].end > region.start:
            raise ScoreError(
                f"{region.name} is marked from {_times(region)}, and {REST}, where no "
                f"sound is heard, from {_times(rests[before])}; shorten one of them"
            )


def _beyond(regions: Iterable[Region], end: float) -> Iterator[str]:
    """Yield remarks on regions that go on after the end of the recording."""
    where = f"the end of the recording at {_spell(end)} s"
    after = [region for region in regions if region.start >= end]
    across = [r for r in regions if r.start < end and r.end > end + SLACK]
    for found, verb in ((after, "left out: after"), (across, "cut: goes beyond")):
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            name, times = found[0].name, _times(found[0])
            yield f"{name} from {times}{more} {verb} {where}"


def _inside(regions: Iterable[Region], start: float, end: float) -> list[Region]:
    """The parts of the regions in an excerpt, on its clock."""
    return [
        Region(max(since, start) - start, min(until, end) - start, name)
        for since, until, name in regions
        if max(since, start) < min(until, end)
    ]


def _names(regions: Iterable[Region]) -> tuple[str, ...]:
    """The sounds, in order of first appearance."""
    return tuple(dict.fromkeys(name for _, _, name in regions if name != REST))


def _audible(marks: Marks, every: Sequence[str]) -> Marks:
    """The sounds that are marked in some frame, and remarks on the others."""
    rows = np.flatnonzero(marks.heard.any(axis=1))
    names = tuple(marks.names[row] for row in rows)
    remarks = tuple(
        f"{name} is not marked in any frame of the excerpt: left out"
        for name in every
        if name not in names
    )
    return Marks(names, marks.heard[rows], marks.annotated, remarks)


def _why_none(regions: Sequence[Region], start: float, end: float, ends: bool) -> str:
    """The reason why no sound is marked in any frame of an excerpt."""
    sounds = [region for region in regions if region.name != REST]
    if not sounds:
        return f"only {REST} is marked; mark where a sound is heard"
    if ends and all(region.start >= end for region in sounds):
        return (
            f"all regions are after the end of the recording at {_spell(end)} s; "
            "do they belong to another recording?"
        )
    if not any(name != REST for _, _, name in _inside(regions, start, end)):
        return (
            f"no sound is marked from {_spell(start)} to {_spell(end)} s; mark one, "
            "or choose another excerpt"
        )
    return "all regions are shorter than a frame; mark longer ones"


def _times(region: Region) -> str:
    return f"{_spell(region.start)} to {_spell(region.end)} s"


def _spell(seconds: float) -> str:
    """Seconds as a label track has them, without zeros at the end."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
