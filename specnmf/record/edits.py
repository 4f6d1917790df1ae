"""Edits: what is changed in a finished run, as values, plain JSON and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from specnmf.errors import ParameterError

#: Bounds of gains in dB: the least is silence at 16 bits, the most clips most stems.
LEAST_GAIN, MOST_GAIN = -120.0, 40.0

#: Names and patterns are no longer, and not more in all of a list of edits.
LONGEST_NAME, MOST_NAMES = 300, 100_000

#: So many edits may follow each other.
MOST_EDITS = 1000

Names = Sequence[str]


@dataclass(frozen=True)
class Edits:
    """What to change in a run, without fitting it again.

    Stems are named as `specnmf.output.selection.select` finds them: by name, pattern or
    number, in layers also with their folder, such as ``layer_2/component_01``. What is
    merged, renamed and dropped goes by the run's stems, all else by the new ones; an
    old name will do for a stem that is not merged or dropped.

    Attributes
    ----------
    merge : mapping of str to sequence of str
        Stems to add up, by the name of their sum.
    rename : mapping of str to str
        New names, by the old ones.
    drop : sequence of str
        Stems to add to the rest: the stem ``rest`` or ``residual``, or a new ``rest``.
    gain : mapping of str to float
        Gains in dB.
    pan : mapping of str to float
        Places between left, -1, and right, 1, in a recording of two channels.
    order : sequence of str
        Stems that come first, in this order.
    only : sequence of str
        Stems to write; by default those that the run has as files.
    without : sequence of str
        Stems each of which is left out of a mix of all others.

    Raises
    ------
    ParameterError
        If a value is of another type or out of its range.
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
                raise ParameterError(f"merge {name} names no stems, expected some")
        for name, new in _mapping("rename", self.rename).items():
            _name(f"rename {name}", new)
        for key in ("drop", "order", "only", "without"):
            object.__setattr__(self, key, _names(key, getattr(self, key)))
        _numbers("gain", self.gain, LEAST_GAIN, MOST_GAIN, "dB")
        _numbers("pan", self.pan, -1.0, 1.0, "(left to right)")

    def __bool__(self) -> bool:
        """Whether anything is to be changed."""
        return any(getattr(self, each.name) for each in fields(self))

    def to_plain(self) -> dict[str, Any]:
        """What is to be changed, as JSON has it; what is not, is left out."""
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
            If the content is anything else.
        """
        known = [each.name for each in fields(cls)]
        if not isinstance(content, Mapping):
            raise ParameterError(f"edits are an object, got {_spell(content)}")
        for name in content:
            if name not in known:
                raise ParameterError(
                    f"an edit is one of {', '.join(known)}, got {_spell(name)}"
                )
        return cls(**content)

    def sentences(self) -> Iterator[str]:
        """What is changed, a line each, for people."""
        for name, members in self.merge.items():
            yield f"{name} is {' + '.join(members)}"
        for name, new in self.rename.items():
            yield f"{name} is called {new}"
        if self.drop:
            yield f"dropped: {', '.join(self.drop)}"
        for name, gain in self.gain.items():
            yield f"{name}: {gain:+g} dB"
        for name, pan in self.pan.items():
            yield f"{name}: {spell_pan(pan)}"
        for key in ("order", "only", "without"):
            if getattr(self, key):
                yield f"{key}: {', '.join(getattr(self, key))}"

    def count(self) -> int:
        """How many names there are in all."""
        merged = sum(len(members) + 1 for members in self.merge.values())
        pairs = len(self.rename) + len(self.gain) + len(self.pan)
        lists = (self.drop, self.order, self.only, self.without)
        return merged + pairs + sum(map(len, lists))


def read_edits(content: object) -> tuple[Edits, ...]:
    """A list of edits out of a run.json, one after another.

    Raises
    ------
    ParameterError
        If it is anything else, or too much.
    """
    if not isinstance(content, list) or len(content) > MOST_EDITS:
        raise ParameterError(f"edits are a list of at most {MOST_EDITS}")
    edits = tuple(map(Edits.from_plain, content))
    if sum(each.count() for each in edits) > MOST_NAMES:
        raise ParameterError(f"edits hold at most {MOST_NAMES} names")
    return edits


def spell_pan(pan: float) -> str:
    """A pan as mixing desks show it, such as ``50L``."""
    if not pan:
        return "C"
    return f"{abs(pan) * 100:g}{'L' if pan < 0 else 'R'}"


def _mapping(key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParameterError(f"{key} takes a value by each name, got {_spell(value)}")
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
                f"{key} of {name} is from {least:g} to {most:g} {unit}, "
                f"got {_spell(number)}"
            )


def _spell(value: object) -> str:
    """A value, cut short, for it may be anything."""
    return repr(value)[:60] if isinstance(value, str | int | float) else "another type"
