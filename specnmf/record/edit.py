"""A finished run, changed without fitting it again."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from specnmf.errors import OutputError, ParameterError
from specnmf.output import folder, report
from specnmf.output.keeping import remarks
from specnmf.output.mixes import LOSSY, Edited, Outcome, from_files, from_stream
from specnmf.output.mixes import write_edited as write_sound
from specnmf.output.products import FILES, REPORT, SEAL, list_files, seal
from specnmf.output.selection import Group, select
from specnmf.record.carrying import Carried
from specnmf.record.edits import Edits
from specnmf.record.entries import edited_entries, new_labels, with_files
from specnmf.record.plan import Plan, untouched, work_out
from specnmf.record.record import SONG, Record, read_record
from specnmf.subnormals import flush_to_zero
from specnmf.tasks.run import Run
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.stages import Progress, Stages
from specnmf.tasks.task import Song, Sources

if TYPE_CHECKING:
    from specnmf.audio.recording import Sound
    from specnmf.audio.stft import Grid
    from specnmf.methods.progress import Step
    from specnmf.score.notes import Score

#: Warnings of these beginnings are about files that an edit writes anew.
OF_FILES = ("full scale:", "null test:", "mix:", "kept of the run that was replaced:")


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
    target = run_dir if in_place else target_of(run_dir, output, name)
    if not in_place:
        keep_apart(run_dir, target)
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


def keep_apart(run_dir: Path, target: Path) -> None:
    """Raise OutputError if writing to the target would remove the run."""
    inner = run_dir.resolve()
    if target.exists() and any(target.samefile(p) for p in (inner, *inner.parents)):
        raise OutputError(
            f"{target} is or holds the run to be edited; use another --output, or "
            "--in-place"
        )


def remake(
    base: Record,
    edits: Sequence[Edits],
    target: Path,
    *,
    like: Record,
    edited_from: Mapping[str, str] | None,
    overwrite: bool,
    command: str,
    progress: Progress | None,
    say: Callable[[str], None] | None,
) -> Run:
    """A run with edits done to it, one after another.

    Parameters
    ----------
    base : Record
        The run, whose song has been checked.
    edits : sequence of Edits
        What to change.
    target : path
        The folder of the new run.
    like : Record
        Whose settings the new run is to have.
    edited_from : mapping
        What run.json says of the run that was edited.
    """
    remaking = Remaking(base, like, Stages(progress), say or (lambda line: None))
    remaking.prepare(edits, target)
    kept_apart = [path for path in base.inputs.values() if path.exists()]
    with folder.run_folder(target, overwrite=overwrite, inputs=kept_apart) as partial:
        content = remaking.write(partial)
        content |= {"edited_from": dict(edited_from or {})}
        content = {"command": command, **content}
        remaking.write_page(partial, content)
        content["seconds"] = remaking.stages.seconds
        content[FILES] = list_files(partial, threads=like.used.threads)
        _keep(content, target, partial, kept_apart)
        content[SEAL] = seal(content)
        report.write_document(partial / REPORT, content)
    return Run(target, content)


def _keep(
    content: dict[str, Any], target: Path, partial: Path, inputs: Sequence[Path]
) -> None:
    """Keep what a person has in the run that is replaced, and say so in run.json."""
    kept = folder.keep(target, partial, inputs)
    content["warnings"] = [*content["warnings"], *remarks(kept)]
    for entry in content["inputs"]:
        moved = folder.kept_as(Path(entry["path"]), target, kept)
        if moved is not None:
            entry["path"] = str(moved)


class Remaking:
    """A run that is being made of another one."""

    def __init__(
        self,
        base: Record,
        like: Record,
        stages: Stages,
        say: Callable[[str], None],
    ) -> None:
        self.base, self.like, self.stages, self.say = base, like, stages, say
        self.settings: Any = like.used
        self.carried = Carried(base)

    def prepare(self, edits: Sequence[Edits], target: Path) -> None:
        """Read what the run has stored, and work the edits out."""
        base = self.base
        song = Song(base.song, base.used, {}, self.stages)
        self.carried.check("factors.npz", "model.npz")
        with self.stages.stage("read") as step:
            material = read_material(base, song, step)
            self.sound = material.sound
            self.sources = base.task.restore(song, material, base.folder)
        groups = [Group(each.names, each.within) for each in self.sources]
        self.first = untouched(groups, select(groups, base.settings.only))
        plans = list(
            itertools.accumulate(base.edits, _replay(base), initial=self.first)
        )
        self.before = plans[-1]
        self.new = [self.before]
        for each in edits:
            self.new.append(work_out(each, self.new[-1]))
        self.history, self.new = plans[1:], self.new[1:]
        self._forecast(target)

    @property
    def after(self) -> Plan:
        """What there is in the end."""
        return self.new[-1]

    def _forecast(self, target: Path) -> None:
        """Say what the files will take, or refuse it."""
        from specnmf.output.forecast import Forecast

        settings = dataclasses.replace(self.settings, only=self._only())
        expect = Forecast(self.base.song, settings, target, self.say, self.sound)
        expect(self.after.names)

    def _only(self) -> tuple[str, ...]:
        """The stems that are written, if not all are."""
        if not self.after.left_out:
            return ()
        left_out = {*self.after.left_out}
        return tuple(
            path
            for group in self.after.names
            for path in map(group.path, range(len(group.names)))
            if path not in left_out
        )

    def write(self, partial: Path) -> dict[str, Any]:
        """Write all but the page and run.json; what the latter says."""
        content = self._content()
        names = self._names()
        with self.stages.stage("piano roll"):
            self._write_factors(partial, names)
            self.carried.copy(partial, self._is_stale)
            if self.carried.has("tree.json"):
                tree = {"layers": content["layers"]}
                report.write_document(partial / "tree.json", tree)
        outcomes = self._write_sound(partial) if self.settings.sources else []
        content |= with_files(content, outcomes)
        known = [o.written.residual_db for o in outcomes]
        content["residual_db"] = max((r for r in known if r is not None), default=None)
        content["warnings"] = [*content["warnings"], *_warnings(outcomes)]
        return content | {
            "left_out": self.after.left_out if outcomes else [],
            "mixes": [mix for outcome in outcomes for mix in outcome.mixes],
            "edits": [each.edits.to_plain() for each in (*self.history, *self.new)],
        }

    def _content(self) -> dict[str, Any]:
        """What run.json says that no file decides."""
        base, like = self.base, self.like
        gone = ("command", "seconds", FILES, SEAL, "left_out", "mixes", "edits")
        content = {k: v for k, v in base.content.items() if k not in gone}
        content.pop("edited_from", None)
        content |= {"kind": base.task.name, "inputs": self._inputs()}
        content |= report.settings_entries(like.settings, like.used)
        content["settings_hash"] = report.settings_hash(
            base.task.name,
            like.settings,
            {role: base.checksums[role] for role in base.beside},
        )
        told = content.get("warnings")
        told = told if isinstance(told, list) else []
        content["warnings"] = [
            line
            for line in told
            if isinstance(line, str) and not line.startswith(OF_FILES)
        ]
        for before, after in itertools.pairwise([self.before, *self.new]):
            content |= edited_entries(content, before, after)
        return content

    def _inputs(self) -> list[dict[str, str]]:
        base = self.base
        return [
            {"path": str(path), "sha256": base.checksums[role]}
            for role, path in base.inputs.items()
        ]

    def _names(self) -> dict[str, str]:
        """The new path of each stem that the run had, by the old one."""
        names = {
            path: path
            for group in self.before.names
            for path in map(group.path, range(len(group.names)))
        }
        for before, after in itertools.pairwise([self.before, *self.new]):
            step = {
                old.path(member): new.path(number)
                for old, new in zip(before.groups, after.groups, strict=True)
                for number, stem in enumerate(new.stems)
                for member in stem.members
            }
            names = {old: step[now] for old, now in names.items()}
        return names

    @flush_to_zero()
    def _write_factors(self, partial: Path, names: Mapping[str, str]) -> None:
        """Write factors, model and piano roll, with the stems' new names."""
        from specnmf.output.stored import read_factors, read_model

        stored = read_factors(self.base.folder)
        first = self.sources[0].within
        within = f"{first}/" if first else ""
        labels = new_labels(stored.factors.labels, names, within)
        self.renamed = labels != [*stored.factors.labels]
        arrays = read_model(self.base.folder) if self.carried.has("model.npz") else {}
        if self.renamed:
            arrays.setdefault("labels", np.array(stored.factors.labels, np.str_))
        self._write_model(partial, arrays, names, within)
        factors = dataclasses.replace(stored.factors, labels=tuple(labels))
        report.write_factors(
            partial / "factors.npz",
            factors,
            frequencies=stored.frequencies,
            times=stored.times,
        )
        if self.renamed:
            self._write_roll(partial, factors)

    def _write_model(
        self,
        partial: Path,
        arrays: dict[str, Any],
        names: Mapping[str, str],
        within: str,
    ) -> None:
        if "note_stems" in arrays:
            old = [str(name) for name in arrays["note_stems"]]
            new = new_labels(old, names, within)
            stems = list(dict.fromkeys(new))
            place = np.array([stems.index(name) for name in new], np.int32)
            arrays["note_stem"] = place[arrays["note_stem"]] if len(place) else place
            arrays["note_stems"] = np.array(stems, dtype=np.str_)
        if arrays:
            report.write_arrays(partial / "model.npz", arrays)

    def _write_roll(self, partial: Path, factors: Any) -> None:
        """Write the activations as notes, with the stems' new names."""
        from specnmf.output import pianoroll
        from specnmf.score import midi, notelist
        from specnmf.score.beats import beats_of

        stems = self.sources[0].stems
        roll = pianoroll.notes_of(factors, stems.grid, stems.pitches)
        beats = None
        if self.settings.grid:
            beats = beats_of(self._shown(self.base.folder), self.sound.duration)
        midi.write_midi(partial / "pianoroll.mid", roll, beats=beats)
        notelist.write_csv(partial / "pianoroll.csv", roll)

    def _is_stale(self, name: str) -> bool:
        """Whether a file of the run is not as it would be after the edits."""
        top, _, rest = name.partition("/")
        if top in ("sources", "mixes", "factors.npz", "model.npz", "report.html"):
            return True
        if name == "tree.json":
            return True
        if top == "figures":
            stem = rest.partition(".")[0]
            return not self.settings.figures or (self.renamed and stem in NAMING)
        return self.renamed and top in ("pianoroll.mid", "pianoroll.csv")

    def _write_sound(self, partial: Path) -> list[Outcome]:
        """Write the stems and their mixes."""
        n_groups, outcomes = len(self.sources), []
        with self.stages.stage("sources") as step:
            for number, sources in enumerate(self.sources):
                outcomes.append(
                    self._write_group(
                        partial,
                        number,
                        sources,
                        lambda done, total, before=number: step(
                            before * total + done, n_groups * total
                        ),
                    )
                )
        return outcomes

    def _write_group(
        self, partial: Path, number: int, sources: Sources, progress: Any
    ) -> Outcome:
        after, song = self.after.groups[number], self.base.song
        files = self._files(number)
        stages = self.new if files else [*self.history, *self.new]
        edited = Edited(
            [stage.groups[number].stems for stage in stages],
            after.written,
            after.without,
            after.within,
        )
        copies: dict[int, Path] = {}
        if files:
            before = from_files(files, self.sound.n_samples)
            if len(stages) == 1:
                copies = {
                    n: files[stem.members[0]]
                    for n, stem in enumerate(after.stems)
                    if stem.is_as_it_was
                }
        else:
            stream = sources.stems.stream(self.settings)
            before = from_stream(stream, song, self.settings.start)
        return write_sound(
            partial,
            song,
            self.sound,
            edited,
            before,
            self.settings,
            start=self.settings.start,
            threads=self.settings.threads,
            progress=progress,
            copies=copies,
        )

    def _files(self, number: int) -> list[Path]:
        """The files of a group's stems, where they hold all samples of all of them."""
        group, base = self.before.groups[number], self.base
        levelled = any(plan.groups[number].is_levelled for plan in self.history)
        whole = len(group.written) == len(group.stems)
        if levelled or not whole or self.settings.format in LOSSY:
            return []
        if base.used.format != self.settings.format:
            return []
        within = f"{group.within}/" if group.within else ""
        names = [f"sources/{within}{n}.{base.used.format}" for n in group.names]
        return self.carried.sound_files(names, self.sound, self.settings)

    def write_page(self, partial: Path, content: Mapping[str, Any]) -> None:
        """Write the page, where it is asked for."""
        if not self.settings.report:
            return
        from specnmf.output.page.page import write_page

        with self.stages.stage("report") as step:
            write_page(
                partial,
                content,
                self.sound,
                self._shown(partial),
                audio=self.settings.report_audio,
                threads=self.settings.threads,
                progress=step,
            )

    def _shown(self, run_dir: Path) -> Score:
        from specnmf.output.stored import read_shown

        return read_shown(run_dir)


#: Figures that name stems.
NAMING = ("templates", "activations", "score", "sources", "labels", "layers")


class Material(NamedTuple):
    """What tasks restore stems of that need a file beside the song to fit them."""

    sound: Sound
    grid: Grid


def read_material(base: Record, song: Song[Any], step: Step) -> Any:
    """What `Task.restore` needs; not the files beside the song, which may be gone."""
    from specnmf.audio.stft import Grid
    from specnmf.tasks.task import read_excerpt

    if not any(each.required for each in base.task.inputs):
        return base.task.read(song, step)
    audio = read_excerpt(song)
    return Material(
        audio, Grid.of(audio, song.settings.n_fft, song.settings.hop_length)
    )


def _replay(base: Record) -> Callable[[Plan, Edits], Plan]:
    """What works an edit of a run.json out again."""

    def replay(before: Plan, edits: Edits) -> Plan:
        try:
            return work_out(edits, before)
        except ParameterError as error:
            raise OutputError(f"{base.folder / REPORT}: edits: {error}") from error

    return replay


def _warnings(outcomes: Sequence[Outcome]) -> list[str]:
    """What to know of the files."""
    found = []
    known = [o.written.residual_db for o in outcomes]
    worst = max((r for r in known if r is not None), default=None)
    if worst is not None and worst > -90:
        found.append(
            f"null test: the stems before gains add up to the input at {worst:.0f} dB "
            "only"
        )
    held = sum(o.written.held for o in outcomes)
    if held:
        found.append(
            f"full scale: {held} samples of merged stems reached it and the rest went "
            "to other stems"
        )
    beyond = sum(o.beyond for o in outcomes)
    if beyond:
        found.append(
            f"full scale: gains took {beyond} samples of stems beyond it, which are "
            "held there; lower them"
        )
    for outcome in outcomes:
        for mix in outcome.mixes:
            if mix["beyond_full_scale"]:
                found.append(
                    f"mix: {mix['beyond_full_scale']} samples of {mix['file']} are "
                    "held at full scale; lower the gains"
                )
    return found
