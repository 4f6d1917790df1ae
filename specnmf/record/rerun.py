"""A run made again from its run.json, and compared with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from specnmf.output import folder, report
from specnmf.record import comparison
from specnmf.record.edit import changed, keep_apart
from specnmf.record.record import Record, read_record
from specnmf.record.remaking import remake
from specnmf.tasks.run import Run, run
from specnmf.tasks.stages import Progress


@dataclass(frozen=True, repr=False)
class Rerun(Run):
    """A run made again: a `Run`, and how it differs from the one before.

    Attributes
    ----------
    folder : path
        Where the new run is.
    report : dict
        What its run.json says.
    identical : bool
        Whether all arrays of factors.npz, and of layers.npz if any, are equal.
    difference : float
        The largest difference in any of them, relative to the largest value of the
        older one; infinite if their shapes or labels differ.
    versions : dict
        Of the packages whose version differs, then and now.

    Examples
    --------
    >>> import specnmf
    >>> options = {"sources": False, "figures": False, "report": False}
    >>> song = "audio_examples/drums/drums.flac"
    >>> run = specnmf.decompose(song, duration=2.0, output="runs", **options)
    >>> again = specnmf.rerun(run)
    >>> again.identical, again.difference, again.versions
    (True, 0.0, {})
    """

    identical: bool
    difference: float
    versions: dict[str, tuple[str, str]]


def rerun(
    run_dir: str | Path | Run,
    *,
    output: str | Path = "specnmf_rerun",
    overwrite: bool = False,
    inputs: Sequence[str | Path] | None = None,
    sources: bool | None = None,
    figures: bool | None = None,
    command: str = "",
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Rerun:
    """Make a run again from its run.json, and compare the factors.

    Parameters
    ----------
    run_dir : path or Run
        The folder of the run.
    output : path
        The folder for runs; ``run_dir`` itself is never written to.
    overwrite : bool
        Replace a finished run. What no run wrote there, or a person changed, is kept.
    inputs : sequence of path, optional
        Where the inputs are now, in the order of run.json; by default where they
        were, from the current folder.
    sources, figures : bool, optional
        Whether to write them this time; by default as before.
    command : str
        Kept in run.json.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    say : callable, optional
        Called with a line for the user before much is written.

    Returns
    -------
    Rerun
        The new run, and how it differs.

    Raises
    ------
    OutputError
        If ``run_dir`` holds no whole run, or the new one cannot be written.
    AudioError, ScoreError, TemplateError
        If an input is not there, or not the file that it was.
    ParameterError
        If a setting is of the wrong kind or out of its range.

    Examples
    --------
    >>> import specnmf
    >>> options = {"sources": False, "figures": False, "report": False}
    >>> song = "audio_examples/drums/drums.flac"
    >>> run = specnmf.decompose(song, duration=2.0, output="runs", **options)
    >>> again = specnmf.rerun(run)
    >>> again
    Rerun('specnmf_rerun/drums', kind='decompose')
    >>> again.identical
    True
    """
    place = run_dir.folder if isinstance(run_dir, Run) else run_dir
    record = read_record(place, inputs=inputs)
    archives = comparison.sizes(record.folder, record.task)
    target = record.target(output)
    keep_apart(record.folder, target, "made again; use another --output")
    folder.check_free(target, overwrite=overwrite)
    record.check_inputs()
    wanted: dict[str, Any] = {"sources": sources, "figures": figures}
    changes = {name: value for name, value in wanted.items() if value is not None}
    record = changed(record, changes)
    make = _run_edited if record.edits else _run
    again = make(
        record,
        target,
        overwrite=overwrite,
        command=command,
        progress=progress,
        say=say,
    )
    difference = np.inf
    if archives == comparison.sizes(again.folder, record.task):
        difference = comparison.difference(record.folder, again.folder, archives)
    return Rerun(
        again.folder,
        again.report,
        identical=difference == 0,
        difference=difference,
        versions=_changed(record.versions),
    )


def _run(record: Record, target: Path, **options: Any) -> Run:
    """The run of a record."""
    return run(
        record.task,
        record.song,
        record.settings,
        inputs=record.beside,
        look_beside=False,
        output=target.parent,
        name=target.name,
        **options,
    )


def _run_edited(record: Record, target: Path, **options: Any) -> Run:
    """The run of a record, fitted without its edits, then edited in the same way.

    The former has no sound, and is not kept.
    """
    plain = changed(record, {"sources": False, "report": False})
    with folder.scratch(target.parent) as place:
        told = {name: options[name] for name in ("progress", "say")}
        fitted = _run(plain, place / "fitted" / target.name, **told)  # place is locked
        base = read_record(fitted.folder, inputs=[*record.inputs.values()])
        return remake(
            base,
            record.edits,
            target,
            like=record,
            edited_from=record.edited_from,
            **options,
        )


def _changed(then: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The packages of another version than then, with both versions."""
    now = report.versions()
    return {
        name: (then.get(name, "none"), now[name])
        for name in now
        if then.get(name) != now[name]
    }
