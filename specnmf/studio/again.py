"""Separate again, by the corrected notes or regions."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.errors import ParameterError
from specnmf.methods.drums.hits import NOTES, drum_of
from specnmf.methods.stems import RESTS
from specnmf.record.edits import Edits
from specnmf.record.record import SONG
from specnmf.studio.base import Base, open_base
from specnmf.studio.preview import Preview
from specnmf.tasks.registry import TASKS
from specnmf.tasks.settings import RunSettings

if TYPE_CHECKING:
    from specnmf.score.notes import Note
    from specnmf.score.regions import Region
    from specnmf.tasks.stages import Progress

#: The files of the corrected notes and regions, by their roles among the inputs.
CORRECTED = {"score": "corrected.csv", "labels": "corrected.txt"}

#: The settings that the runs of all tasks share: the excerpt and the files.
_ALIKE = (
    *("start", "duration", "format", "subtype", "figures", "figure_format"),
    *("grid", "report", "report_audio", "seed", "threads"),
)


@dataclass(frozen=True)
class Plan:
    """The plan to separate a version again.

    Attributes
    ----------
    task : str
        The name of the task.
    settings : RunSettings
        Its settings.
    role : str
        The role of the corrected file among the task's inputs.
    rests : mapping of str to str
        The task's name of the stem for the rest, and its name in the version.
    drums : mapping of str to str
        The task's names of the stems of drums, and their names in the version.
    beside : mapping of str to path
        Other inputs of the task, by their roles.
    """

    task: str
    settings: RunSettings
    role: str
    rests: Mapping[str, str]
    drums: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, Path] = field(default_factory=dict)


def separate(
    preview: Preview, plan: Plan, folder: Path, *, command: str, progress: Progress
) -> Base:
    """Make a run by the notes or the regions of a version of another run.

    Parameters
    ----------
    preview : Preview
        The version: the new run gets the stems that it shows.
    plan : Plan
        The result of `plan_of`.
    folder : path
        The new folder; it does not exist yet.
    command : str
        The command line, for run.json.
    progress : callable
        As in `specnmf.tasks.run.run`.

    Raises
    ------
    SpecnmfError
        If there are no notes or regions, or the run fails.
    """
    from specnmf.tasks.run import run

    record = preview.base.record
    for role in (SONG, *plan.beside):
        record.check_input(role)
    folder.mkdir(parents=True)
    path, start = folder / CORRECTED[plan.role], preview.base.start
    if plan.role == "score":
        write_notes(path, _notes(preview, plan), start)
    else:
        write_regions(path, _regions(preview), start)
    made = run(
        TASKS[plan.task],
        record.song,
        plan.settings,
        inputs={plan.role: path, **plan.beside},
        look_beside=False,
        output=folder,
        name="run",
        command=command,
        progress=progress,
    )
    return open_base(made.folder)


def plan_of(preview: Preview) -> Plan:
    """The plan to separate a version again.

    Raises
    ------
    ParameterError
        If that is not possible.
    """
    kind = preview.base.kind
    if kind in ("separate", "transcribe"):
        return _by_notes(preview)
    if kind in ("label", "layers", "decompose"):
        return _by_regions(preview)
    if kind == "drums":
        return _by_strokes(preview)
    raise ParameterError(
        f"a run of {kind} cannot be separated again by notes or regions"
    )


def _by_notes(preview: Preview) -> Plan:
    """`separate` by notes that are already in the recording's time."""
    record = preview.base.record
    settings: Any = _settings("separate", record.task.name, record.settings)
    rest = next((name for name in preview.names if _is_rest(preview, name)), None)
    if record.task.name == "transcribe":
        rest = rest or RESTS[0]
    keeps = rest is not None and settings.model == "partials"
    settings = replace(
        settings,
        by="part",
        groups={},
        align="never",
        transpose=0,
        no_score=False,
        residual=keeps,
    )
    rests = {"residual": rest} if keeps and rest is not None else {}
    return Plan("separate", settings, "score", rests)


def _is_rest(preview: Preview, name: str) -> bool:
    """Whether a shown stem holds the sound that no note explains."""
    stem = preview.stems[preview.names.index(name)]
    members = {preview.base.names[member] for member in stem.members}
    return name in RESTS or not members.isdisjoint(RESTS)


def _by_strokes(preview: Preview) -> Plan:
    """`drums` by strokes that are already in the recording's time."""
    record = preview.base.record
    settings: Any = _settings("drums", "drums", record.settings)
    settings = replace(settings, drums=(), align="never", transpose=0)
    rest = next((name for name in preview.names if _is_rest(preview, name)), None)
    rests = {} if rest is None else {RESTS[0]: rest}
    own = [note for note in _notes_of(preview) if note.part not in rests.values()]
    drums = {drum_of(struck(preview, note)): note.part for note in own}
    kits = {role: path for role, path in record.beside.items() if role == "kit"}
    return Plan("drums", settings, "score", rests, drums, kits)


def struck(preview: Preview, note: Note) -> int:
    """The note of General MIDI of a stroke: another one if its drum is another.

    Raises
    ------
    ParameterError
        If there is none for its drum.
    """
    stem = preview.stems[preview.names.index(note.part)]
    members = [preview.base.names[member] for member in stem.members]
    if drum_of(note.pitch) in members:
        return note.pitch
    known = next((NOTES[name][0] for name in members if name in NOTES), None)
    if known is None:
        raise ParameterError(
            f"the stroke at {note.start:.2f} s is of {note.part}, which has no note in "
            "General MIDI; choose another stem"
        )
    return known


def _by_regions(preview: Preview) -> Plan:
    """`label` by regions, or `layers` if the run is of layers."""
    record = preview.base.record
    kind = "layers" if record.task.name == "layers" else "label"
    settings = _settings(kind, record.task.name, record.settings)
    return Plan(kind, settings, "labels", {})


def _settings(kind: str, before: str, settings: Any) -> RunSettings:
    """The settings of a task, taken from another one; all stems become files."""
    if kind != before:
        known = {each.name for each in fields(settings)}
        alike = {name: getattr(settings, name) for name in _ALIKE if name in known}
        settings = TASKS[kind].settings(**alike)
    made: RunSettings = replace(settings, sources=True, only=())
    return made


def _notes(preview: Preview, plan: Plan) -> Sequence[Note]:
    """The notes to separate by, without those of the rest."""
    own = [n for n in _notes_of(preview) if n.part not in plan.rests.values()]
    if not own:
        raise ParameterError("there are no notes to separate by; add some first")
    if not plan.drums:
        return own
    return [n._replace(pitch=struck(preview, n), percussion=True) for n in own]


def _notes_of(preview: Preview) -> Sequence[Note]:
    """The notes; ParameterError if one has no stem."""
    notes = preview.shown_notes().notes
    lost = next((note for note in notes if not note.part), None)
    if lost is not None:
        raise ParameterError(
            f"the note at {lost.start:.2f} s has no stem; choose one or delete it"
        )
    return notes


def _regions(preview: Preview) -> Sequence[Region]:
    """The regions to separate by."""
    if not preview.regions:
        raise ParameterError("there are no regions to separate by; mark some first")
    return preview.regions


def write_notes(path: Path, notes: Sequence[Note], start: float) -> None:
    """Write notes as a table in the recording's time, ``start`` seconds later.

    `specnmf.score.notelist.write_csv` would omit whether a note is percussion.
    """
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, lineterminator="\n")
        titles = ("start", "duration", "pitch", "velocity", "label")
        writer.writerow([*titles, "percussion", "cents", "confidence"])
        for note in notes:
            seconds = f"{note.start + start:.6f}", f"{note.duration:.6f}"
            drum = "yes" if note.percussion else "no"
            heard = f"{note.cents:.2f}", f"{note.confidence:.4f}"
            writer.writerow(
                [*seconds, note.pitch, note.velocity, note.part, drum, *heard]
            )


def write_regions(path: Path, regions: Sequence[Region], start: float) -> None:
    """Write regions in the recording's time, ``start`` seconds later."""
    from specnmf.score import regions as labels

    later = (
        region._replace(start=region.start + start, end=region.end + start)
        for region in regions
    )
    labels.write_label_track(path, list(later))


def still_to_do(preview: Preview, plan: Plan, base: Base) -> Edits:
    """The edits of a run that was separated again: levels and order as before.

    Parameters
    ----------
    preview : Preview
        The shown version.
    plan : Plan
        The plan of the new run.
    base : Base
        The new run, whose stems already have their names.
    """
    merge, rename = _merged(plan, base), {}
    for old, new in {**plan.rests, **plan.drums}.items():
        is_free = new not in base.names or plan.drums.get(new, new) != new
        if old in base.names and old != new and new not in merge and is_free:
            rename[old] = new
    placed = {old: new for new, members in merge.items() for old in members}
    names = [*dict.fromkeys({**rename, **placed}.get(n, n) for n in base.names)]
    own = [stem for stem in preview.stems if stem.name in names]
    order = [stem.name for stem in own]
    rest = [name for name in names if name not in order]
    return Edits(
        merge=merge,
        rename=rename,
        gain={stem.name: stem.gain for stem in own if stem.gain},
        pan={stem.name: stem.pan for stem in own if stem.pan},
        order=tuple(order) if [*order, *rest] != names else (),
    )


def _merged(plan: Plan, base: Base) -> dict[str, list[str]]:
    """The drums of a new run that were one stem: a score tells them apart again."""
    found: dict[str, list[str]] = {}
    for name in base.names:
        if name in plan.drums:
            found.setdefault(plan.drums[name], []).append(name)
    return {new: members for new, members in found.items() if len(members) > 1}
