"""One song, from its path to its run folder: the same for every task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from specnmf.audio import reading
from specnmf.audio.writing import check_writable
from specnmf.output import folder, report
from specnmf.output.forecast import Forecast
from specnmf.output.keeping import remarks
from specnmf.output.naming import file_names
from specnmf.output.products import FILES, REPORT, SEAL, list_files, seal
from specnmf.output.selection import Group, left_out, select
from specnmf.output.sources import Written, write_sources
from specnmf.output.stored import MODEL, note_arrays
from specnmf.parallel import n_threads
from specnmf.score import midi, notelist
from specnmf.subnormals import flush_to_zero
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.stages import Progress, Stages
from specnmf.tasks.task import AnyResult, Result, Song, Sources, Task

#: A worse null test than this is worth a warning.
MOST_RESIDUAL_DB = -90.0


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : path
        Where it is.
    report : dict
        What its run.json says.

    Examples
    --------
    >>> import specnmf
    >>> run = specnmf.decompose(
    ...     "audio_examples/drums/drums.flac",
    ...     specnmf.Settings(n_components=3, duration=2.0, max_iter=20, tol=0),
    ...     figures=False,
    ...     report=False,
    ...     output="runs",
    ... )
    >>> run
    Run('runs/drums', kind='decompose')
    >>> run.report["iterations"]
    20
    >>> sorted(path.name for path in (run.folder / "sources").iterdir())
    ['component_01.wav', 'component_02.wav', 'component_03.wav']
    """

    folder: Path
    report: dict[str, Any]

    def __repr__(self) -> str:
        """One line: where it is, and what was done."""
        kind = type(self).__name__
        return f"{kind}({str(self.folder)!r}, kind={self.report.get('kind')!r})"

    def _repr_html_(self) -> str:
        """Its page, in a notebook."""
        from specnmf.output.page.notebook import run_html

        return run_html(self.folder, self.report)


def run(
    task: Task[Any],
    path: str | Path,
    settings: Any = None,
    *,
    inputs: Mapping[str, str | Path | None] | None = None,
    look_beside: bool = True,
    output: str | Path = "specnmf_out",
    name: str | None = None,
    overwrite: bool = False,
    command: str = "",
    called: Mapping[Path, str] | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Do a task with a song, and leave everything in a folder.

    Parameters
    ----------
    task : Task
        What to do.
    path : path
        The recording.
    settings : SongSettings, optional
        Of the task's kind; by default its defaults.
    inputs : mapping of str to path, optional
        The files beside the song, by the names of the task's inputs.
    look_beside : bool
        Look beside the song for those that are missing or None.
    output : path
        The folder for runs.
    name : str, optional
        Of the run's own folder in it; by default the recording's stem.
    overwrite : bool
        Replace a finished run. What no run wrote there, or a person changed, is kept.
    command : str
        Kept in run.json.
    called : mapping of path to str, optional
        What run.json calls inputs that are copies from elsewhere.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.
    say : callable, optional
        Called with a line for the user before much is written.

    Returns
    -------
    Run
        The folder and its report.

    Raises
    ------
    SpecnmfError
        AudioError, ScoreError, TemplateError, ParameterError or OutputError, with
        nothing left behind.
    """
    asked = settings or task.settings()
    look_beside = look_beside and task.looks_beside(asked)
    found = find_inputs(task, path, inputs or {}, look_beside=look_beside)
    target = folder.target(output, path) if name is None else Path(output) / name
    place = (called or {}).get(Path(path), "")
    song = Song(Path(path), asked, found, Stages(progress), called=place)
    if isinstance(asked, RunSettings):
        expect = Forecast(song.path, asked, target, say or (lambda line: None))
        expect.called = song.place
        song = replace(song, expect=expect)
    folder.check_free(target, overwrite=overwrite)
    with song.stages.stage("read") as step:
        material = task.read(song, step)
    if isinstance(asked, RunSettings):
        expect.sound = material.sound
        check_writable(asked.format, material.sound.sr, material.sound.n_channels)
    inputs_of = [song.path, *found.values()]
    with folder.run_folder(target, overwrite=overwrite, inputs=inputs_of) as partial:
        with song.stages.compiling():
            result = task.fit(song, material)
            if isinstance(result, Result):
                song.expect(_names_of(result.sources()))
            written = _write(result, partial)
        content = {
            "command": command,
            **_entries(task, result, written, called or {}),
            "left_out": _left_out(result),
        }
        for title, document in result.documents(content).items():
            report.write_document(partial / title, document)
        _write_page(result, partial, content)
        content["seconds"] = song.stages.seconds
        content[FILES] = list_files(partial, threads=asked.threads)
        _keep(content, target, partial, inputs_of)
        content[SEAL] = seal(content)
        report.write_document(partial / REPORT, content)
    return Run(target, content)


def _keep(
    content: dict[str, Any], target: Path, partial: Path, inputs: Sequence[Path]
) -> None:
    """Keep what a person has in the run that is replaced, and say so in run.json.

    An input that has another name in the new run is named by it.
    """
    kept = folder.keep(target, partial, inputs)
    content["warnings"] += remarks(kept)
    for path, entry in zip(inputs, content["inputs"], strict=True):
        moved = folder.kept_as(path, target, kept)
        if moved is not None:
            entry["path"] = str(moved)


def find_inputs(
    task: Task[Any],
    path: str | Path,
    given: Mapping[str, str | Path | None],
    *,
    look_beside: bool = True,
) -> dict[str, Path]:
    """The files that a task takes beside a song: given, else found there.

    Raises
    ------
    SpecnmfError
        Of the input's kind, if one is required and not there.
    """
    found = {}
    for each in task.inputs:
        place = given.get(each.name) or (each.find(path) if look_beside else None)
        if place is not None:
            found[each.name] = Path(place)
        elif each.required:
            raise each.missing(path)
    return found


def _write(result: AnyResult[Any], partial: Path) -> list[Written]:
    """Write all but the report; what became of the sources.

    Drawing is Python's work and masking the kernels', so they go on side by side where
    there is more than one thread.
    """
    if not isinstance(result, Result):
        _write_views(result, partial)
        return []
    if n_threads(result.settings.threads) == 1:
        _write_views(result, partial)
        return _write_sound(result, partial)
    with ThreadPoolExecutor(1, thread_name_prefix="specnmf-views") as aside:
        views = aside.submit(_write_views, result, partial)
        written = _write_sound(result, partial)
        views.result()
    return written


def _write_views(result: AnyResult[Any], partial: Path) -> None:
    """Write factors, model, notes and figures."""
    stages = result.song.stages
    with stages.stage("piano roll"):
        if isinstance(result, Result):
            _write_factors(result, partial)
        _write_model(result, partial)
        result.write(partial)
    if result.settings.figures:
        (partial / "figures").mkdir()
        with stages.stage("figures"):
            result.draw(partial / "figures")


@flush_to_zero()
def _write_factors(result: Result[Any], partial: Path) -> None:
    """Write factors.npz, and the activations as notes."""
    factors, grid = result.stems.factors, result.stems.grid
    report.write_factors(
        partial / "factors.npz",
        factors,
        frequencies=grid.frequencies,
        times=grid.times,
    )
    midi.write_midi(partial / "pianoroll.mid", result.roll, beats=result.beats)
    notelist.write_csv(partial / "pianoroll.csv", result.roll)


def _write_model(result: AnyResult[Any], partial: Path) -> None:
    """Write model.npz: the notes to show, and what makes the stems again."""
    stored = result.stored() if isinstance(result, Result) else {}
    arrays = {**note_arrays(result.shown()), **stored}
    report.write_arrays(partial / MODEL, arrays)


def _write_page(
    result: AnyResult[Any], partial: Path, content: Mapping[str, Any]
) -> None:
    """Write the page, where it is asked for."""
    if not result.settings.report:
        return
    from specnmf.output.page.page import write_page

    with result.song.stages.stage("report") as step:
        write_page(
            partial,
            content,
            result.sound,
            result.shown(),
            audio=result.settings.report_audio,
            defaults=asdict(type(result.settings)()),
            threads=result.settings.threads,
            progress=step,
        )


def _write_sound(result: Result[Any], partial: Path) -> list[Written]:
    """Write the sources."""
    if not result.settings.sources:
        return []
    groups = result.sources()
    chosen = select(_names_of(groups), result.settings.only)
    with result.song.stages.stage("sources") as step:
        return [
            _write_group(
                result,
                group,
                chosen[number],
                partial / "sources" / group.within,
                lambda done, total, before=number: step(
                    before * total + done, len(groups) * total
                ),
            )
            for number, group in enumerate(groups)
        ]


def _write_group(
    result: Result[Any], group: Sources, only: Sequence[int], own: Path, progress: Any
) -> Written:
    if not only:
        return Written({}, {}, None, 0, group.within)
    own.mkdir(parents=True)
    settings = result.settings
    with closing(group.stems.stream(settings)) as stream:
        return write_sources(
            own,
            result.song.path,
            result.sound,
            group.names,
            stream,
            settings,
            start=settings.start,
            threads=settings.threads,
            within=group.within,
            progress=progress,
            only=only,
            files=file_names(settings.name, group.names, result.song.place),
        )


def _names_of(groups: Sequence[Sources]) -> list[Group]:
    """The names of sources."""
    return [Group(group.names, group.within) for group in groups]


def _left_out(result: AnyResult[Any]) -> list[str]:
    """The sources that were not written for others were asked for."""
    if not isinstance(result, Result):
        return []
    if not (result.settings.sources and result.settings.only):
        return []
    groups = _names_of(result.sources())
    return left_out(groups, select(groups, result.settings.only))


def _entries(
    task: Task[Any],
    result: AnyResult[Any],
    written: Sequence[Written],
    called: Mapping[Path, str],
) -> dict[str, Any]:
    """Everything that run.json says but the command and the seconds."""
    song = result.song
    inputs = report.inputs_entry(song.path, song.inputs, called)
    sums = [each["sha256"] for each in inputs[1:]]
    checksums = dict(zip(song.inputs, sums, strict=True))
    fitted = _fit_entries(result, written) if isinstance(result, Result) else {}
    return {
        "kind": task.name,
        "settings_hash": report.settings_hash(task.name, song.settings, checksums),
        "inputs": inputs,
        "roles": ["song", *song.inputs],
        "audio": report.audio_entry(result.sound),
        **report.settings_entries(song.settings, _used(result)),
        "seed": song.settings.seed,
        "versions": report.versions(),
        "schemas": report.SCHEMAS,
        "tempo": None if result.beats is None else round(result.beats.bpm, 2),
        **fitted,
        **result.entries(written),
        "warnings": [
            *sound_remarks(result),
            *_source_warnings(fitted.get("residual_db"), written),
            *result.remarks,
            *_figure_warnings(result),
        ],
    }


def _used(result: AnyResult[Any]) -> Any:
    """The settings as they were used."""
    if not isinstance(result, Result):
        return result.settings
    grid = result.stems.grid
    return replace(result.settings, n_fft=grid.n_fft, hop_length=grid.hop_length)


def _fit_entries(result: Result[Any], written: Sequence[Written]) -> dict[str, Any]:
    """What run.json says of a fit and its components."""
    known = [each.residual_db for each in written if each.residual_db is not None]
    return {
        "iterations": result.iterations,
        "final_loss": float(result.stems.losses[-1]),
        "residual_db": max(known, default=None),
        "components": report.components(result.stems.factors, result.stems.pitches),
    }


def _figure_warnings(result: AnyResult[Any]) -> list[str]:
    """What to know of the names in the figures, if there are any."""
    if not result.settings.figures:
        return []
    from specnmf.output.figures import lettering

    return lettering.remarks(result.drawn_names())


def sound_remarks(result: AnyResult[Any]) -> list[str]:
    """What to know of the recording, its file, and the end of the excerpt."""
    song, sound = result.song, result.sound
    start, duration = song.settings.start, song.settings.duration
    found = sound.findings()
    if song.held is None:
        whole = start == 0 and duration is None
        found += reading.remarks(song.path, sound.n_samples if whole else None)
    if duration is not None and sound.n_samples < round(duration * sound.sr):
        found.append(f"the excerpt ends with the recording, {sound.duration:.2f} s")
    return found


def _source_warnings(
    residual_db: float | None, written: Sequence[Written]
) -> list[str]:
    """What to know of the sources that were written."""
    found, held = [], sum(each.held for each in written)
    if residual_db is not None and residual_db > MOST_RESIDUAL_DB:
        found.append(
            f"null test: the sources add up to the input at {residual_db:.0f} dB only; "
            "--format wav --subtype float keeps more"
        )
    if held:
        found.append(
            f"full scale: {held} samples of single sources reached it and "
            "the rest went to other sources; --subtype float keeps them apart"
        )
    return found
