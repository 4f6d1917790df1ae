"""Make a run from another one and edits: its files and its run.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from functools import partial as bind
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from specnmf.audio.options import LOSSY
from specnmf.audio.reading import reading
from specnmf.audio.tags import Tags
from specnmf.errors import OutputError, ParameterError
from specnmf.output import folder, report
from specnmf.output.forecast import Forecast
from specnmf.output.keeping import remarks
from specnmf.output.mixes import (
    Before,
    Edited,
    Outcome,
    from_files,
    from_stream,
    write_edited,
)
from specnmf.output.naming import file_names
from specnmf.output.products import FILES, REPORT, SEAL, is_there, list_files, seal
from specnmf.output.selection import Group, select
from specnmf.output.selections import SELECTIONS
from specnmf.output.stored import read_shown
from specnmf.record import entries, relabelling
from specnmf.record.carrying import Carried
from specnmf.record.edits import Edits
from specnmf.record.plan import NewGroup, Plan, renamed, untouched, work_out
from specnmf.record.record import Record
from specnmf.record.remarks import NO_SOUND, of_files, still_true
from specnmf.tasks.run import Run
from specnmf.tasks.stages import Progress, Stages
from specnmf.tasks.task import Song, Sources, read_excerpt

if TYPE_CHECKING:
    from specnmf.audio.recording import Sound
    from specnmf.audio.stft import Grid
    from specnmf.methods.progress import Step

#: Entries of run.json that an edited run does not inherit.
OWN = ("command", "seconds", FILES, SEAL, "left_out", "mixes", "edits", "edited_from")

#: Figures that name stems; the others name components, by number, and labels.
NAMING = ("score", "sources")

#: Files that are always written anew, by the first part of their names.
ANEW = ("sources", "mixes", "factors.npz", "model.npz", "report.html", "tree.json")


def remake(
    base: Record,
    edits: Sequence[Edits],
    target: Path,
    *,
    like: Record,
    edited_from: Mapping[str, str] | None,
    overwrite: bool = False,
    command: str = "",
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """A run with edits applied, one after another.

    Parameters
    ----------
    base : Record
        The run; its song has been checked to be unchanged.
    edits : sequence of Edits
        The edits.
    target : path
        The folder of the new run.
    like : Record
        The record whose settings the new run gets.
    edited_from : mapping, optional
        The entry of run.json about the run that was edited.
    overwrite, command, progress, say
        As in `specnmf.record.edit.edit_run`.

    Returns
    -------
    Run
        The new run.
    """
    remaking = _Remaking(base, like, Stages(progress))
    remaking.prepare(edits)
    remaking.forecast(target, say or (lambda line: None))
    inputs = [path for path in base.inputs.values() if is_there(path)]
    with folder.run_folder(target, overwrite=overwrite, inputs=inputs) as partial:
        content = {"command": command, **remaking.write(partial)}
        content["edited_from"] = edited_from
        remaking.write_page(partial, content)
        content["seconds"] = remaking.stages.seconds
        content[FILES] = list_files(partial, threads=like.used.threads)
        _keep(content, target, partial, inputs)
        content[SEAL] = seal(content)
        report.write_document(partial / REPORT, content)
    return Run(target, content)


def _keep(
    content: dict[str, Any], target: Path, partial: Path, inputs: Sequence[Path]
) -> None:
    """Keep the user's files in the run that is replaced, and list them in run.json."""
    kept = folder.keep(target, partial, inputs)
    content["warnings"] += remarks(kept)
    for entry in content["inputs"]:
        moved = folder.kept_as(Path(entry["path"]), target, kept)
        if moved is not None:
            entry["path"] = str(moved)


class _Remaking:
    """A run while it is made from another one."""

    def __init__(self, base: Record, like: Record, stages: Stages) -> None:
        self.base, self.like, self.stages = base, like, stages
        self.settings: Any = like.used
        self.carried = Carried(base)

    def prepare(self, edits: Sequence[Edits]) -> None:
        """Read the stored data of the run, and plan the edits."""
        base, asked = self.base, self.base.settings
        song = Song(base.song, base.used, {}, self.stages)
        with self.stages.stage("read") as step:
            self.carried.check("factors.npz", "model.npz", "layers.npz")
            material = _material(base, song, step)
            self.sound: Sound = material.sound
            self.sources = _restored(base, song, material)
        groups = [Group(each.names, each.within) for each in self.sources]
        chosen = select(groups, getattr(asked, "only", ()))
        first = untouched(groups, chosen)
        try:
            done = [*accumulate(base.edits, work_out, initial=first)]
        except ParameterError as error:
            raise OutputError(f"{base.folder / REPORT}: edits: {error}") from error
        #: The stems of the run, and the results of the edits since the fit.
        self.before, self.history = done[-1], done[1:]
        self.plans = [*accumulate(edits, work_out, initial=self.before)][1:]
        self._check_pans()

    def _check_pans(self) -> None:
        n_channels = self.sound.n_channels
        panned = any(p.edits.pan for p in (*self.history, *self.plans))
        if panned and n_channels != 2:
            raise ParameterError(
                f"{self.base.song}: pan needs a recording with 2 channels, this has "
                f"{n_channels}"
            )

    def forecast(self, target: Path, say: Callable[[str], None]) -> None:
        """Report the size of the files; raise an error if the disk is too small."""
        left_out = {*self.after.left_out}
        paths = [path for group in self.after.groups for path in group.paths]
        only = tuple(path for path in paths if path not in left_out)
        settings = dataclasses.replace(self.settings, only=only if left_out else ())
        Forecast(self.base.song, settings, target, say, self.sound)(self.after.names)

    @property
    def after(self) -> Plan:
        """The last plan."""
        return self.plans[-1]

    @property
    def _asks_for_sound(self) -> bool:
        """Whether an edit does more than rename."""
        return any(
            edits.gain or edits.pan or edits.only or edits.without
            for edits in (plan.edits for plan in self.plans)
        )

    @cached_property
    def renamed(self) -> dict[str, str]:
        """The new path of each stem of the run, by the old one."""
        return renamed([self.before, *self.plans])

    @property
    def within(self) -> str:
        """The folder of the stems of the factors and notes, with a slash."""
        first = self.sources[0].within
        return f"{first}/" if first else ""

    def write(self, partial: Path) -> dict[str, Any]:
        """Write all but page and run.json; return the content of run.json."""
        content = self._content()
        with self.stages.stage("piano roll"):
            self._write_names(partial, content)
        outcomes = self._write_sound(partial) if self.settings.sources else []
        content |= entries.with_files(content, outcomes)
        if self.carried.has("tree.json") and "layers" in content:
            tree = {"layers": content["layers"]}
            report.write_document(partial / "tree.json", tree)
        residuals = [each.written.residual_db for each in outcomes]
        known = [residual for residual in residuals if residual is not None]
        content["residual_db"] = max(known, default=None)
        content["warnings"] += of_files(outcomes)
        if self._asks_for_sound and not self.settings.sources:
            content["warnings"].append(NO_SOUND)
        return content | {
            "left_out": self.after.left_out if self.settings.sources else [],
            "mixes": [mix for outcome in outcomes for mix in outcome.mixes],
            "edits": [p.edits.to_plain() for p in (*self.history, *self.plans)],
        }

    def _content(self) -> dict[str, Any]:
        """The content of run.json before any sound is written."""
        base, like = self.base, self.like
        content = {k: v for k, v in base.content.items() if k not in OWN}
        beside = {role: base.checksums[role] for role in base.beside}
        content |= {
            "settings_hash": report.settings_hash(
                base.task.name, like.settings, beside
            ),
            "inputs": [
                {"path": str(path), "sha256": base.checksums[role]}
                for role, path in base.inputs.items()
            ],
            **report.settings_entries(like.settings, like.used),
            "schemas": report.SCHEMAS,
            "warnings": still_true(content.get("warnings")),
        }
        for before, after in pairwise([self.before, *self.plans]):
            content |= entries.edited_entries(content, before, after)
        return content

    def _write_names(self, partial: Path, content: Mapping[str, Any]) -> None:
        """Write the files that name stems, and copy the others."""
        names, within, base = self.renamed, self.within, self.base.folder
        factors = relabelling.write_factors(base, partial, names, within)
        is_renamed = factors is not None

        def is_stale(name: str) -> bool:
            top, _, rest = name.partition("/")
            if top == "figures":
                named = is_renamed and rest.partition(".")[0] in NAMING
                return named or not self.settings.figures
            rolls = ("pianoroll.mid", "pianoroll.csv", SELECTIONS)
            return top in ANEW or (is_renamed and top in rolls)

        self.carried.copy(partial, is_stale)
        if factors is not None:
            beats = read_shown(base) if self.settings.grid else None
            has_table = (self.base.folder / SELECTIONS).is_file()
            relabelling.write_roll(
                partial,
                factors,
                self.sources[0].stems,
                beats,
                self.sound.duration,
                selections=self.settings.start if has_table else None,
            )

    def _write_sound(self, partial: Path) -> list[Outcome]:
        """Write the stems and their mixes."""
        count = len(self.sources)
        with self.stages.stage("sources") as step:

            def told(number: int, done: int, total: int) -> None:
                step(number * total + done, count * total)

            return [
                self._write_group(partial, number, bind(told, number))
                for number in range(count)
            ]

    def _write_group(
        self, partial: Path, number: int, progress: Callable[[int, int], None]
    ) -> Outcome:
        """Write the stems of a group: from the run's files, or else from its model."""
        after, files = self.after.groups[number], self._files(number)
        plans = self.plans if files else [*self.history, *self.plans]
        edited = Edited(
            [plan.groups[number].stems for plan in plans],
            after.written,
            after.without,
            after.within,
            self._named(after),
        )
        copies: dict[int, Path] = {}
        if files and len(plans) == 1:
            names = self.before.groups[number].names
            kept = {
                n: files[each.members[0]]
                for n, each in enumerate(after.stems)
                if each.is_as_it_was
            }
            copies = {
                n: file
                for n, file in kept.items()
                if self._title_stays(names[after.stems[n].members[0]], after.names[n])
            }
        return write_edited(
            partial,
            self.base.song,
            self.sound,
            edited,
            self._before(number, files),
            self.settings,
            start=self.settings.start,
            threads=self.settings.threads,
            progress=progress,
            copies=copies,
        )

    def _before(self, number: int, files: Sequence[Path]) -> Before:
        """The stems before the remaining edits."""
        if files:
            return from_files(files, self.sound.n_samples)
        stream = self.sources[number].stems.stream(self.settings)
        return from_stream(stream, self.base.song, self.settings.start)

    def _files(self, number: int) -> list[Path]:
        """The files of a group's stems, if they hold all samples of all stems."""
        group, format = self.before.groups[number], self.settings.format
        levelled = any(plan.groups[number].is_levelled for plan in self.history)
        if levelled or len(group.written) < len(group.stems) or format in LOSSY:
            return []
        within = f"sources/{group.within}/" if group.within else "sources/"
        names = [f"{within}{name}.{format}" for name in self._named(group)]
        return self.carried.sound_files(names, self.sound)

    def _named(self, group: NewGroup) -> list[str]:
        """The names of the files of a group's stems, without suffixes."""
        return file_names(
            self.settings.name, group.names, str(self.base.song.absolute())
        )

    def _title_stays(self, before: str, after: str) -> bool:
        """Whether a stem's file still has the right title when it is called after."""
        return before == after or "title" not in self._tags.texts

    @cached_property
    def _tags(self) -> Tags:
        """The tags of the recording."""
        with reading(self.base.song) as source:
            return source.tags()

    def write_page(self, partial: Path, content: Mapping[str, Any]) -> None:
        """Write the page, if it is wanted."""
        if not self.settings.report:
            return
        from specnmf.output.page.page import write_page

        with self.stages.stage("report") as step:
            write_page(
                partial,
                content,
                self.sound,
                read_shown(partial),
                audio=self.settings.report_audio,
                threads=self.settings.threads,
                progress=step,
            )


class _Material(NamedTuple):
    """The material of stems whose task needs another input to fit."""

    sound: Sound
    grid: Grid


def _material(base: Record, song: Song[Any], step: Step) -> Any:
    """The song for `Task.restore`; other inputs may be missing, and are not needed."""
    from specnmf.audio.stft import Grid

    if not any(each.required for each in base.task.inputs):
        return base.task.read(song, step)
    audio, used = read_excerpt(song), song.settings
    return _Material(audio, Grid.of(audio, used.n_fft, used.hop_length))


def _restored(base: Record, song: Song[Any], material: Any) -> Sequence[Sources]:
    """The stems as they were fitted."""
    try:
        return base.task.restore(song, material, base.folder)
    except NotImplementedError:
        raise ParameterError(
            f"{base.folder}: runs of {base.task.name} cannot be edited: they store no "
            "stems"
        ) from None
