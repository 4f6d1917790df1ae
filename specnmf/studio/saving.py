"""Saving: the run that `specnmf edit` would make, or one that was separated again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.errors import OutputError, ParameterError
from specnmf.output import folder as folders
from specnmf.output import report
from specnmf.output.products import FILES, REPORT, SEAL, Finished, seal, sha256
from specnmf.score.grouping import safe_names
from specnmf.studio.again import CORRECTED, write_notes, write_regions
from specnmf.studio.preview import Preview

if TYPE_CHECKING:
    from specnmf.tasks.stages import Progress


@dataclass(frozen=True)
class Target:
    """Where a run is saved.

    Attributes
    ----------
    output : path
        The folder for runs.
    name : str
        Of the run's own folder in it.
    overwrite : bool
        Whether a run of this name gives way.
    """

    output: Path
    name: str
    overwrite: bool = False

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self.output / self.name


def target_for(output: Path, name: str | None, own: str, saved: Path | None) -> Target:
    """Where to save.

    Parameters
    ----------
    output : path
        The folder for runs.
    name : str or None
        What a person calls the run. None: where this session has saved before, else a
        name like the run's own that is free.
    own : str
        The name of the run that was opened.
    saved : path or None
        Where this session has saved.

    Raises
    ------
    ParameterError
        If no folder can have that name, or another one has it.
    """
    if name is None and saved is not None:
        return Target(saved.parent, saved.name, overwrite=True)
    if name is None:
        names = (own if n == 1 else f"{own}_{n}" for n in count(1))
        name = next(each for each in names if not (output / each).exists())
    elif not name or name.startswith(".") or safe_names([name])[name] != name:
        raise ParameterError(f"no folder can be called {name!r}; use another name")
    target = Target(output, name)
    if target.folder == saved:
        return replace(target, overwrite=True)
    if target.folder.exists():
        raise ParameterError(f"there is a {target.folder} already; use another name")
    return target


@dataclass(frozen=True)
class Saver:
    """Saves versions of runs.

    Attributes
    ----------
    opened : path
        The run that the session has opened.
    scratch : path
        Where a run may be made before it is in its place.
    command : str
        Kept in run.json.
    progress : callable
        As for `specnmf.tasks.run.run`.
    left : dict of path to str
        The corrections that a session has left in runs, and their SHA-256: the next
        ones take their place.
    """

    opened: Path
    scratch: Path
    command: str
    progress: Progress
    left: dict[Path, str] = field(default_factory=dict)

    def save(self, preview: Preview, target: Target | None) -> Path:
        """Save a version of the run that was opened.

        Parameters
        ----------
        preview : Preview
            The version.
        target : Target or None
            Where to; None: in the place of the run that was opened.

        Returns
        -------
        path
            The folder that holds what was saved.

        Raises
        ------
        SpecnmfError
            If nothing is changed, or the run cannot be written.
        """
        version, folder = preview.version, preview.base.folder
        if version.edits:
            folder = self._edit(preview, target)
        elif version.notes is None and version.regions is None:
            raise ParameterError("nothing is changed, so there is nothing to save")
        elif target is not None:
            folder = _copy(preview, target)
        self._correct(preview, folder)
        return folder

    def save_separated(self, preview: Preview, target: Target) -> Path:
        """Save a version that was separated again, with what it was separated by.

        The run is in a hidden folder that does not last; its notes or labels go into
        the new one, and run.json names them there, so that it can be made again.
        """
        made, (role, source) = preview.base.folder, _separated_by(preview)
        name = CORRECTED[role]
        if preview.version.edits:
            made = self._edit(preview, Target(self.scratch, "run"))
        place = target.folder
        with _run_folder(preview, target) as partial:
            shutil.copytree(made, partial, dirs_exist_ok=True)
            shutil.copyfile(source, partial / name)
            content = _report(made)
            _name_input(content, role, place / name, partial / name, str(self.opened))
            report.write_document(partial / REPORT, content)
        self._correct(preview, place)
        return place

    def _correct(self, preview: Preview, folder: Path) -> None:
        """Leave the corrections of now, not those of the last time as well."""
        finished = Finished(folder)
        for path in [each for each in self.left if each.parent == folder]:
            checksum = self.left.pop(path)
            own = path.is_file() and not finished.wrote(path.name, path.lstat())
            if own and sha256(path) == checksum:
                path.unlink()
        for path in write_corrections(preview, folder):
            self.left[path] = sha256(path)

    def _edit(self, preview: Preview, target: Target | None) -> Path:
        from specnmf.record.edit import edit_run

        where: dict[str, Any] = {"in_place": True}
        if target is not None:
            where = vars(target)
        made = edit_run(
            preview.base.folder,
            preview.version.edits,
            **where,
            input=preview.base.record.song,
            command=self.command,
            progress=self.progress,
        )
        return made.folder


def _run_folder(preview: Preview, target: Target) -> AbstractContextManager[Path]:
    """A folder for a run, which gets its name when it is whole."""
    inputs = [preview.base.record.song]
    return folders.run_folder(target.folder, overwrite=target.overwrite, inputs=inputs)


def _copy(preview: Preview, target: Target) -> Path:
    """Copy what a run has written, not what else lies there, or what links lead to."""
    source = Finished(preview.base.folder)
    with _run_folder(preview, target) as partial:
        for path in sorted(source.folder.rglob("*")):
            name = path.relative_to(source.folder)
            if source.wrote(name.as_posix(), path.lstat()):
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, partial / name)
    return target.folder


def write_corrections(preview: Preview, folder: Path) -> list[Path]:
    """Write the notes and regions that a person changed into a run; where to.

    They are files of the person's own there, under names that are free: what a run was
    made by stays as it is.
    """
    start, paths = preview.base.start, []
    try:
        if preview.version.notes is not None:
            paths.append(_free(folder, CORRECTED["score"]))
            write_notes(paths[-1], preview.shown_notes().notes, start)
        if preview.version.regions is not None:
            paths.append(_free(folder, CORRECTED["labels"]))
            write_regions(paths[-1], preview.regions, start)
    except OSError as error:
        raise OutputError(
            f"{folder} is saved without the corrections: {error.strerror or error}"
        ) from error
    return paths


def _free(folder: Path, name: str) -> Path:
    """A path of a name like this that is free."""
    path = Path(name)
    names = (f"{path.stem}_{n}{path.suffix}" if n > 1 else name for n in count(1))
    return next(folder / each for each in names if not (folder / each).exists())


def _separated_by(preview: Preview) -> tuple[str, Path]:
    """The one input beside the song of a run that was separated again: role, path."""
    ((role, path),) = preview.base.record.beside.items()
    return role, path


def _report(folder: Path) -> dict[str, Any]:
    """What the run.json of a run that we made says."""
    content: dict[str, Any] = json.loads((folder / REPORT).read_bytes())
    return content


def _name_input(
    content: dict[str, Any], role: str, path: Path, file: Path, opened: str
) -> None:
    """Let a run.json name the input that was put into its run, and list it."""
    content["inputs"][content["roles"].index(role)]["path"] = str(path)
    if "edited_from" in content:  # a run that is not there any more
        content["edited_from"] = {"path": opened, "seal": ""}
    entry = {"path": path.name, "size": file.stat().st_size, "sha256": sha256(file)}
    content[FILES] = sorted([*content[FILES], entry], key=_by_path)
    content[SEAL] = seal(content)


def _by_path(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What files are ordered by in run.json."""
    return Path(entry["path"]).parts
