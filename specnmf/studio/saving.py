"""Saving: an edited run, as `specnmf edit` makes it, or a run separated again."""

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
    """The destination of a saved run.

    Attributes
    ----------
    output : path
        The folder for runs.
    name : str
        The name of the run's own folder.
    overwrite : bool
        Whether to replace a run of this name.
    """

    output: Path
    name: str
    overwrite: bool = False

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self.output / self.name


def target_for(output: Path, name: str | None, own: str, saved: Path | None) -> Target:
    """The destination of a saved run.

    Parameters
    ----------
    output : path
        The folder for runs.
    name : str or None
        The name that the user gave. None: the last destination of this session, else a
        free name similar to that of the run.
    own : str
        The name of the run that was opened.
    saved : path or None
        The last destination of this session.

    Raises
    ------
    ParameterError
        If the name is not valid for a folder, or is taken.
    """
    if name is None and saved is not None:
        return Target(saved.parent, saved.name, overwrite=True)
    if name is None:
        names = (own if n == 1 else f"{own}_{n}" for n in count(1))
        name = next(each for each in names if not (output / each).exists())
    elif not name or name.startswith(".") or safe_names([name])[name] != name:
        raise ParameterError(
            f"{name!r} is not a valid name for a folder; use another name"
        )
    target = Target(output, name)
    if target.folder == saved:
        return replace(target, overwrite=True)
    if target.folder.exists():
        raise ParameterError(f"{target.folder} exists already; use another name")
    return target


@dataclass(frozen=True)
class Saver:
    """Saves versions of runs.

    Attributes
    ----------
    opened : path
        The run that the session opened.
    scratch : path
        A folder for unfinished runs.
    command : str
        The command line, for run.json.
    progress : callable
        As in `specnmf.tasks.run.run`.
    left : dict of path to str
        The files of corrections that this session has written, and their SHA-256: the
        next ones replace them.
    """

    opened: Path
    scratch: Path
    command: str
    progress: Progress
    left: dict[Path, str] = field(default_factory=dict)

    def save(self, preview: Preview, target: Target | None) -> Path:
        """Save a version of the opened run.

        Parameters
        ----------
        preview : Preview
            The version.
        target : Target or None
            The destination; None: replace the opened run.

        Returns
        -------
        path
            The folder of the saved run.

        Raises
        ------
        SpecnmfError
            If there are no changes, or the run cannot be written.
        """
        version, folder = preview.version, preview.base.folder
        if version.edits:
            folder = self._edit(preview, target)
        elif version.notes is None and version.regions is None:
            raise ParameterError("there are no changes to save")
        elif target is not None:
            folder = _copy(preview, target)
        self._correct(preview, folder)
        return folder

    def save_separated(self, preview: Preview, target: Target) -> Path:
        """Save a version that was separated again, with its notes or labels.

        The run is in a temporary folder; its notes or labels are copied into the new
        one, where run.json refers to them, so that it can be made again.
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
        """Write the present corrections, and remove the last ones."""
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
    """A folder for a run, which gets its name when it is complete."""
    inputs = [preview.base.record.song]
    return folders.run_folder(target.folder, overwrite=target.overwrite, inputs=inputs)


def _copy(preview: Preview, target: Target) -> Path:
    """Copy the files that a run has written, without other files and links."""
    source = Finished(preview.base.folder)
    with _run_folder(preview, target) as partial:
        for path in sorted(source.folder.rglob("*")):
            name = path.relative_to(source.folder)
            if source.wrote(name.as_posix(), path.lstat()):
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, partial / name)
    return target.folder


def write_corrections(preview: Preview, folder: Path) -> list[Path]:
    """Write the corrected notes and regions into a run; return their paths.

    They count as the user's own files there, with free names: the inputs of the run
    stay unchanged.
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
            f"{folder} was saved without the corrections: {error.strerror or error}"
        ) from error
    return paths


def _free(folder: Path, name: str) -> Path:
    """A free path with a similar name."""
    path = Path(name)
    names = (f"{path.stem}_{n}{path.suffix}" if n > 1 else name for n in count(1))
    return next(folder / each for each in names if not (folder / each).exists())


def _separated_by(preview: Preview) -> tuple[str, Path]:
    """The role and path of the notes or labels of a run that was separated again."""
    beside = preview.base.record.beside
    return next((role, path) for role, path in beside.items() if role in CORRECTED)


def _report(folder: Path) -> dict[str, Any]:
    """The run.json of a run made here."""
    content: dict[str, Any] = json.loads((folder / REPORT).read_bytes())
    return content


def _name_input(
    content: dict[str, Any], role: str, path: Path, file: Path, opened: str
) -> None:
    """Make run.json refer to the input that was copied into its run, and list it."""
    content["inputs"][content["roles"].index(role)]["path"] = str(path)
    if "edited_from" in content:  # a run that no longer exists
        content["edited_from"] = {"path": opened, "seal": ""}
    entry = {"path": path.name, "size": file.stat().st_size, "sha256": sha256(file)}
    content[FILES] = sorted([*content[FILES], entry], key=_by_path)
    content[SEAL] = seal(content)


def _by_path(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The sort key of files in run.json."""
    return Path(entry["path"]).parts
