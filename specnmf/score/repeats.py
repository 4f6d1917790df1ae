"""Repeats: the order in which the measures of a score are played."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import NamedTuple

from specnmf.errors import ScoreError

#: Ten hours of measures of a third of a second are 108 000.
MAX_MEASURES = 200_000

#: Of a repeat with endings.
MAX_PASSES = 99

#: The passes that an ending is for, as its number says, and as its text does.
Called = tuple[frozenset[int], frozenset[int]]


@dataclass
class RepeatMarks:
    """The marks of a measure that send the player elsewhere."""

    #: A repeat begins with the measure.
    forward: bool = False
    #: How often that which ends with the measure is played; 0 if no repeat ends.
    backward: int = 0
    #: Whether that is so after a jump as well.
    after_jump: bool = False
    #: An ending begins or ends with the measure, as it is written.
    begins: Called | None = None
    ends: Called | None = None
    #: The passes that the measure is for; empty if for all.
    endings: frozenset[int] = frozenset()
    #: Whether it follows other endings, but is the first of another repeat.
    anew: bool = False
    #: Where a jump leads to, by the names that jumps have for it.
    segno: set[str] = field(default_factory=set)
    coda: set[str] = field(default_factory=set)
    #: Where a jump starts, or the piece ends after one, behind the measure.
    dacapo: bool = False
    dalsegno: str | None = None
    tocoda: str | None = None
    fine: bool = False
    #: Signs of segno and coda, and words.
    signs: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)


class Group(NamedTuple):
    """Endings that follow one another."""

    #: How often their repeat is played.
    n_passes: int
    #: Whether it ends with them.
    closes: bool


def order(marks: Sequence[RepeatMarks]) -> list[int]:
    """The numbers of the measures in the order of playing; the first is 0.

    Repeats are played as often as stated, endings in their passes. A jump da capo or
    dal segno happens once, in the last pass of its repeat. Until the player returns to
    it, or reaches the coda, repeats are left out unless they state otherwise, the last
    endings are played, and *al coda* and *al fine* are followed. If measures remain
    after the jump of the end, the piece goes on with them. Raises ScoreError beyond 200
    000 measures.
    """
    player = _Player(marks)
    while player.place < len(marks):
        player.step()
        if len(player.played) > MAX_MEASURES:
            raise ScoreError(f"has more than {MAX_MEASURES} measures with its repeats")
    return player.played


class _Player:
    """The position of a player in a score, and what has been played."""

    def __init__(self, marks: Sequence[RepeatMarks]) -> None:
        self.marks = marks
        self.groups = groups(marks)
        self.bounds = _bounds(marks)
        self.segnos = _places(mark.segno for mark in marks)
        self.codas = _places(mark.coda for mark in marks)
        self.played: list[int] = []
        self.place = 0
        self.section = 0  # where its repeat begins
        self.turn = 1  # its passes, counted from 1
        self.jumps: set[int] = set()  # those made
        self.origin: int | None = None  # of the jump after which the player is

    def step(self) -> None:
        """Play a measure, or leave it out, and go to the next."""
        here = self.marks[self.place]
        if self.origin is not None and self.place > self.origin:
            self._return(self.origin)
        if here.anew and self.place != self.section:
            self._begin(self.place)
        if here.endings and not self._is_due(here):
            self.place += 1
            if self._leaves_endings(here):
                self._begin(self.place)
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

    def _return(self, origin: int) -> None:
        """Go on as before after the origin of a jump; repeats around it are over."""
        self.origin = None
        self._begin(self.place)
        if self.place == len(self.marks):
            return
        ends = self.bounds[self.place]
        if ends and ends == self.bounds[origin]:
            self.turn = self._n_passes(ends[0])
        elif self.groups[self.place] is self.groups[origin]:
            self.turn = self.groups[origin].n_passes

    def _n_passes(self, end: int) -> int:
        """The number of passes of the repeat that ends with a measure."""
        mark = self.marks[end]
        return self.groups[end].n_passes if mark.endings else mark.backward

    def _in_ending(self) -> bool:
        """Whether the repeat is inside a later ending of another."""
        start = self.marks[self.section].endings
        return bool(start) and 1 not in start

    def _is_due(self, here: RepeatMarks) -> bool:
        """Whether an ending is for this pass, or has already been entered."""
        if self.place == self.section and self._in_ending() and self.turn > 1:
            return True
        if self.played and self.played[-1] == self.place - 1 >= self.section:
            before = self.marks[self.place - 1]
            if before.endings == here.endings and not before.backward:
                return True
        is_last = self.origin is not None and not self._may_repeat()
        turn = self.groups[self.place].n_passes if is_last else self.turn
        return turn in here.endings

    def _may_repeat(self) -> bool:
        """Whether the next repeat is played after a jump."""
        return any(self.marks[k].after_jump for k in self.bounds[self.place][:1])

    def _is_repeated(self, here: RepeatMarks) -> bool:
        is_made = self.origin is None or here.after_jump
        return here.backward > 0 and is_made and self.turn < self._n_passes(self.place)

    def _leaves_endings(self, here: RepeatMarks) -> bool:
        """Whether the endings of the repeat ended with the measure before."""
        if not here.endings or self._in_ending():
            return False
        own = self.groups[self.place - 1]
        is_over = self.place == len(self.marks) or own is not self.groups[self.place]
        return is_over and own.closes

    def _target(self, here: RepeatMarks) -> int | None:
        """The target of a jump, if one is due after the measure."""
        if self.origin is not None:
            if here.fine:
                self.place = self.origin + 1
                self._return(self.origin)
                return self.place
            if here.tocoda is not None:
                return self._coda(here.tocoda)
        if self.place in self.jumps or not self._is_last_pass(here):
            return None
        if here.dalsegno is not None:
            target = self._segno(here.dalsegno)
        elif here.dacapo and not self.jumps:
            target = 0
        else:
            return None
        self.jumps.add(self.place)
        self.origin = self.place
        self._begin(target)
        return target

    def _is_last_pass(self, here: RepeatMarks) -> bool:
        """Whether the repeat around the measure is not played again."""
        ends = self.bounds[self.place]
        if not ends or self.origin is not None:
            return True
        if here.endings and self.groups[ends[0]] is not self.groups[self.place]:
            return True
        return self.turn >= self._n_passes(ends[0])

    def _segno(self, name: str) -> int:
        """The target of a jump dal segno: its own sign, or the one before."""
        found = self.segnos.get(name) or self.segnos[None] or [0]
        return found[max(bisect_right(found, self.place) - 1, 0)]

    def _coda(self, name: str) -> int | None:
        """The start of the coda, if it is ahead; from there on, all is as before."""
        for found in (self.codas.get(name, []), self.codas[None]):
            if found and found[-1] > self.place:
                self.origin = None
                self._begin(found[bisect_right(found, self.place)])
                return self.section
        return None


def _places(names: Iterable[set[str]]) -> dict[str | None, list[int]]:
    """The measures that have each name, and under None those that have any."""
    found: dict[str | None, list[int]] = {None: []}
    for k, own in enumerate(names):
        for name in (*own, None) if own else ():
            found.setdefault(name, []).append(k)
    return found


def _bounds(marks: Sequence[RepeatMarks]) -> list[tuple[int, ...]]:
    """The measure at which the repeat around each measure ends, if there is one."""
    found: list[tuple[int, ...]] = []
    end: tuple[int, ...] = ()
    for k in range(len(marks) - 1, -1, -1):
        end = (k,) if marks[k].backward else end
        found.append(end)
        end = () if marks[k].forward else end
    return found[::-1]


def groups(marks: Sequence[RepeatMarks]) -> list[Group]:
    """The group of endings of each measure.

    Its repeat is played as often as the numbers of successive endings state; after a
    single one, once more without it.
    """
    found: list[Group] = []
    n_begun = accumulate(mark.anew for mark in marks)
    keys = [(bool(m.endings), n) for m, n in zip(marks, n_begun, strict=True)]
    for _, members in groupby(zip(keys, marks, strict=True), key=lambda pair: pair[0]):
        own = [mark for _, mark in members]
        endings = [mark.endings for mark in own]
        last = max(frozenset().union(*endings), default=0)
        is_single = len(set(endings)) == 1
        group = Group(last + is_single, any(mark.backward for mark in own))
        found += [group] * len(own)
    return found
