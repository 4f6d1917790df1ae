"""A finished run, changed without fitting it again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from specnmf.errors import OutputError, ParameterError
from specnmf.output import folder
from specnmf.record.edits import Edits
from specnmf.record.record import SONG, Record, read_record
from specnmf.record.remaking import remake
from specnmf.tasks.run import Run
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.stages import Progress


def edit(
    run: str | Path | Run,
    *,
    merge: Mapping[str, Sequence[str]] | None = None,
    rename: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    gain: Mapping[str, float] | None = None,
    pan: Mapping[str, float] | None = None,
    order: Sequence[str] = (),
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    **options: Any,
) -> Run:
    """A finished run changed into a new one, without fitting it again.

    Stems that are not changed keep each of their samples; a merged one is the sum of
    its members. But for gains and pans, all stems add up to the recording, exactly
    where they are integers. With gains or pans their sum is ``mixes/mix.wav``.

    Parameters
    ----------
    run : path or Run
        The run, of any task that makes stems.
    merge : mapping of str to sequence of str, optional
        Stems to add up, by the name of their sum. Names are found as by the setting
        ``only``: patterns and numbers will do.
    rename : mapping of str to str, optional
        New names, by the old ones.
    drop : sequence of str
        Stems to add to the rest.
    gain : mapping of str to float, optional
        Gains in dB, by name.
    pan : mapping of str to float, optional
        Places from left, -1, to right, 1, by name.
    order : sequence of str
        Stems that come first, in this order.
    only : sequence of str
        Stems to write; by default those that the run has as files.
    without : sequence of str
        Stems, for each of which ``mixes/without_NAME.wav`` is the mix of all others.
    **options
        As of `edit_run`: output, in_place, overwrite, input, ...

    Returns
    -------
    Run
        The new run.

    Raises
    ------
    OutputError
        If ``run`` holds no whole run, or the new one cannot be written.
    AudioError
        If the recording is not there, or not the file that it was.
    ParameterError
        If the edits name what there is not, or contradict each other.

    Examples
    --------
    >>> specnmf.edit("specnmf_out/song", merge={"bass": ["component_0[35]"]})
    """
    edits = Edits(
        merge=merge or {},
        rename=rename or {},
        drop=drop,
        gain=gain or {},
        pan=pan or {},
        order=order,
        only=only,
        without=without,
    )
    return edit_run(run, edits, **options)


def edit_run(
    run: str | Path | Run,
    edits: Edits,
    *,
    output: str | Path = "specnmf_edited",
    name: str | None = None,
    in_place: bool = False,
    overwrite: bool = False,
    input: str | Path | None = None,
    sources: bool | None = None,
    figures: bool | None = None,
    report: bool | None = None,
    command: str = "",
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """A finished run changed into a new one, as `edit` does.

    Parameters
    ----------
    run : path or Run
        The run.
    edits : Edits
        What to change.
    output : path
        The folder for runs.
    name : str, optional
        Of the new run's own folder in it; by default the old one's.
    in_place : bool
        Replace the run itself, at once, instead. What no run wrote there, or a person
        changed, is kept.
    overwrite : bool
        Replace a finished run in ``output``.
    input : path, optional
        Where the recording is now; by default where it was, from the current folder.
    sources, figures, report : bool, optional
        Whether to write them; by default as before.
    command : str
        Kept in run.json.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    say : callable, optional
        Called with a line for the user before much is written.
    """
    run_dir = Path(run.folder if isinstance(run, Run) else run)
    record = read_record(run_dir)
    check_editable(record)
    if not edits:
        raise ParameterError(f"{run_dir}: no edits given, expected some, such as merge")
    if input is not None:
        record = with_song(record, input)
    if in_place:
        target = run_dir.resolve() if run_dir.name in ("", "..") else run_dir
    else:
        target = target_of(run_dir, output, name)
    if not in_place:
        keep_apart(run_dir, target, "edited; use another --output, or --in-place")
    folder.check_free(target, overwrite=overwrite or in_place)
    record.check_input(SONG)
    wanted = {"sources": sources, "figures": figures, "report": report}
    changes = {key: value for key, value in wanted.items() if value is not None}
    origin = {"path": str(run_dir), "seal": record.seal}
    return remake(
        record,
        [edits],
        target,
        like=changed(record, changes),
        edited_from=origin,
        overwrite=overwrite or in_place,
        command=command,
        progress=progress,
        say=say,
    )


def check_editable(record: Record) -> None:
    """Raise ParameterError unless a run is of a task that makes stems."""
    if not issubclass(record.task.settings, RunSettings):
        raise ParameterError(
            f"{record.folder}: a run of {record.task.name} has no stems to edit; "
            "correct its score.csv, and give it to separate by --score"
        )


def with_song(record: Record, song: str | Path) -> Record:
    """The record with the recording where it is now."""
    return dataclasses.replace(record, inputs={**record.inputs, SONG: Path(song)})


def changed(record: Record, changes: Mapping[str, Any]) -> Record:
    """The record with settings that are others this time."""
    return dataclasses.replace(
        record,
        settings=dataclasses.replace(record.settings, **changes),
        used=dataclasses.replace(record.used, **changes),
    )


def target_of(run_dir: Path, output: str | Path, name: str | None) -> Path:
    """Where an edited run goes: a folder called as the run's is."""
    own = run_dir.resolve().name if name is None else name
    if own in ("", ".", "..") or Path(own).name != own:
        raise OutputError(f"no run can be called {own!r}; give it another name")
    return Path(output) / own


def keep_apart(run_dir: Path, target: Path, what: str) -> None:
    """Raise OutputError if writing to the target would remove the run.

    ``what`` is to be done to the run, and how it can be.
    """
    inner = run_dir.resolve()
    if target.exists() and any(target.samefile(p) for p in (inner, *inner.parents)):
        raise OutputError(f"{target} is or holds the run to be {what}")
