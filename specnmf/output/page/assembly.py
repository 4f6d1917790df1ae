"""The contents of a page, as one JSON object.

The script in the page reads nothing else. Times are in the excerpt's time, stems are
numbered through all groups, arrays of bytes are in base64, unknown values are null::

    version, title, kind, sr, n_channels, duration, start (of the excerpt), tempo
    sound: {mode: ogg | mp3 | link | none | served, why}
    groups: [{name, stems: [{name, colour, share, rms, pitch, note, notes, file, sound,
              url, gain, pan, muted, levels (a byte a column of the picture), scores}]}]
    notes: {start, end, pitch, velocity, confidence, cents, percussion, stem}, columns
    drums: {pitch: name}
    regions: [{name, start, end}]
    picture: {columns, rows, lowest, per_semitone, data (row by row from the top)}
    templates: [{label, stem, pitch, rows (those of the picture)}]
    numbers: [[label, value]]   settings: [[name, value, is the default]]
    files: [{path, size}]   mixes: [{name, file}]   warnings, edits: [sentence]
    versions: {name: version}   command: always empty, as a rerun has another one
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import quote

from specnmf.errors import SpecnmfError
from specnmf.notation import drum_name
from specnmf.output.page import numbers
from specnmf.output.page.colours import colours
from specnmf.output.page.columns import Bytes
from specnmf.output.page.edits import sentences
from specnmf.output.page.facts import number, table, tables, text, texts, whole
from specnmf.output.page.notes import MOST_NOTES, note_columns
from specnmf.output.page.picture import PER_SEMITONE, Picture
from specnmf.output.page.stems import Group, Stem
from specnmf.output.page.templates import Template
from specnmf.output.products import STANDARD_INPUT, STANDARD_NAME
from specnmf.score.notes import Score
from specnmf.score.regions import read_regions

#: The version of this form of the contents.
VERSION = 1

#: The most regions and files that are shown.
MOST_REGIONS, MOST_FILES = 5000, 2000

#: The file of regions and the folder of mixes in a run.
LABELS, MIXES = "labels.txt", "mixes"

Mode = Literal["ogg", "mp3", "link", "none", "served"]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The sound of a stem in the page.

    Attributes
    ----------
    levels : array of bytes, shape (n_columns,), or None
        Its level in each column.
    element : str or None
        The element of the page with the sound.
    url : str or None
        Else the URL of the sound.
    """

    levels: Bytes | None = None
    element: str | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """The input of the contents.

    Attributes
    ----------
    folder : path
        The run.
    report : mapping
        The content of its run.json.
    groups : sequence of Group
        Its stems.
    heard : sequence of Heard
        The sound of each stem, of all groups in their order.
    mode : str
        The form of the sound.
    why : str or None
        The reason, if that is not the requested form.
    shown : Score
        The notes; the part of each is its stem.
    picture : Picture
        The recording.
    templates : sequence of Template
        The components.
    defaults : mapping, optional
        Defaults of the task's settings.
    scores : mapping of str to mapping, optional
        Scores of stems in dB, by the names of their files without ending.
    means : mapping of str to float, optional
        Means of these scores.
    base : str
        The relative URL of the run from the page: empty, or ends in a slash.
    """

    folder: Path
    report: Mapping[str, Any]
    groups: Sequence[Group]
    heard: Sequence[Heard]
    mode: Mode
    why: str | None
    shown: Score
    picture: Picture
    templates: Sequence[Template] = ()
    defaults: Mapping[str, Any] | None = None
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    means: Mapping[str, float | None] = field(default_factory=dict)
    base: str = ""

    @property
    def places(self) -> dict[str, int]:
        """The index of each stem among all groups; the first one of a name."""
        every = [stem for group in self.groups for stem in group.stems]
        return {stem.name: place for place, stem in reversed([*enumerate(every)])}


def make_contents(material: Material) -> dict[str, Any]:
    """The contents of a page, ready for JSON."""
    report, places = material.report, material.places
    return {
        "version": VERSION,
        "title": title(report),
        "kind": text(report.get("kind"), 40),
        **_recording(report),
        "sound": {"mode": material.mode, "why": material.why},
        "groups": _groups(material),
        "notes": note_columns(material.shown, places),
        "drums": _drums(material.shown),
        "regions": _regions(material.folder, report),
        "picture": _picture(material.picture),
        "templates": [_template(each, places) for each in material.templates],
        "numbers": numbers.numbers(report, material.means),
        "settings": numbers.settings(report, material.defaults),
        "files": list_files(material.folder, material.base),
        "mixes": _mixes(material.folder, material.base),
        "warnings": [*texts(report.get("warnings")), *_left_out(material.shown)],
        "edits": sentences(report.get("edits")),
        "versions": {
            text(name, 40): text(value, 40)
            for name, value in table(report.get("versions")).items()
        },
        "command": "",
    }


def title(report: Mapping[str, Any]) -> str:
    """The title of the song of a run."""
    inputs = tables(report.get("inputs"))
    path = text(inputs[0].get("path"), 4096) if inputs else ""
    if path == STANDARD_INPUT:
        return STANDARD_NAME
    return text(PurePosixPath(path.replace("\\", "/")).stem) or "untitled"


def _recording(report: Mapping[str, Any]) -> dict[str, Any]:
    """The rate and length of the recording, or of its excerpt."""
    audio = table(report.get("audio"))
    start = number(table(report.get("settings")).get("start"))
    return {
        "sr": whole(audio.get("sr")) or 0,
        "n_channels": whole(audio.get("n_channels")) or 0,
        "duration": number(audio.get("duration")) or 0.0,
        "start": start or 0.0,
        "tempo": number(report.get("tempo")),
    }


def _groups(material: Material) -> list[dict[str, Any]]:
    heard, found, place = iter(material.heard), [], 0
    parts = Counter(note.part for note in material.shown.notes)
    counts = {place: parts[name] for name, place in material.places.items()}
    for group in material.groups:
        hues = colours([stem.name for stem in group.stems])
        stems = []
        for stem, hue in zip(group.stems, hues, strict=True):
            stems.append(_stem(stem, hue, next(heard), counts.get(place), material))
            place += 1
        found.append({"name": group.name, "stems": stems})
    return found


def _stem(
    stem: Stem,
    hue: str,
    heard: Heard,
    n_notes: int | None,
    material: Material,
) -> dict[str, Any]:
    own = material.scores.get(PurePosixPath(stem.file or "").stem)
    return {
        "name": stem.name,
        "colour": hue,
        "share": stem.share,
        "rms": stem.rms,
        "pitch": stem.pitch,
        "note": stem.note,
        "notes": (n_notes or None) if stem.notes is None else stem.notes,
        "file": stem.file and material.base + stem.file,
        "sound": heard.element,
        "url": heard.url,
        "gain": 0.0,
        "pan": 0.0,
        "muted": False,
        "levels": None if heard.levels is None else as_base64(heard.levels),
        "scores": own and {k: round(v, 2) for k, v in own.items() if v is not None},
    }


def _drums(shown: Score) -> dict[str, str]:
    """The names of the drums among the notes, by MIDI number."""
    numbers = sorted({note.pitch for note in shown.notes if note.percussion})
    return {str(drum): drum_name(drum) for drum in numbers}


def _picture(picture: Picture) -> dict[str, Any]:
    rows, columns = picture.data.shape
    return {
        "columns": columns,
        "rows": rows,
        "lowest": picture.lowest,
        "per_semitone": PER_SEMITONE,
        "data": as_base64(picture.data),
    }


def _template(template: Template, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "label": text(template.label),
        "stem": places.get(template.label, -1),
        "pitch": template.pitch,
        "rows": as_base64(template.rows),
    }


def as_base64(values: Bytes) -> str:
    """Bytes as text."""
    return b64encode(values.tobytes()).decode("ascii")


def _regions(folder: Path, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The regions of a run's labels, in the excerpt's time."""
    path = folder / LABELS
    if not is_inside(folder, path):
        return []
    start = _recording(report)["start"]
    try:
        regions = read_regions(path)
    except SpecnmfError:  # users may edit it; the page shows the rest
        return []
    return [
        {
            "name": text(region.name),
            "start": round(max(0.0, region.start - start), 3),
            "end": round(region.end - start, 3),
        }
        for region in regions[:MOST_REGIONS]
        if region.end > start
    ]


def list_files(folder: Path, base: str = "") -> list[dict[str, Any]]:
    """The files in a run, with their sizes in bytes.

    ``base`` is the relative URL of the run from the page.
    """
    paths = sorted(path for path in folder.rglob("*") if is_inside(folder, path))
    return [
        {
            "path": base + path.relative_to(folder).as_posix(),
            "size": path.stat().st_size,
        }
        for path in paths[:MOST_FILES]
        if path.name not in PAGES
    ]


#: Files that a page does not list: itself, and files that are written later.
PAGES = ("report.html", "run.json")


def _mixes(folder: Path, base: str) -> list[dict[str, str]]:
    own = folder / MIXES
    paths = sorted(own.iterdir()) if own.is_dir() else []
    return [
        {"name": path.stem, "file": f"{base}{MIXES}/{path.name}"}
        for path in paths
        if is_inside(folder, path)
    ]


def is_inside(folder: Path, path: Path) -> bool:
    """Whether a path is a file within a folder, with links resolved."""
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def as_url(name: str) -> str:
    """The name of a file in the run as a relative URL."""
    return quote(os.fsencode(name))


def _left_out(shown: Score) -> list[str]:
    """The remark if not all notes are shown."""
    n = len(shown.notes)
    return [f"only the {MOST_NOTES} longest of {n} notes are shown"] * (n > MOST_NOTES)
