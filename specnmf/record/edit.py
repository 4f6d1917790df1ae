"""Edit a finished run without fitting it again."""

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
    """A new run with edited stems, made from a finished one without fitting it again.

    Unchanged stems keep every sample; a merged stem is the sum of its members. Without
    gains and pans, all stems add up to the recording, exactly for integer samples. With
    gains or pans, their sum is ``mixes/mix.wav``.

    Parameters
    ----------
    run : path or Run
        A run of any task that makes stems.
    merge : mapping of str to sequence of str, optional
        Stems to add up, by the name of their sum. Stems are selected by name, pattern
        or number, as in the setting ``only``.
    rename : mapping of str to str, optional
        New names, by old name.
    drop : sequence of str
        Stems to add to the rest (``rest`` or ``residual``).
    gain : mapping of str to float, optional
        Gains in dB, by name.
    pan : mapping of str to float, optional
        Pans from -1 (left) to 1 (right), by name.
    order : sequence of str
        Stems to put first, in this order.
    only : sequence of str
        Stems to write; by default those that the run has written.
    without : sequence of str
        Stems to leave out: ``mixes/without_NAME.wav`` is the sum of all others.
    **options
        Further options: ``output`` (folder for runs, default ``"specnmf_edited"``),
        ``in_place`` (replace the run itself), ``overwrite``, ``input`` (the recording,
        if it was moved), ``sources``, ``figures``, ``report`` (whether to write them),
        ``name`` (of the new run's folder) and ``progress``.

    Returns
    -------
    Run
        The new run.

    Raises
    ------
    OutputError
        If ``run`` is not a finished run, or the new one cannot be written.
    AudioError
        If the recording is missing or has changed.
    ParameterError
        If the edits select no stem, or contradict each other.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.Settings(
    ...     n_components=3, max_iter=5, duration=1.0, report=False, figures=False
    ... )
    >>> song = "audio_examples/drums/drums.flac"
    >>> run = specnmf.decompose(song, settings, output="runs")
    >>> edited = specnmf.edit(run, merge={"low": ["1", "2"]}, output="edited")
    >>> sorted(stem["label"] for stem in edited.report["components"])
    ['component_03', 'low']
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
    """A new run with edited stems, as `edit` makes it.

    Parameters
    ----------
    run : path or Run
        The run.
    edits : Edits
        The edits.
    output : path
        The folder for runs.
    name : str, optional
        Name of the new run's folder; by default that of the old one.
    in_place : bool
        Replace the run itself instead, in one step. Files that the run did not write,
        or that were changed since, are kept.
    overwrite : bool
        Replace a finished run in ``output``.
    input : path, optional
        The recording, if it was moved; by default its old path, relative to the current
        folder.
    sources, figures, report : bool, optional
        Whether to write them; by default as in the run.
    command : str
        The command line, for run.json.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    say : callable, optional
        Called with a line for the user before large files are written.
    """
    run_dir = Path(run.folder if isinstance(run, Run) else run)
    record = read_record(run_dir)
    check_editable(record)
    if not edits:
        raise ParameterError(
            f"{run_dir}: no edits given; expected at least one, such as merge"
        )
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
    """Raise ParameterError unless the run's task makes stems."""
    if not issubclass(record.task.settings, RunSettings):
        raise ParameterError(
            f"{record.folder}: a run of {record.task.name} has no stems to edit; "
            "correct its score.csv, and pass it to separate with --score"
        )


def with_song(record: Record, song: str | Path) -> Record:
    """The record with the present path of the recording."""
    return dataclasses.replace(record, inputs={**record.inputs, SONG: Path(song)})


def changed(record: Record, changes: Mapping[str, Any]) -> Record:
    """The record with changed settings."""
    return dataclasses.replace(
        record,
        settings=dataclasses.replace(record.settings, **changes),
        used=dataclasses.replace(record.used, **changes),
    )


def target_of(run_dir: Path, output: str | Path, name: str | None) -> Path:
    """The folder of an edited run, by default with the name of the run's folder."""
    own = run_dir.resolve().name if name is None else name
    if own in ("", ".", "..") or Path(own).name != own:
        raise OutputError(f"{own!r} cannot be the name of a run; use another name")
    return Path(output) / own


def keep_apart(run_dir: Path, target: Path, what: str) -> None:
    """Raise OutputError if writing to the target would remove the run.

    ``what`` is the operation, and the remedy.
    """
    inner = run_dir.resolve()
    if target.exists() and any(target.samefile(p) for p in (inner, *inner.parents)):
        raise OutputError(f"{target} is or contains the run to be {what}")
