"""The stems that an edit merges, renames and drops, and the new stems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from specnmf.errors import ParameterError
from specnmf.methods.regrouping import NewStem
from specnmf.methods.stems import RESTS
from specnmf.output.selection import Group, find, listed
from specnmf.record.edits import Edits
from specnmf.score.grouping import safe_names

#: The edit of an old stem: its kind, and the new name.
Claim = tuple[str, str]


@dataclass
class Claimed:
    """Stems that an edit merges, renames or drops, each once.

    Attributes
    ----------
    wanted : Edits
        The edit.
    old : sequence of Group
        The present stems.
    claims : list of dict of int to Claim
        The edits of the selected stems of each group.

    Raises
    ------
    ParameterError
        If the edit selects no stem, or one stem twice.
    """

    wanted: Edits
    old: Sequence[Group]
    claims: list[dict[int, Claim]] = field(init=False)

    def __post_init__(self) -> None:
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
                        f"rename takes one stem, but {pattern!r} selects {names}; use "
                        "merge to add them up"
                    )
            self._claim("rename", new, found)
        for pattern in self.wanted.drop:
            self._claim("drop", "", self._find("drop", pattern))

    def _place(self, new: str) -> tuple[str, set[int]]:
        """The name of a merged stem, and the groups in which it is made."""
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
                f"{what}: no stem matches {pattern!r}; the stems are {listed(self.old)}"
            )
        return found

    def _claim(self, what: str, name: str, found: Sequence[set[int]]) -> None:
        """Assign stems to an edit; each can have one edit."""
        for number, own in enumerate(found):
            for stem in sorted(own):
                claim = what, name
                before = self.claims[number].setdefault(stem, claim)
                if before != claim:
                    path = self.old[number].path(stem)
                    raise ParameterError(
                        f"{path} cannot be both {_told(before)} and {_told(claim)}; "
                        "choose one"
                    )

    def stems(self) -> Iterator[list[NewStem]]:
        """The new stems of each group in order, before gains.

        ParameterError if there are none, or if two have the same name.
        """
        for group, claims in zip(self.old, self.claims, strict=True):
            stems = _dropped(_stems(group, claims), group, claims)
            _check_names(stems, group, claims)
            yield stems

    def edits(self) -> Edits:
        """The same edits, with full names."""
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
    """The stems that are not dropped, each at the position of its first member."""
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
    """The stems, with the dropped ones added to the rest."""
    dropped = [stem for stem in sorted(claims) if claims[stem][0] == "drop"]
    if not dropped:
        return stems
    kept = [n for n, name in enumerate(group.names) if name in RESTS]
    if any(stem in kept for stem in dropped):
        raise ParameterError(
            f"{group.names[kept[0]]} cannot be dropped: dropped stems are added to it"
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
            f"drop selects all stems ({listed([group])}); at least one must remain"
        )
    if into is None:
        return [*stems, NewStem(RESTS[0], tuple(dropped))]
    members = tuple(sorted((*stems[into].members, *dropped)))
    stems[into] = stems[into]._replace(members=members)
    return stems


def _check_names(
    stems: Sequence[NewStem], group: Group, claims: Mapping[int, Claim]
) -> None:
    """Raise ParameterError if a new name is not valid for a file, or is taken."""
    for what, name in claims.values():
        if what != "drop" and not name:
            raise ParameterError(f"{what} needs the name of a stem, got none")
        safe = safe_names([name])[name] if name else name
        if safe != name:
            raise ParameterError(
                f"{name!r} is not a valid file name on every system; use {safe!r}"
            )
    names = [stem.name for stem in stems]
    twice = [name for name, count in Counter(names).items() if count > 1]
    alike = [name for name, safe in safe_names(names).items() if safe != name]
    for name in (*twice, *alike):
        raise ParameterError(
            f"two stems would be named {name}; the stems are {listed([group])}"
        )
