"""Endings: the measures under each bracket, and the passes in which they are played.

Brackets may be too short, numbered twice or not at all, or missing over the first
ending. The repeat signs beside them show what is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from specnmf.score.repeats import MAX_PASSES, Called, RepeatMarks, order

_UNKNOWN: Called = (frozenset(), frozenset())

#: The assumptions that remarks report.
_SHORT = "the bracket over an ending is too short, extended to the repeat sign"
_LOOSE = "the bracket over an ending has no beginning, applied to this measure only"
_FIRST = "the first ending has no bracket, taken as the measure before the second"
_NUMBER = "an ending has no number or a wrong one, numbered in order"
_REPEAT = "an ending has no repeat sign at its end, added"
_UNREACHED = "an ending that no pass reaches, played as if it had no bracket"
_NESTED = "a repeat inside a repeat, played from the nearest repeat sign before"


@dataclass
class _Bracket:
    """An ending, from its first measure to its last."""

    first: int
    last: int
    numbers: frozenset[int]
    #: What its text says, if not the number.
    text: frozenset[int]
    #: Whether it is drawn from its beginning on.
    is_drawn: bool = True

    def __post_init__(self) -> None:
        self.numbers = self.numbers or self.text


class _Remarks(dict[str, list[str]]):
    """The measures for which something was assumed, by the assumption."""

    def add(self, what: str, measure: str) -> None:
        self.setdefault(what, []).append(measure)

    def lines(self) -> list[str]:
        return [f"{named(measures)}: {what}" for what, measures in self.items()]


def settle(marks: Sequence[RepeatMarks], names: Sequence[str]) -> list[str]:
    """Set the endings of each measure, and return remarks on what was assumed.

    A bracket that is only closed covers its measure. One that is too short extends to
    the repeat sign before the next. If there is none before the second ending, the
    measure with the repeat sign is the first. A number that is missing or repeated
    follows from the brackets beside it; the times of a repeat add passes to its first
    ending. If no pass reaches a measure under a bracket, it is played in all of them.
    """
    found, ahead = _Remarks(), _ahead(marks)
    for group in _groups(_brackets(marks, names, found), marks):
        _merge_numbers(group, marks, names, found)
        _add_times(group, marks)
        if _closes(group, marks) or not _lies_in_repeat(group, marks, ahead):
            _check_repeat(group, marks, names, found)
        first = group[0].first
        marks[first].anew = first > 0 and bool(marks[first - 1].endings)
        for bracket in group:
            for k in range(bracket.first, bracket.last + 1):
                marks[k].endings = bracket.numbers
    _drop_unreached(marks, names, found)
    for k in _nested(marks):
        found.add(_NESTED, names[k])
    return found.lines()


def named(measures: Sequence[str], most: int = 8) -> str:
    """The numbers of measures, at most ``most`` of them."""
    if len(measures) == 1:
        return f"measure {measures[0]}"
    more = f" and {len(measures) - most} more" if len(measures) > most else ""
    return f"measures {', '.join(measures[:most])}{more}"


def _brackets(
    marks: Sequence[RepeatMarks], names: Sequence[str], remarks: _Remarks
) -> Iterator[_Bracket]:
    """The brackets as they are meant, in order."""
    last, numbers = -1, _UNKNOWN
    for k, mark in enumerate(marks):
        if k <= last or (mark.begins is None and mark.ends is None):
            continue
        if mark.begins is None and mark.ends is not None:
            if k == last + 1 and mark.ends == numbers and not mark.backward:
                continue  # it ends the one before once more
            remarks.add(_LOOSE, names[k])
        covered, last = last, k
        numbers = mark.begins or mark.ends or _UNKNOWN
        if mark.begins is not None:
            last, is_stretched = _last(marks, k)
            if is_stretched:
                remarks.add(_SHORT, names[k])
        if _lacks_first(marks, k, covered, numbers):
            remarks.add(_FIRST, names[k - 1])
            yield _Bracket(k - 1, k - 1, *_UNKNOWN, is_drawn=False)
        yield _Bracket(k, last, *numbers, is_drawn=mark.begins is not None)


def _last(marks: Sequence[RepeatMarks], first: int) -> tuple[int, bool]:
    """The last measure of a bracket, and whether it was drawn too short."""
    end = first + 1  # where another begins
    while end < len(marks) and marks[end].begins is None and not marks[end].forward:
        end += 1
    within = range(first, end)
    stop = next((k for k in within if marks[k].ends is not None), None)
    repeat = next((k for k in within if marks[k].backward), None)
    if repeat is None:
        if stop is None and end < len(marks) and marks[end].begins is not None:
            return end - 1, False
        return (first if stop is None else stop), False
    if stop is None:
        is_second = first > 0 and marks[first - 1].backward > 0
        is_last = is_second and not _goes_on(marks, first, repeat)
        return (first if is_last else repeat), False
    if stop < repeat and not _goes_on(marks, first, repeat):
        return stop, False
    return repeat, stop < repeat


def _goes_on(marks: Sequence[RepeatMarks], first: int, repeat: int) -> bool:
    """Whether a later ending than that of a bracket begins after a repeat sign."""
    after = marks[repeat + 1].begins if repeat + 1 < len(marks) else None
    if after is None:
        return False
    own = marks[first].begins or _UNKNOWN
    last, next_last = (max(n | text, default=0) for n, text in (own, after))
    return 0 in (last, next_last) or next_last > last


def _lacks_first(
    marks: Sequence[RepeatMarks], first: int, covered: int, numbers: Called
) -> bool:
    """Whether a bracket over a second ending follows a first one without bracket."""
    before = first - 1
    if before <= covered or not marks[before].backward:
        return False
    if before == 0 or marks[before].forward or marks[before - 1].backward:
        return False  # all of the repeat would be its ending
    own = numbers[0] or numbers[1]
    return min(own) > 1 if own else not marks[first].backward


def _groups(
    brackets: Iterable[_Bracket], marks: Sequence[RepeatMarks]
) -> Iterator[list[_Bracket]]:
    """The brackets that follow each other as endings of one repeat."""
    group: list[_Bracket] = []
    for bracket in brackets:
        if group and not _continues(group, bracket, marks):
            yield group
            group = []
        group.append(bracket)
    if group:
        yield group


def _continues(
    group: Sequence[_Bracket], bracket: _Bracket, marks: Sequence[RepeatMarks]
) -> bool:
    before = group[-1]
    if bracket.first != before.last + 1:
        return False
    is_same = bracket.numbers and bracket.numbers == before.numbers
    if is_same and not marks[before.last].backward:
        return True
    is_later = max(bracket.numbers, default=0) > max(before.numbers, default=0)
    if marks[bracket.first].forward and not is_later:
        return False
    if len(group) > 1 and marks[before.first].forward:
        return False
    return marks[before.last].backward > 0 or not _closes(group, marks)


def _closes(group: Iterable[_Bracket], marks: Sequence[RepeatMarks]) -> bool:
    """Whether a repeat ends with one of the endings."""
    return any(marks[bracket.last].backward for bracket in group)


def _merge_numbers(
    group: Sequence[_Bracket],
    marks: Sequence[RepeatMarks],
    names: Sequence[str],
    remarks: _Remarks,
) -> None:
    """Give each ending of a group numbers of its own."""
    used: set[int] = set()
    most = 0
    for k, bracket in enumerate(group):
        before = group[k - 1]
        is_same = k > 0 and bracket.numbers == before.numbers
        if is_same and not marks[before.last].backward:
            continue  # a bracket for each of its measures
        ahead = group[k + 1].numbers if k + 1 < len(group) else frozenset()
        is_told = bool(bracket.numbers) and used.isdisjoint(bracket.numbers)
        if k == 0:
            is_told = 1 in bracket.numbers
        if not is_told and bracket.text and used.isdisjoint(bracket.text):
            bracket.numbers, is_told = bracket.text, True
        if not is_told:
            between = range(most + 1, min(ahead, default=0))
            bracket.numbers = frozenset(between or (most + 1,))
            if bracket.is_drawn:
                remarks.add(_NUMBER, names[bracket.first])
        used |= bracket.numbers
        most = max(most, *bracket.numbers)
    _fill_gaps(group, used)


def _fill_gaps(group: Sequence[_Bracket], used: set[int]) -> None:
    """Give every pass an ending: a missing one is that before the next."""
    for number in range(1, max(used)):
        if number not in used:
            before = [b for b in group if min(b.numbers) < number] or group[:1]
            before[-1].numbers |= {number}


def _add_times(group: Sequence[_Bracket], marks: Sequence[RepeatMarks]) -> None:
    """Play the first ending of a repeat more often, if its times say so."""
    first = group[0]
    n_passes = max(max(bracket.numbers) for bracket in group) + (len(group) == 1)
    more = min(marks[first.last].backward, MAX_PASSES) - n_passes
    if more > 0:
        begin = max(first.numbers) + 1
        first.numbers |= frozenset(range(begin, begin + more))
        for bracket in group[1:]:
            bracket.numbers = frozenset(n + more for n in bracket.numbers)


def _check_repeat(
    group: Sequence[_Bracket],
    marks: Sequence[RepeatMarks],
    names: Sequence[str],
    remarks: _Remarks,
) -> None:
    """Add a repeat sign at the end of each ending but the last, if there is none."""
    for bracket, after in pairwise(group):
        end = marks[bracket.last]
        if bracket.numbers != after.numbers and not (end.backward or _jumps(end)):
            remarks.add(_REPEAT, names[bracket.last])
            end.backward = 2


def _lies_in_repeat(
    group: Sequence[_Bracket], marks: Sequence[RepeatMarks], ahead: Sequence[int]
) -> bool:
    """Whether endings are inside a repeat, or the repetition of a jump.

    The repeat is then played once for each ending. ``ahead`` is the next measure, from
    each on, with a sign that leads elsewhere.
    """
    if any(_jumps(marks[bracket.last]) for bracket in group[:-1]):
        return True
    k = ahead[group[-1].last + 1]
    if k == len(marks) or marks[k].forward:
        return False
    after = marks[k]
    if after.backward:
        n_passes = max(max(bracket.numbers) for bracket in group)
        after.backward = max(after.backward, n_passes)
        return True
    return _jumps(after)


def _jumps(mark: RepeatMarks) -> bool:
    return mark.dacapo or mark.dalsegno is not None


def _ahead(marks: Sequence[RepeatMarks]) -> list[int]:
    """The next measure with a sign, from each measure on and after the last."""
    found = [len(marks)]
    for k in range(len(marks) - 1, -1, -1):
        mark = marks[k]
        is_sign = mark.backward or mark.forward or _jumps(mark)
        found.append(k if is_sign else found[-1])
    return found[::-1]


def _drop_unreached(
    marks: Sequence[RepeatMarks], names: Sequence[str], remarks: _Remarks
) -> None:
    """Take the brackets from measures that would never be played."""
    while True:
        played = set(order(marks))
        left = [k for k, m in enumerate(marks) if m.endings and k not in played]
        if not left:
            return
        for k in left:
            marks[k].endings = frozenset()
            remarks.add(_UNREACHED, names[k])


def _nested(marks: Sequence[RepeatMarks]) -> Iterator[int]:
    """Yield the ends of repeats that seem to contain another."""
    n_open, has_ended = 0, False
    for k, mark in enumerate(marks):
        if mark.forward:
            n_open, has_ended = n_open + 1, False
        if mark.backward:
            if has_ended and n_open and not mark.endings:
                yield k
            if not (has_ended and mark.endings):
                n_open = max(n_open - 1, 0)
            has_ended = True
