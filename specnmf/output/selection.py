"""Which of the sources to write: by their names, patterns or numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from specnmf.errors import ParameterError

#: How many names an error lists.
LISTED = 24

#: What names of files have in place of what no file may be called.
_SAFE = str.maketrans(dict.fromkeys('/\\:"<>|', "_"))


class Group(NamedTuple):
    """Sources that add up to the recording."""

    names: Sequence[str]  #: Of the files, without their endings.
    within: str = ""  #: The folder of the files, in sources/.

    def path(self, number: int) -> str:
        """A source's name with that of its folder."""
        name = self.names[number]
        return f"{self.within}/{name}" if self.within else name


def select(groups: Sequence[Group], only: Iterable[str]) -> list[list[int]]:
    """The numbers of the sources that are asked for in each group, from 0.

    Parameters
    ----------
    groups : sequence of Group
        What there is.
    only : iterable of str
        Names in capital or small letters, with ``*``, ``?`` and ``[abc]`` for any, one
        and some characters; or numbers from 1 on. Either may follow a group's folder
        and a slash. Nothing asks for everything.

    Raises
    ------
    ParameterError
        If there is no such source.
    """
    patterns = list(only)
    chosen: list[set[int]] = [set() for _ in groups]
    for pattern in patterns:
        found = [_matching(group, pattern) for group in groups]
        if not any(found):
            found = [_numbered(group, pattern) for group in groups]
        if not any(found):
            raise ParameterError(
                f"only asks for {pattern!r}, but there is only {_listed(groups)}"
            )
        for own, more in zip(chosen, found, strict=True):
            own |= more
    everything = [set(range(len(group.names))) for group in groups]
    return [sorted(own) for own in (chosen if patterns else everything)]


def left_out(groups: Sequence[Group], chosen: Sequence[Sequence[int]]) -> list[str]:
    """The sources that are not among those chosen, each with its group's folder."""
    return [
        group.path(number)
        for group, own in zip(groups, chosen, strict=True)
        for number in range(len(group.names))
        if number not in own
    ]


def _matching(group: Group, pattern: str) -> set[int]:
    wanted = {pattern.casefold(), pattern.translate(_SAFE).casefold()}
    return {
        number
        for number, name in enumerate(group.names)
        for known in (name.casefold(), group.path(number).casefold())
        if known in wanted or any(fnmatchcase(known, each) for each in wanted)
    }


def _numbered(group: Group, pattern: str) -> set[int]:
    within, slash, number = pattern.rpartition("/")
    here = not slash or fnmatchcase(group.within.casefold(), within.casefold())
    known = here and number.isascii() and number.isdigit()
    return {int(number) - 1} & {*range(len(group.names))} if known else set()


def _listed(groups: Sequence[Group]) -> str:
    names = [group.path(n) for group in groups for n in range(len(group.names))]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
