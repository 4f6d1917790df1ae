"""Repeats: in which order the measures of a score are played."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from specnmf.errors import ScoreError

#: Ten hours of measures of a third of a second are 108 000.
MAX_MEASURES = 200_000


@dataclass
class RepeatMarks:
    """What stands at a measure that sends the player elsewhere."""

    #: A repeat begins with the measure.
    forward: bool = False
    #: How often that which ends with the measure is played; 0 if no repeat ends.
    backward: int = 0
    #: The passes that the measure is for; empty if for all.
    endings: frozenset[int] = frozenset()
    #: Where a jump leads to.
    segno: bool = False
    coda: bool = False
    #: Where a jump starts, or the piece ends after one, behind the measure.
    dacapo: bool = False
    dalsegno: bool = False
    tocoda: bool = False
    fine: bool = False


def order(marks: Sequence[RepeatMarks]) -> list[int]:
    """The numbers of the measures as they are played, the first being 0.

    Repeats are played as often as they say, endings in their passes. A jump da capo or
    dal segno happens once; after it repeats are left out, the last endings played, and
    *al coda* and *al fine* obeyed. Raises ScoreError if that makes more than 200 000.
    """
    player = _Player(marks)
    while player.place < len(marks):
        player.step()
        if len(player.played) > MAX_MEASURES:
            raise ScoreError(f"has more than {MAX_MEASURES} measures with its repeats")
    return player.played


class _Player:
    """Where a player of a score is, and what has been played."""

    def __init__(self, marks: Sequence[RepeatMarks]) -> None:
        self.marks = marks
        self.n_passes = _n_passes(marks)
        self.segnos = [k for k, mark in enumerate(marks) if mark.segno]
        self.codas = [k for k, mark in enumerate(marks) if mark.coda]
        self.played: list[int] = []
        self.place = 0
        self.section = 0  # where its repeat begins
        self.turn = 1  # its passes, counted from 1
        self.has_jumped = False

    def step(self) -> None:
        """Play a measure, or leave it out, and go on to the next."""
        here = self.marks[self.place]
        if here.endings and not self._is_due(here):
            self.place += 1
            return
        if here.forward and self.place != self.section:
            self._begin(self.place)
        self.played.append(self.place)
        if self._is_repeated(here):
            self.turn += 1
            self.place = self.section
        elif (target := self._target(here)) is not None:
            self.place = target
        else:
            self.place += 1
            if here.backward or self._leaves_endings(here):
                self._begin(self.place)

    def _begin(self, section: int) -> None:
        self.section = section
        self.turn = 1

    def _is_due(self, here: RepeatMarks) -> bool:
        """Whether an ending is for this pass, or has been entered already."""
        if self.place == self.section and self.turn > 1:
            return True
        if self.played and self.played[-1] == self.place - 1 >= self.section:
            before = self.marks[self.place - 1]
            if before.endings == here.endings and not before.backward:
                return True
        turn = self.n_passes[self.place] if self.has_jumped else self.turn
        return turn in here.endings

    def _is_repeated(self, here: RepeatMarks) -> bool:
        n_passes = self.n_passes[self.place] if here.endings else here.backward
        return here.backward > 0 and not self.has_jumped and self.turn < n_passes

    def _leaves_endings(self, here: RepeatMarks) -> bool:
        """Whether the endings of the repeat are over with the measure played last."""
        if not here.endings or self.marks[self.section].endings:
            return False
        return self.place == len(self.marks) or not self.marks[self.place].endings

    def _target(self, here: RepeatMarks) -> int | None:
        """Where a jump leads to, if one is due behind the measure."""
        if not self.has_jumped:
            self.has_jumped = here.dacapo or here.dalsegno
            if here.dacapo or (here.dalsegno and not self.segnos):
                return 0
            return self.segnos[0] if here.dalsegno else None
        if here.fine:
            return len(self.marks)
        if here.tocoda and self.codas and self.codas[-1] > self.place:
            return self.codas[bisect_right(self.codas, self.place)]
        return None


def _n_passes(marks: Sequence[RepeatMarks]) -> list[int]:
    """How often the repeat of each measure with an ending is played.

    As often as the endings that follow one another say; after a single one, once more
    without it.
    """
    n_passes: list[int] = []
    for _, group in groupby(marks, key=lambda mark: bool(mark.endings)):
        endings = [mark.endings for mark in group]
        last = max(frozenset().union(*endings), default=0)
        is_single = len(set(endings)) == 1
        n_passes += [last + is_single] * len(endings)
    return n_passes
