"""Edits worked out: which of a run's stems become which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from specnmf.errors import ParameterError
from specnmf.methods.regrouping import NewStem
from specnmf.output.selection import Group, find, listed
from specnmf.record.edits import Edits
from specnmf.score.grouping import safe_names

#: What a run may call the stem of what no other explains.
RESTS = ("rest", "residual")


@dataclass(frozen=True)
class NewGroup:
    """Stems after an edit that add up to the recording, but for gains and pans.

    Attributes
    ----------
    stems : tuple of NewStem
        In order.
    within : str
        Their folder in sources/.
    written : frozenset of int
        Those that become files.
    without : tuple of int
        Those each of which is left out of a mix.
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
        """The stems as `specnmf.output.selection` knows them."""
        return Group(self.names, self.within)

    @property
    def is_levelled(self) -> bool:
        """Whether any stem is louder, softer or elsewhere than it was."""
        return any(stem.gain or stem.pan for stem in self.stems)

    @property
    def paths(self) -> list[str]:
        """The stems' names with that of their folder."""
        return [self.group.path(number) for number in range(len(self.stems))]

    def path(self, number: int) -> str:
        """A stem's name with that of its folder."""
        return self.group.path(number)


def untouched(groups: Sequence[Group], chosen: Sequence[Iterable[int]]) -> Plan:
    """The stems of a run before any edit, of which those chosen are files."""
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
    """An edit of some stems, worked out.

    Attributes
    ----------
    edits : Edits
        The same edit, with each stem's name in full.
    groups : tuple of NewGroup
        The stems that come of it.
    """

    edits: Edits
    groups: tuple[NewGroup, ...]

    @property
    def names(self) -> list[Group]:
        """The stems that come of it, by groups."""
        return [each.group for each in self.groups]

    @property
    def left_out(self) -> list[str]:
        """The stems that do not become files."""
        return [
            group.path(number)
            for group in self.groups
            for number in range(len(group.stems))
            if number not in group.written
        ]


def renamed(plans: Sequence[Plan]) -> dict[str, str]:
    """The path of each stem of the first plan in the last one, by its path in it."""
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
    """What an edit makes of stems.

    Raises
    ------
    ParameterError
        If it names what there is not, contradicts itself, or leaves nothing.
    """
    regrouped = _Regrouping(edits, before)
    groups, names = regrouped.groups(), regrouped.edits()
    later = _Later(edits, before, tuple(groups), regrouped.claims)
    return later.plan(names)


#: What becomes of an old stem: the kind of edit, and the name it gives.
Claim = tuple[str, str]


@dataclass
class _Regrouping:
    """Merging, renaming and dropping, by the names that stems have."""

    wanted: Edits
    before: Plan
    claims: list[dict[int, Claim]] = field(init=False)

    def __post_init__(self) -> None:
        self.old = self.before.names
        self.claims = [{} for _ in self.old]
        for new, patterns in self.wanted.merge.items():
            name, places = self._place(new)
            for pattern in patterns:
                self._claim("merge", name, self._find("merge", pattern, places))
        for pattern, new in self.wanted.rename.items():
            found = self._find("rename", pattern)
            for group, own in zip(self.old, found, strict=True):
                if len(own) > 1:
                    names = ", ".join(group.names[n] for n in sorted(own))
                    raise ParameterError(
                        f"rename takes one stem, {pattern!r} is {names}; merge them "
                        "to put them together"
                    )
            self._claim("rename", new, found)
        for pattern in self.wanted.drop:
            self._claim("drop", "", self._find("drop", pattern))

    def _place(self, new: str) -> tuple[str, set[int]]:
        """The name of a merged stem, and the groups that it is for."""
        within, slash, name = new.rpartition("/")
        places = {
            number
            for number, group in enumerate(self.old)
            if not slash or group.within.casefold() == within.casefold()
        }
        return (name, places) if places else (new, {*range(len(self.old))})

    def _find(
        self, what: str, pattern: str, places: Iterable[int] | None = None
    ) -> list[set[int]]:
        found = find(self.old, pattern)
        if places is not None:
            found = [own if n in places else set() for n, own in enumerate(found)]
        if not any(found):
            raise ParameterError(
                f"{what} asks for {pattern!r}, but there is only {listed(self.old)}"
            )
        return found

    def _claim(self, what: str, name: str, found: Sequence[set[int]]) -> None:
        """Take stems for an edit; each can be taken for one."""
        for number, own in enumerate(found):
            for stem in sorted(own):
                claim = what, name
                before = self.claims[number].setdefault(stem, claim)
                if before != claim:
                    path = self.old[number].path(stem)
                    raise ParameterError(
                        f"{path} is to be both {_told(before)} and {_told(claim)}; "
                        "say one of them"
                    )

    def groups(self) -> Iterator[NewGroup]:
        """The new groups, still as loud, in order, and with all stems written."""
        for group, old, claims in zip(
            self.before.groups, self.old, self.claims, strict=True
        ):
            stems = _dropped(_stems(old, claims), old, claims)
            _check_names(stems, old, claims)
            written = frozenset(
                number
                for number, stem in enumerate(stems)
                if not group.written.isdisjoint(stem.members)
            )
            yield NewGroup(tuple(stems), old.within, written)

    def edits(self) -> Edits:
        """The same edits, with names in full."""
        merge: dict[str, list[str]] = {}
        rename: dict[str, str] = {}
        drop: list[str] = []
        for group, claims in zip(self.old, self.claims, strict=True):
            for stem in sorted(claims):
                what, name = claims[stem]
                path = group.path(stem)
                if what == "merge":
                    target = f"{group.within}/{name}" if group.within else name
                    merge.setdefault(target, []).append(path)
                elif what == "rename":
                    rename[path] = name
                else:
                    drop.append(path)
        return Edits(merge=merge, rename=rename, drop=drop)


def _told(claim: Claim) -> str:
    what, name = claim
    if what == "merge":
        return f"merged into {name}"
    return f"renamed {name}" if what == "rename" else "dropped"


def _stems(group: Group, claims: Mapping[int, Claim]) -> list[NewStem]:
    """The stems that are not dropped, each at the place of its first member."""
    merged: dict[str, list[int]] = {}
    order: dict[tuple[str, str | int], list[int]] = {}
    for stem in range(len(group.names)):
        what, name = claims.get(stem, ("", group.names[stem]))
        if what == "merge":
            members = merged.setdefault(name, [])
            members.append(stem)
            order.setdefault((name, "merged"), members)
        elif what != "drop":
            order[name, stem] = [stem]
    return [NewStem(name, tuple(own)) for (name, _), own in order.items()]


def _dropped(
    stems: list[NewStem], group: Group, claims: Mapping[int, Claim]
) -> list[NewStem]:
    """The stems with what was dropped in the rest."""
    dropped = [stem for stem in sorted(claims) if claims[stem][0] == "drop"]
    if not dropped:
        return stems
    kept = [n for n, name in enumerate(group.names) if name in RESTS]
    if any(stem in kept for stem in dropped):
        raise ParameterError(
            f"{group.names[kept[0]]} is where dropped stems go, and cannot be dropped"
        )
    into = next(
        (
            number
            for number, stem in enumerate(stems)
            if stem.name in RESTS or not {*kept}.isdisjoint(stem.members)
        ),
        None,
    )
    if len(stems) == (into is not None):
        raise ParameterError(
            f"drop takes all stems ({listed([group])}), expected some to be left"
        )
    if into is None:
        return [*stems, NewStem(RESTS[0], tuple(dropped))]
    members = tuple(sorted((*stems[into].members, *dropped)))
    stems[into] = stems[into]._replace(members=members)
    return stems


def _check_names(
    stems: Sequence[NewStem], group: Group, claims: Mapping[int, Claim]
) -> None:
    """Raise ParameterError if a new name is none that a file may have, or is taken."""
    for _, name in claims.values():
        safe = safe_names([name])[name] if name else name
        if safe != name:
            raise ParameterError(
                f"no file may be called {name!r} on every system; {safe!r} will do"
            )
    names = [stem.name for stem in stems]
    twice = [name for name, count in Counter(names).items() if count > 1]
    alike = [name for name, safe in safe_names(names).items() if safe != name]
    for name in (*twice, *alike):
        raise ParameterError(
            f"there would be two stems called {name}; there are {listed([group])}"
        )


@dataclass
class _Later:
    """Gains, pans, order and files, by the new names, or old ones that are left."""

    wanted: Edits
    before: Plan
    groups: tuple[NewGroup, ...]
    claims: list[dict[int, Claim]]

    def plan(self, names: Edits) -> Plan:
        """The groups as they become, and the edits with names in full."""
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
                    f"without {self._path((place, stem))}, nothing would be left"
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
        """A group in its order, with all that each stem is to be."""
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
        """What each of the stems is to have."""
        found: dict[tuple[int, int], float] = {}
        for pattern, value in values.items():
            for key in self._find(what, pattern):
                if key in found:
                    raise ParameterError(
                        f"{what} is given twice for {self._path(key)}; give it once"
                    )
                found[key] = float(value)
        return {key: found[key] for key in sorted(found)}

    def _listed(self, what: str, patterns: Sequence[str]) -> list[tuple[int, int]]:
        found: dict[tuple[int, int], None] = {}
        for pattern in patterns:
            found |= dict.fromkeys(self._find(what, pattern))
        return list(found)

    def _find(self, what: str, pattern: str) -> list[tuple[int, int]]:
        """The new stems of a name, else those that were of that name or number."""
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
                f"{what} asks for {pattern!r}, but there is only {listed(new)}"
            )
        return list(dict.fromkeys(self._now(what, *key) for key in keys))

    def _now(self, what: str, place: int, stem: int) -> tuple[int, int]:
        """The new stem that an old one is, if it is one."""
        group, claim = self.groups[place], self.claims[place].get(stem)
        new = next(n for n, each in enumerate(group.stems) if stem in each.members)
        if claim is not None and claim[0] != "rename":
            gone = "merged" if claim[0] == "merge" else "dropped"
            raise ParameterError(
                f"{what} asks for {self.before.names[place].path(stem)}, which is "
                f"{gone} into {group.path(new)}; say {group.path(new)}"
            )
        return place, new

    def _path(self, key: tuple[int, int]) -> str:
        return self.groups[key[0]].path(key[1])


def _is_number(pattern: str, groups: Sequence[Group]) -> bool:
    """Whether a pattern is a number, and no stem's name."""
    tail = pattern.rpartition("/")[2]
    known = any(tail == name for group in groups for name in group.names)
    return tail.isascii() and tail.isdigit() and not known
