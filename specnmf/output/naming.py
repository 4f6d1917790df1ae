"""Names of the files of sources, from a pattern such as ``{song}_{stem}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from string import Formatter
from typing import NamedTuple

from specnmf.errors import ParameterError
from specnmf.filenames import MAX_BYTES, identity, safe_name

#: What a pattern may hold, and what stands for it.
FIELDS: Mapping[str, str] = {
    "song": "the name of the recording without its suffix",
    "folder": "the name of the folder that the recording is in",
    "stem": "the name of the source",
    "number": "the number of the source, from 01",
}

#: Fields that tell the sources of a song apart.
DIFFERENT = ("stem", "number")

#: The longest name of a file without its suffix, in bytes of UTF-8; systems take 255.
LONGEST = 240

#: The longest pattern, in letters.
LONGEST_PATTERN = 200


class _Part(NamedTuple):
    """A text, and a field that follows it, if any."""

    text: str
    field: str | None


def parse_pattern(pattern: str) -> str:
    """A pattern as it is, if it makes different and safe names of files.

    Raises
    ------
    ParameterError
        If a field is unknown or has a format, if none tells sources apart, or if a text
        is not fit for the names of files.
    """
    parts = _parts(pattern)
    fields = [part.field for part in parts if part.field is not None]
    for field in fields:
        if field not in FIELDS:
            raise ParameterError(
                f"name: no field {{{field}}}; the fields are "
                f"{', '.join(f'{{{known}}}' for known in FIELDS)}"
            )
    if not set(fields) & {*DIFFERENT}:
        raise ParameterError(
            f"name must have {{stem}} or {{number}}, got {pattern!r}: all sources "
            "would have the same name"
        )
    _check_name(pattern, _filled(parts, dict.fromkeys(FIELDS, "x")))
    return pattern


def file_names(pattern: str, stems: Sequence[str], recording: str) -> list[str]:
    """The names of the files of sources, without their suffixes.

    Parameters
    ----------
    pattern : str
        As of `parse_pattern`.
    stems : sequence of str
        The sources in order, with names of `specnmf.score.grouping.safe_names`.
    recording : str
        Its path or URL.

    Raises
    ------
    ParameterError
        If a name is too long, or some system would take two for the same.
    """
    parts = _parts(pattern)
    own = song_fields(recording)
    digits = max(2, len(str(len(stems))))
    names: list[str] = []
    seen: dict[str, str] = {}
    for number, stem in enumerate(stems, 1):
        fields = {**own, "stem": stem, "number": f"{number:0{digits}}"}
        name = _filled(parts, fields)
        _check_name(pattern, name)
        if seen.setdefault(identity(name), stem) != stem:
            raise ParameterError(
                f"name {pattern!r} calls both {seen[identity(name)]} and {stem} "
                f"{name!r}; add {{number}}"
            )
        names.append(name)
    return names


def song_name(pattern: str, recording: str) -> str:
    """What a pattern makes of a recording, with the same for the rest in any song."""
    fields = {**song_fields(recording), "stem": "*", "number": "*"}
    return _filled(_parts(pattern), fields)


def song_fields(recording: str) -> dict[str, str]:
    """What stands for the fields of a recording, whose path or URL this is."""
    path = PurePath(recording.replace("\\", "/") if "://" in recording else recording)
    return {
        "song": safe_name(path.stem),
        "folder": safe_name(path.parent.name) if path.parent.name else "",
    }


def _parts(pattern: str) -> list[_Part]:
    if len(pattern) > LONGEST_PATTERN:
        raise ParameterError(
            f"name must have at most {LONGEST_PATTERN} letters, got {len(pattern)}"
        )
    try:
        found = list(Formatter().parse(pattern))
    except ValueError as error:
        raise ParameterError(
            f"name: unbalanced braces in {pattern!r}; expected a pattern such as "
            "{song}_{stem}"
        ) from error
    for _, field, form, conversion in found:
        if form or conversion:
            raise ParameterError(
                f"name: write {{{field}}} without a format, got {pattern!r}"
            )
    return [_Part(text, field) for text, field, _, _ in found]


def _filled(parts: Sequence[_Part], fields: Mapping[str, str]) -> str:
    return "".join(
        part.text + (fields[part.field] if part.field is not None else "")
        for part in parts
    )


def _check_name(pattern: str, name: str) -> None:
    """Raise ParameterError if a name is too long, or not fit for every system."""
    size = len(name.encode(errors="replace"))
    if size > LONGEST:
        raise ParameterError(
            f"name {pattern!r} makes a name of {size} bytes, expected at most "
            f"{LONGEST}: {name[:MAX_BYTES]}..."
        )
    if safe_name(name, LONGEST) != name:
        raise ParameterError(
            f"name {pattern!r} makes {name!r}, which some system does not take as the "
            f"name of a file; use {safe_name(name, LONGEST)!r}"
        )
