"""Guitar Pro's jumps and repeats, of all its versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from specnmf.score.musicxml_measures import Measure
from specnmf.score.repeats import RepeatMarks

#: The places where jumps lead, as measures call them; Da Coda is where one leaves.
_JUMP = re.compile(
    r"da(capo|segnosegno|segno|doublecoda|coda)(?:al(coda|doublecoda|fine))?"
)

_CODAS = "coda", "doublecoda"

#: How often a repeat is played at most.
_MOST_TIMES = 99


def place(marks: RepeatMarks, name: str) -> None:
    """Mark a place that jumps lead to: a segno or a coda."""
    plain = _plain(name)
    if plain in _CODAS:
        marks.coda.add(plain)
    elif plain in ("segno", "segnosegno"):
        marks.segno.add(plain)


def jumps(measures: Sequence[Measure], signs: Iterable[tuple[int, str]]) -> None:
    """Add jumps, each by its measure and name, such as *Da Segno al Coda*.

    A *Fine* or *Da Coda* counts if a jump asks for it.
    """
    found: list[tuple[RepeatMarks, str, str | None]] = []
    for k, name in signs:
        if (known := _JUMP.fullmatch(_plain(name))) is not None:
            found.append((measures[k].marks, known[1], known[2]))
        elif _plain(name) == "fine":
            found.append((measures[k].marks, "fine", None))
    asked = {until for *_, until in found if until}
    for marks, target, _ in found:
        if target == "capo":
            marks.dacapo = True
        elif target in ("segno", "segnosegno"):
            marks.dalsegno = target
        elif target == "fine":
            marks.fine |= "fine" in asked
        elif target in asked:
            marks.tocoda = target


def repeat(marks: RepeatMarks, *, opens: bool, times: int) -> None:
    """Begin a repeat with a measure, or end one that is played so many times."""
    marks.forward |= opens
    if times > 1:
        marks.backward = max(marks.backward, min(times, _MOST_TIMES))


def _plain(name: str) -> str:
    return "".join(name.lower().split())
