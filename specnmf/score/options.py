"""The options of scores: what makes a stem, and how a score is aligned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

from specnmf.checks import whole_or_auto
from specnmf.errors import ParameterError
from specnmf.options import Options, option

By = Literal["part", "hand", "pitch", "note"]
Align = Literal["auto", "always", "never"]
Groups = Mapping[str, Sequence[str]]

#: The suffixes of scores that are looked for beside a recording, the likeliest first.
SCORES = (
    *(".mid", ".midi", ".musicxml", ".mxl", ".xml", ".csv", ".mscz", ".mscx"),
    *(".gp", ".gpx", ".gp5", ".gp4", ".gp3", ".mei", ".krn", ".abc"),
)


def parse_groups(groups: Iterable[str] | Mapping[str, object]) -> Groups:
    """The groups of a command line or a TOML file.

    They are texts such as ``"strings=violin,viola"``, where groups of the same name are
    joined, or a table such as ``{"strings": ["violin", "viola"]}``, where names may
    contain a comma. Raises ParameterError for any other form.
    """
    pairs = groups.items() if isinstance(groups, Mapping) else map(_pair, groups)
    parsed: dict[str, tuple[str, ...]] = {}
    for stem, members in pairs:
        names = members.split(",") if isinstance(members, str) else members
        texts = (stem, *names) if isinstance(names, Sequence) else ()
        if len(texts) < 2 or not all(isinstance(t, str) and t.strip() for t in texts):
            raise _bad_group(f"{stem}={members}")
        stem, *own = (text.strip() for text in texts)
        parsed[stem] = (*parsed.get(stem, ()), *own)
    return parsed


def _pair(text: str) -> tuple[str, str]:
    stem, equals, members = text.partition("=")
    if not equals:
        raise _bad_group(text)
    return stem, members


def _bad_group(got: str) -> ParameterError:
    return ParameterError(
        f"a group must be NAME=STEM,STEM such as strings=violin,viola, got {got!r}"
    )


class StemOptions(Options):
    """What makes a stem."""

    by: By = option("part", "Make a stem of each part, hand, pitch or note.")
    groups: Mapping[str, Sequence[str]] = option(
        {},
        "Join stems into one, such as strings=violin*,viola; repeatable.",
        flags=("--group",),
        parse=parse_groups,
        metavar="NAME=STEM,...",
    )
    split: int = option(
        60,
        "Lowest MIDI pitch of the right hand, if the score does not show the hands; "
        "60 is middle C.",
        least=0,
        most=128,
    )


class AlignOptions(Options):
    """How a score is aligned to a recording."""

    align: Align = option(
        "auto", "Align the score to the recording; auto: only if their times differ."
    )
    transpose: int | Literal["auto"] = option(
        0,
        "Transpose the score by this many semitones to match; auto: find them.",
        least=-48,
        most=48,
        parse=partial(whole_or_auto, expected="auto or a whole number"),
        metavar="[auto|SEMITONES]",
    )
