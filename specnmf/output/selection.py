"""The selection of sources by names, patterns or numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from specnmf.errors import ParameterError

#: The number of names that an error lists.
LISTED = 24

#: The replacement of characters that are not allowed in the names of files.
_SAFE = str.maketrans(dict.fromkeys('/\\:"<>|', "_"))


class Group(NamedTuple):
    """Sources that add up to the recording."""

    names: Sequence[str]  #: Of the files, without their endings.
    within: str = ""  #: The folder of the files, in sources/.

    def path(self, number: int) -> str:
        """A source's name, with its folder."""
        name = self.names[number]
        return f"{self.within}/{name}" if self.within else name


def select(groups: Sequence[Group], only: Iterable[str]) -> list[list[int]]:
    """The indices of the selected sources in each group, from 0.

    Parameters
    ----------
    groups : sequence of Group
        All sources.
    only : iterable of str
        Names in upper or lower case, patterns with ``*``, ``?`` and ``[abc]``, or
        numbers from 1 on. Each may have the prefix of a group's folder and a slash.
        Empty: all sources.

    Raises
    ------
    ParameterError
        If there is no such source.
    """
    patterns = list(only)
    chosen: list[set[int]] = [set() for _ in groups]
    for pattern in patterns:
        found = find(groups, pattern)
        if not any(found):
            raise ParameterError(
                f"only: no source matches {pattern!r}; the sources are {listed(groups)}"
            )
        for own, more in zip(chosen, found, strict=True):
            own |= more
    everything = [set(range(len(group.names))) for group in groups]
    return [sorted(own) for own in (chosen if patterns else everything)]


def find(groups: Sequence[Group], pattern: str) -> list[set[int]]:
    """The indices in each group of the sources that a pattern of `select` matches.

    A full name has priority over a pattern, and both over a number. All are empty if
    there is no match.
    """
    found = [_named(group, pattern) for group in groups]
    if not any(found):
        found = [_matching(group, pattern) for group in groups]
    return found if any(found) else [_numbered(group, pattern) for group in groups]


def left_out(groups: Sequence[Group], chosen: Sequence[Sequence[int]]) -> list[str]:
    """The sources that are not selected, each with its group's folder."""
    return [
        group.path(number)
        for group, own in zip(groups, chosen, strict=True)
        for number in range(len(group.names))
        if number not in own
    ]


def _named(group: Group, name: str) -> set[int]:
    wanted = _spellings(name)
    return {n for n in range(len(group.names)) if not wanted.isdisjoint(_of(group, n))}


def _matching(group: Group, pattern: str) -> set[int]:
    wanted = _spellings(pattern)
    return {
        number
        for number in range(len(group.names))
        for known in _of(group, number)
        if any(fnmatchcase(known, each) for each in wanted)
    }


def _of(group: Group, number: int) -> tuple[str, str]:
    """The names of a source in lower case, without and with its folder."""
    return group.names[number].casefold(), group.path(number).casefold()


def _spellings(pattern: str) -> set[str]:
    """A name and its form as a file name, in lower case."""
    return {pattern.casefold(), pattern.translate(_SAFE).casefold()}


def _numbered(group: Group, pattern: str) -> set[int]:
    within, slash, number = pattern.rpartition("/")
    here = not slash or fnmatchcase(group.within.casefold(), within.casefold())
    known = here and number.isascii() and number.isdigit()
    return {int(number) - 1} & {*range(len(group.names))} if known else set()


def listed(groups: Sequence[Group]) -> str:
    """The names of sources, for an error; shortened if there are many."""
    names = [group.path(n) for group in groups for n in range(len(group.names))]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
