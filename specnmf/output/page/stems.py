"""The stems of a run: their entries in run.json, and their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from specnmf.output.page.facts import number, rounded, table, tables, text, whole

#: The suffixes of stems' files, and the most stems on a page.
SUFFIXES, MOST_STEMS = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus"), 512

#: The folder of the stems in a run.
SOURCES = "sources"


@dataclass(frozen=True, kw_only=True)
class Stem:
    """A stem of a run.

    Attributes
    ----------
    name : str
        Its name.
    file : str or None
        Its existing file in the run folder; None if it was not written.
    share : float or None
        Its share of the energy, 0 to 1.
    rms : float or None
        Its root mean square; full scale is 1.
    pitch : float or None
        Its MIDI number, if it has one pitch.
    note : str or None
        The name of that pitch.
    notes : int or None
        The number of its notes.
    """

    name: str
    file: str | None = None
    share: float | None = None
    rms: float | None = None
    pitch: float | None = None
    note: str | None = None
    notes: int | None = None


@dataclass(frozen=True)
class Group:
    """Stems that add up to the recording."""

    name: str  #: Empty, or that of a layer.
    stems: Sequence[Stem]


def read_groups(report: Mapping[str, Any], folder: Path) -> list[Group]:
    """The stems of a run, in their groups.

    Parameters
    ----------
    report : mapping
        The content of its run.json, which is not trusted.
    folder : path
        The run. Only recordings in its sources/ count as files of stems.
    """
    found = _layers(report, folder) or [Group("", _stems(_entries(report), folder))]
    written = [group for group in found if any(stem.file for stem in group.stems)]
    if not written:
        listed = _listed(found, folder)
        written = [Group("", listed)] if listed else found
    groups, left = [], MOST_STEMS
    for group in written:
        stems = list(group.stems[:left])
        left -= len(stems)
        if stems:
            groups.append(Group(group.name, _with_shares(stems)))
    return groups


def _entries(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entry of each stem in run.json, whatever the task."""
    for key in ("stems", "labels", "components"):
        found = tables(report.get(key))
        if found:
            return found
    return []


def _layers(report: Mapping[str, Any], folder: Path) -> list[Group]:
    """The components of each layer, if there are layers."""
    groups = []
    for count, layer in enumerate(tables(report.get("layers")), 1):
        place = whole(layer.get("layer")) or count
        name = f"layer_{place}"
        stems = _stems(tables(layer.get("components")), folder)
        groups.append(Group(name, stems))
    return groups


def _stems(entries: Iterable[Mapping[str, Any]], folder: Path) -> list[Stem]:
    return [_stem(entry, folder) for entry in entries]


def _stem(entry: Mapping[str, Any], folder: Path) -> Stem:
    """A stem from its entry in run.json."""
    named = text(entry.get("name")).rpartition("/")[2]  # "layer_1/component_01"
    label = named or text(entry.get("label"))
    source = entry.get("source")
    name = source if isinstance(source, str) else None
    pitch = number(entry.get("pitch"))
    return Stem(
        name=label,
        file=name if name is not None and is_stem(folder, name) else None,
        share=rounded(_share(entry.get("energy_share"))),
        rms=rounded(number(entry.get("rms"))),
        pitch=pitch if pitch is not None and 0 <= pitch <= 140 else None,
        note=text(entry.get("note"), 20) or _first_note(entry.get("notes")),
        notes=whole(entry.get("notes")),
    )


def _share(value: object) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found <= 1 else None


def _first_note(notes: object) -> str | None:
    """The main note of a component of a layer."""
    first = next(iter(tables(notes)), {})
    share = _share(first.get("share"))
    return text(first.get("note"), 20) or None if (share or 0) > 0.5 else None


def is_stem(folder: Path, name: str) -> bool:
    """Whether a name in run.json is that of a recording in the run's sources/.

    Files elsewhere, also through links, do not count.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or "\\" in name:
        return False
    if path.parts[:1] != (SOURCES,) or path.suffix.lower() not in SUFFIXES:
        return False
    try:
        place = (folder / path).resolve()
        own = (folder / SOURCES).resolve()
        inside = own.is_relative_to(folder.resolve()) and place.is_relative_to(own)
        return inside and place.is_file()
    except (OSError, ValueError):  # not a valid name for a file
        return False


def _listed(groups: Sequence[Group], folder: Path) -> list[Stem]:
    """The stems in sources/, if run.json lists none."""
    known = {stem.name: stem for group in groups for stem in group.stems}
    own = folder / SOURCES
    paths = sorted(own.iterdir()) if own.is_dir() else []
    names = [f"{SOURCES}/{path.name}" for path in paths]
    return [
        replace(known.get(stem, Stem(name=stem)), file=name)
        for name in names
        if is_stem(folder, name)
        for stem in [PurePosixPath(name).stem]
    ]


def _with_shares(stems: Sequence[Stem]) -> list[Stem]:
    """Stems with their shares of the energy; if unknown, from their levels."""
    power = [0.0 if stem.rms is None else stem.rms * stem.rms for stem in stems]
    total = sum(power)
    if any(stem.share is not None for stem in stems) or not 0 < total < float("inf"):
        return list(stems)
    return [
        replace(stem, share=rounded(own / total))
        for stem, own in zip(stems, power, strict=True)
    ]


def heard_voices(report: Mapping[str, Any], parts: Sequence[str]) -> list[Stem]:
    """The voices of a transcription, which have notes but no sound of their own."""
    counts = table(table(report.get("transcription")).get("parts"))
    own = set(parts)  # told in the order of voices, not that in which they begin
    told = [part for part in counts if part in own]
    return [
        Stem(name=part, notes=whole(counts.get(part)))
        for part in dict.fromkeys([*told, *parts])
    ]
