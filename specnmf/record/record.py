"""How a run was made, read from its run.json and checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from specnmf.errors import AudioError, OutputError, ParameterError, SpecnmfError
from specnmf.options import from_plain
from specnmf.output import folder
from specnmf.output.products import REPORT, SEAL, STANDARD_INPUT, sha256
from specnmf.record.edits import Edits, read_edits
from specnmf.tasks.registry import TASKS
from specnmf.tasks.settings import SongSettings
from specnmf.tasks.task import Task

#: The largest run.json: that of 40 000 stems is smaller.
MOST_REPORT_BYTES = 16 << 20

#: The longest path of an input.
LONGEST_PATH = 4096

#: The role of the recording among the inputs.
SONG = "song"


@dataclass(frozen=True)
class Record:
    """How a run was made.

    Attributes
    ----------
    folder : path
        The run folder.
    task : Task
        The task of the run.
    settings : SongSettings
        The settings as given.
    used : SongSettings
        The settings as used, with automatic values filled in.
    inputs : mapping of str to path
        The recording as ``song``, and the other inputs by their names in the task.
    checksums : mapping of str to str
        The inputs' SHA-256.
    versions : dict
        The versions of the packages that computed it.
    edits : tuple of Edits
        The edits since the fit, in order.
    edited_from : dict or None
        The path and the seal of the run that was edited, if any.
    content : dict
        The whole run.json, as read.
    """

    folder: Path
    task: Task[Any]
    settings: SongSettings
    used: SongSettings
    inputs: Mapping[str, Path]
    checksums: Mapping[str, str]
    versions: dict[str, str]
    edits: tuple[Edits, ...] = ()
    edited_from: dict[str, str] | None = None
    content: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def seal(self) -> str:
        """The seal of run.json; empty in older versions."""
        seal = str(self.content.get(SEAL))
        return seal if _is_checksum(seal) else ""

    @property
    def song(self) -> Path:
        """The recording."""
        return self.inputs[SONG]

    @property
    def beside(self) -> dict[str, Path]:
        """The files beside the recording."""
        return {role: path for role, path in self.inputs.items() if role != SONG}

    def target(self, output: str | Path) -> Path:
        """The folder of a new run from this record."""
        return folder.target(output, self.song)

    def check_inputs(self) -> None:
        """Raise an error unless each input exists and is unchanged.

        Raises
        ------
        AudioError, ScoreError, TemplateError
            Depending on the input.
        """
        for role in self.inputs:
            self.check_input(role)

    def check_input(self, role: str = SONG) -> None:
        """Raise an error unless an input exists and is unchanged.

        Raises
        ------
        AudioError, ScoreError, TemplateError
            Depending on the input.
        """
        kinds: dict[str, type[SpecnmfError]] = {SONG: AudioError}
        kinds |= {each.name: each.error for each in self.task.inputs}
        path, expected = self.inputs[role], self.checksums[role]
        found = _checksum(kinds[role], path)
        if found != expected:
            raise kinds[role](
                f"{path}: not the file that {self.folder} was made from: expected "
                f"SHA-256 {expected}, got {found}"
            )


def read_record(
    run_dir: str | Path, *, inputs: Sequence[str | Path] | None = None
) -> Record:
    """How a run was made.

    Parameters
    ----------
    run_dir : path
        The folder of the run.
    inputs : sequence of path, optional
        The present paths of the inputs, in the order of run.json.

    Raises
    ------
    OutputError
        If there is no run.json, or it is not valid.
    ParameterError
        If a setting is of the wrong type or out of range, or ``inputs`` has the wrong
        length.
    """
    run_dir = Path(run_dir)
    path = run_dir / REPORT
    content = _load(path)
    kind = content.get("kind")
    if not isinstance(kind, str) or kind not in TASKS:
        _refuse(path, f"kind to be one of {', '.join(TASKS)}")
    task = TASKS[kind]
    entries = _inputs(path, content, task)
    paths = [entry["path"] for entry in entries.values()]
    if inputs is not None and len(inputs) != len(paths):
        raise ParameterError(
            f"{run_dir} has {len(paths)} inputs ({', '.join(paths)}), got {len(inputs)}"
        )
    places = map(Path, paths if inputs is None else inputs)
    edits, edited_from = _edits(path, content)
    return Record(
        run_dir,
        task,
        *_settings(path, content, task),
        dict(zip(entries, places, strict=True)),
        {role: entry["sha256"] for role, entry in entries.items()},
        _strings(path, content, "versions"),
        edits,
        edited_from,
        content,
    )


def _load(path: Path) -> dict[str, Any]:
    """The object that a run.json holds."""
    try:
        if not path.is_file():  # a pipe may never end
            raise OutputError(f"{path.parent}: not a run, {path.name} is missing")
        with path.open("rb") as file:
            data = file.read(MOST_REPORT_BYTES + 1)
        if len(data) > MOST_REPORT_BYTES:
            _refuse(path, f"less than {MOST_REPORT_BYTES >> 20} MB")
        content = json.loads(
            data.decode("utf-8"), parse_constant=_no_number, parse_float=_finite
        )
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise OutputError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(content, dict):
        _refuse(path, "an object")
    return content


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text[:40])


def _refuse(path: Path, expected: str) -> NoReturn:
    raise OutputError(f"{path}: not a run.json of this version, expected {expected}")


def _inputs(
    path: Path, content: Mapping[str, Any], task: Task[Any]
) -> dict[str, dict[str, str]]:
    """The entries of a run's inputs, by their roles.

    Runs of version 0.1 have no roles: the recording comes first, then one input.
    """
    entries, known = content.get("inputs"), [SONG, *(i.name for i in task.inputs)]
    required = {SONG, *(i.name for i in task.inputs if i.required)}
    if not isinstance(entries, list) or not len(required) <= len(entries) <= len(known):
        numbers = map(str, range(len(required), len(known) + 1))
        _refuse(path, f"{' or '.join(numbers)} inputs")
    for entry in entries:
        if not isinstance(entry, dict) or not (
            _is_path(entry.get("path")) and _is_checksum(entry.get("sha256"))
        ):
            _refuse(path, "path and sha256 of each input")
    roles = content.get("roles", known[: len(entries)])
    if not isinstance(roles, list) or roles != [r for r in known if r in roles]:
        _refuse(path, f"roles among {', '.join(known)}")
    if len(roles) != len(entries) or not required <= {*roles}:
        _refuse(path, f"a role for each of {len(entries)} inputs")
    return dict(zip(roles, entries, strict=True))


def _is_path(name: object) -> bool:
    """Whether it may be the path of a file."""
    return isinstance(name, str) and len(name) <= LONGEST_PATH and bool(Path(name).stem)


def _is_checksum(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) is not None


def _settings(
    path: Path, content: dict[str, Any], task: Task[Any]
) -> tuple[SongSettings, SongSettings]:
    """The settings as given, and as used."""
    used, asked = content.get("settings"), content.get("asked")
    if not isinstance(used, dict) or not isinstance(asked, dict):
        _refuse(path, "the objects settings and asked")
    try:
        return (
            from_plain(task.settings, {**used, **asked}),
            from_plain(task.settings, used),
        )
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error


def _edits(
    path: Path, content: Mapping[str, Any]
) -> tuple[tuple[Edits, ...], dict[str, str] | None]:
    """The edits since the fit, and the run that the last one edited."""
    if "edits" not in content and "edited_from" not in content:
        return (), None
    try:
        edits = read_edits(content.get("edits"))
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error
    origin = content.get("edited_from")
    if (
        not isinstance(origin, dict)
        or origin.keys() != {"path", "seal"}
        or not _is_path(origin["path"])
        or not (origin["seal"] == "" or _is_checksum(origin["seal"]))
    ):
        _refuse(path, "edited_from with a path and a seal")
    return edits, origin


def _strings(path: Path, content: dict[str, Any], key: str) -> dict[str, str]:
    found = content.get(key)
    if not isinstance(found, dict) or not all(
        isinstance(value, str) for value in found.values()
    ):
        _refuse(path, f"{key} as an object of strings")
    return found


def _gone(path: Path) -> str:
    """What to do about an input that is not there."""
    if str(path) == STANDARD_INPUT:
        return (
            "the recording came from standard input, which is not kept; save the same "
            "in a file, and give its path with --input"
        )
    return f"{path}: no such file; if it was moved, give its path with --input"


def _checksum(kind: type[SpecnmfError], path: Path) -> str:
    try:
        if not (path.is_file() or path.is_dir()):  # a pipe or a device may never end
            raise kind(_gone(path))
        return sha256(path)
    except (OSError, ValueError) as error:  # ValueError: not a valid name for a file
        reason = getattr(error, "strerror", None) or error
        raise kind(f"{path}: cannot be opened ({reason})") from error
