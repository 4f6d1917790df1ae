"""The plan of an edit: the stems that the run has afterwards, and their settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from specnmf.errors import ParameterError
from specnmf.methods.regrouping import NewStem
from specnmf.output.selection import Group, find, listed
from specnmf.record.claims import Claim, Claimed
from specnmf.record.edits import Edits


@dataclass(frozen=True)
class NewGroup:
    """Stems after an edit; without gains and pans they add up to the recording.

    Attributes
    ----------
    stems : tuple of NewStem
        In order.
    within : str
        Their folder in sources/.
    written : frozenset of int
        The indices of those that become files.
    without : tuple of int
        The indices of those that are left out of a mix of their own.
    """

    stems: tuple[NewStem, ...]
    within: str = ""
    written: frozenset[int] = frozenset()
    without: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The stems' names."""
        return tuple(stem.name for stem in self.stems)

    @property
    def group(self) -> Group:
        """The stems as a group of `specnmf.output.selection`."""
        return Group(self.names, self.within)

    @property
    def is_levelled(self) -> bool:
        """Whether any stem has a gain or a pan."""
        return any(stem.gain or stem.pan for stem in self.stems)

    @property
    def paths(self) -> list[str]:
        """The stems' names, with their folder."""
        return [self.group.path(number) for number in range(len(self.stems))]

    def path(self, number: int) -> str:
        """A stem's name, with its folder."""
        return self.group.path(number)


def untouched(groups: Sequence[Group], chosen: Sequence[Iterable[int]]) -> Plan:
    """The stems of a run before any edit; the chosen ones are files."""
    return Plan(
        Edits(),
        tuple(
            NewGroup(
                tuple(NewStem(name, (n,)) for n, name in enumerate(group.names)),
                group.within,
                frozenset(own),
            )
            for group, own in zip(groups, chosen, strict=True)
        ),
    )


@dataclass(frozen=True)
class Plan:
    """The plan of an edit.

    Attributes
    ----------
    edits : Edits
        The same edit, with the full name of each stem.
    groups : tuple of NewGroup
        The new stems.
    """

    edits: Edits
    groups: tuple[NewGroup, ...]

    @property
    def names(self) -> list[Group]:
        """The new stems, by group."""
        return [each.group for each in self.groups]

    @property
    def left_out(self) -> list[str]:
        """The new stems that do not become files."""
        return [
            group.path(number)
            for group in self.groups
            for number in range(len(group.stems))
            if number not in group.written
        ]


def renamed(plans: Sequence[Plan]) -> dict[str, str]:
    """The last path of each stem, by its path in the first plan."""
    names = {path: path for group in plans[0].groups for path in group.paths}
    for before, after in pairwise(plans):
        step = {
            old.path(member): new.path(number)
            for old, new in zip(before.groups, after.groups, strict=True)
            for number, stem in enumerate(new.stems)
            for member in stem.members
        }
        names = {first: step[now] for first, now in names.items()}
    return names


def work_out(before: Plan, edits: Edits) -> Plan:
    """The plan of an edit of stems.

    Raises
    ------
    ParameterError
        If it selects no stem, contradicts itself, or leaves nothing.
    """
    claimed = Claimed(edits, before.names)
    groups = tuple(
        _regrouped(group, stems)
        for group, stems in zip(before.groups, claimed.stems(), strict=True)
    )
    later = _Later(edits, before, groups, claimed.claims)
    return later.plan(claimed.edits())


def _regrouped(group: NewGroup, stems: Sequence[NewStem]) -> NewGroup:
    """A group of new stems; those with a member that was written are written."""
    written = frozenset(
        number
        for number, stem in enumerate(stems)
        if not group.written.isdisjoint(stem.members)
    )
    return NewGroup(tuple(stems), group.within, written)


@dataclass
class _Later:
    """Gains, pans, order and files, by the new names, or unchanged old ones."""

    wanted: Edits
    before: Plan
    groups: tuple[NewGroup, ...]
    claims: list[dict[int, Claim]]

    def plan(self, names: Edits) -> Plan:
        """The new groups, and the edits with full names."""
        gains = self._values("gain", self.wanted.gain)
        pans = self._values("pan", self.wanted.pan)
        order = self._listed("order", self.wanted.order)
        only = self._listed("only", self.wanted.only)
        without = self._listed("without", self.wanted.without)
        groups = [
            self._group(number, gains, pans, order, only, without)
            for number in range(len(self.groups))
        ]
        for place, stem in without:
            if len(self.groups[place].stems) == 1:
                raise ParameterError(
                    f"without {self._path((place, stem))}: no other stem to mix"
                )
        full = replace(
            names,
            gain={self._path(key): value for key, value in gains.items()},
            pan={self._path(key): value for key, value in pans.items()},
            order=tuple(map(self._path, order)),
            only=tuple(map(self._path, only)),
            without=tuple(map(self._path, without)),
        )
        return Plan(full, tuple(groups))

    def _group(
        self,
        number: int,
        gains: Mapping[tuple[int, int], float],
        pans: Mapping[tuple[int, int], float],
        order: Sequence[tuple[int, int]],
        only: Sequence[tuple[int, int]],
        without: Sequence[tuple[int, int]],
    ) -> NewGroup:
        """A group in its new order, with the settings of each stem."""
        group = self.groups[number]
        first = [stem for place, stem in order if place == number]
        rest = [stem for stem in range(len(group.stems)) if stem not in first]
        stems, written, left_out = [], set(), []
        for new, old in enumerate([*first, *rest]):
            key = number, old
            gain, pan = gains.get(key, 0.0), pans.get(key, 0.0)
            stems.append(group.stems[old]._replace(gain=gain, pan=pan))
            if key in only if only else old in group.written:
                written.add(new)
            if key in without:
                left_out.append(new)
        return NewGroup(tuple(stems), group.within, frozenset(written), tuple(left_out))

    def _values(
        self, what: str, values: Mapping[str, float]
    ) -> dict[tuple[int, int], float]:
        """The value of each stem."""
        found: dict[tuple[int, int], float] = {}
        for pattern, value in values.items():
            for key in self._find(what, pattern):
                if key in found:
                    raise ParameterError(
                        f"{what} has two values for {self._path(key)}; give one"
                    )
                found[key] = float(value)
        return {key: found[key] for key in sorted(found)}

    def _listed(self, what: str, patterns: Sequence[str]) -> list[tuple[int, int]]:
        found: dict[tuple[int, int], None] = {}
        for pattern in patterns:
            found |= dict.fromkeys(self._find(what, pattern))
        return list(found)

    def _find(self, what: str, pattern: str) -> list[tuple[int, int]]:
        """The new stems of a name, else those of that old name or number."""
        new = [group.group for group in self.groups]
        found = find(new, pattern)
        named = [
            (place, stem) for place, own in enumerate(found) for stem in sorted(own)
        ]
        if named and not _is_number(pattern, new):
            return named
        old = find(self.before.names, pattern)
        keys = [(place, stem) for place, own in enumerate(old) for stem in sorted(own)]
        if not keys:
            raise ParameterError(
                f"{what}: no stem matches {pattern!r}; the stems are {listed(new)}"
            )
        return list(dict.fromkeys(self._now(what, *key) for key in keys))

    def _now(self, what: str, place: int, stem: int) -> tuple[int, int]:
        """The new stem of an old one, unless that was merged or dropped."""
        group, claim = self.groups[place], self.claims[place].get(stem)
        new = next(n for n, each in enumerate(group.stems) if stem in each.members)
        if claim is not None and claim[0] != "rename":
            gone = "merged" if claim[0] == "merge" else "dropped"
            raise ParameterError(
                f"{what}: {self.before.names[place].path(stem)} is {gone} into "
                f"{group.path(new)}; use {group.path(new)}"
            )
        return place, new

    def _path(self, key: tuple[int, int]) -> str:
        return self.groups[key[0]].path(key[1])


def _is_number(pattern: str, groups: Sequence[Group]) -> bool:
    """Whether a pattern is a number, and not the name of a stem."""
    tail = pattern.rpartition("/")[2]
    known = any(tail == name for group in groups for name in group.names)
    return tail.isascii() and tail.isdigit() and not known
