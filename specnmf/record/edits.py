"""Edits of a finished run, as values, and converted to and from plain JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from specnmf.errors import ParameterError
from specnmf.output.page.edits import sentences

#: Bounds of gains in dB: the least is silence at 16 bits; the most clips most stems.
LEAST_GAIN, MOST_GAIN = -120.0, 40.0

#: The longest name or pattern, and the most of them in a list of edits.
LONGEST_NAME, MOST_NAMES = 300, 100_000

#: The most edits in a list.
MOST_EDITS = 1000

Names = Sequence[str]


@dataclass(frozen=True)
class Edits:
    """Edits of the stems of a finished run, which need no new fit.

    Select stems by name, pattern or number, in layers also with their folder, such as
    ``layer_2/component_01``. ``merge``, ``rename`` and ``drop`` take the names in the
    run, all others the new names; the old name of a stem that is not merged or dropped
    works too.

    Parameters
    ----------
    merge : mapping of str to sequence of str
        Stems to add up, by the name of their sum.
    rename : mapping of str to str
        New names, by old name.
    drop : sequence of str
        Stems to add to the stem ``rest`` or ``residual``, or to a new ``rest``.
    gain : mapping of str to float
        Gains in dB.
    pan : mapping of str to float
        Pans from -1 (left) to 1 (right), for recordings with two channels.
    order : sequence of str
        Stems to put first, in this order.
    only : sequence of str
        Stems to write; by default those that the run has written.
    without : sequence of str
        Stems to leave out, each of one mix of all others.

    Raises
    ------
    ParameterError
        If a value is of the wrong type or out of range.

    Examples
    --------
    >>> import specnmf
    >>> edits = specnmf.Edits(merge={"women": ["soprano", "alto"]}, gain={"women": -6})
    >>> list(edits.sentences())
    ['women: sum of soprano and alto', 'women: gain -6 dB']
    """

    merge: Mapping[str, Names] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: Names = ()
    gain: Mapping[str, float] = field(default_factory=dict)
    pan: Mapping[str, float] = field(default_factory=dict)
    order: Names = ()
    only: Names = ()
    without: Names = ()

    def __post_init__(self) -> None:
        for name, members in _mapping("merge", self.merge).items():
            if not _names(f"merge {name}", members):
                raise ParameterError(
                    f"merge {name} has no stems, expected at least one"
                )
        for name, new in _mapping("rename", self.rename).items():
            _name(f"rename {name}", new)
        for key in ("drop", "order", "only", "without"):
            object.__setattr__(self, key, _names(key, getattr(self, key)))
        _numbers("gain", self.gain, LEAST_GAIN, MOST_GAIN, "dB")
        _numbers("pan", self.pan, -1.0, 1.0, "(left to right)")

    def __bool__(self) -> bool:
        """Whether there is any edit."""
        return any(getattr(self, each.name) for each in fields(self))

    def to_plain(self) -> dict[str, Any]:
        """The edits as JSON; empty ones are left out."""
        plain: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Mapping):
                value = {
                    name: list(own) if isinstance(own, list | tuple) else own
                    for name, own in value.items()
                }
            elif value:
                value = list(value)
            if value:
                plain[each.name] = value
        return plain

    @classmethod
    def from_plain(cls, content: object) -> Edits:
        """The inverse of `to_plain`.

        Raises
        ------
        ParameterError
            If the content is not valid.
        """
        known = [each.name for each in fields(cls)]
        if not isinstance(content, Mapping):
            raise ParameterError(f"expected edits as an object, got {_spell(content)}")
        for name in content:
            if name not in known:
                raise ParameterError(
                    f"expected an edit ({', '.join(known)}), got {_spell(name)}"
                )
        return cls(**content)

    def sentences(self) -> Iterator[str]:
        """One line for each edit, as the page of the run shows it."""
        yield from sentences([self.to_plain()])

    def count(self) -> int:
        """The number of names in all edits."""
        merged = sum(len(members) + 1 for members in self.merge.values())
        pairs = len(self.rename) + len(self.gain) + len(self.pan)
        lists = (self.drop, self.order, self.only, self.without)
        return merged + pairs + sum(map(len, lists))


def read_edits(content: object) -> tuple[Edits, ...]:
    """A list of edits out of a run.json, one after another.

    Raises
    ------
    ParameterError
        If it is not valid, or too large.
    """
    if not isinstance(content, list) or len(content) > MOST_EDITS:
        raise ParameterError(f"expected a list of at most {MOST_EDITS} edits")
    edits = tuple(map(Edits.from_plain, content))
    if sum(each.count() for each in edits) > MOST_NAMES:
        raise ParameterError(f"expected edits with at most {MOST_NAMES} names")
    return edits


def _mapping(key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParameterError(f"{key} takes a value for each name, got {_spell(value)}")
    for name in value:
        _name(key, name)
    return value


def _names(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ParameterError(f"{key} takes a list of names, got {_spell(value)}")
    for name in value:
        _name(key, name)
    return tuple(value)


def _name(key: str, name: object) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise ParameterError(
            f"{key} takes names of 1 to {LONGEST_NAME} characters, got {_spell(name)}"
        )


def _numbers(key: str, value: object, least: float, most: float, unit: str) -> None:
    for name, number in _mapping(key, value).items():
        fits = isinstance(number, int | float) and not isinstance(number, bool)
        if not fits or not (math.isfinite(number) and least <= number <= most):
            raise ParameterError(
                f"{key} of {name}: expected {least:g} to {most:g} {unit}, "
                f"got {_spell(number)}"
            )


def _spell(value: object) -> str:
    """A value, shortened, as it may be anything."""
    return repr(value)[:60] if isinstance(value, str | int | float) else "another type"
