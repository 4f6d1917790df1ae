"""A run made again from what its run.json says, and compared with it."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import (
    AudioError,
    OutputError,
    ParameterError,
    ScoreError,
    SpecnmfError,
    TemplateError,
)
from specnmf.options import from_plain
from specnmf.output import folder, report
from specnmf.pipeline.decomposing import decompose
from specnmf.pipeline.labelling import label
from specnmf.pipeline.layering import layers
from specnmf.pipeline.run import KINDS, Progress, Run
from specnmf.pipeline.separating import separate
from specnmf.tasks.settings import RunSettings

#: A run.json beyond this size is refused: that of 100 000 stems is smaller.
MOST_REPORT_BYTES = 16 << 20

#: How many inputs runs have: a recording and, perhaps, templates, a score or labels.
N_INPUTS = {"decompose": (1, 2), "separate": (2,), "layers": (1, 2), "label": (2,)}

#: What is compared: arrays that each archive has whatever the settings, and the kinds
#: of runs that leave it.
ARCHIVES = {
    "factors.npz": ({"W.npy", "H.npy"}, set(N_INPUTS)),
    "layers.npz": ({"A_1.npy", "S_1.npy"}, {"layers"}),
}

#: The longest path that is looked for.
LONGEST_PATH = 4096


@dataclass(frozen=True)
class Record:
    """What a run folder says of how it was made.

    Attributes
    ----------
    folder : path
        The run folder.
    kind : str
        A key of `specnmf.pipeline.run.KINDS`.
    settings : RunSettings
        As asked for.
    inputs : tuple of path
        The recording and, if any, the templates, the score or the labels.
    checksums : tuple of str
        The inputs' SHA-256.
    versions : dict
        Of the packages that computed it.
    """

    folder: Path
    kind: str
    settings: RunSettings
    inputs: tuple[Path, ...]
    checksums: tuple[str, ...]
    versions: dict[str, str]

    def target(self, output: str | Path) -> Path:
        """The folder that a run from this record is written to."""
        return folder.target(output, self.inputs[0])


@dataclass(frozen=True)
class Rerun:
    """A run made again, beside the one that it was made from.

    Attributes
    ----------
    run : Run
        The new one.
    identical : bool
        Whether all arrays of factors.npz, and of layers.npz if any, are equal.
    difference : float
        The largest difference in any of them, relative to the largest value of the
        older one; infinite if their shapes or labels differ.
    versions : dict
        Of the packages whose version differs, then and now.
    """

    run: Run
    identical: bool
    difference: float
    versions: dict[str, tuple[str, str]]


def rerun(
    run_dir: str | Path,
    *,
    output: str | Path = "specnmf_rerun",
    overwrite: bool = False,
    inputs: Sequence[str | Path] | None = None,
    sources: bool | None = None,
    figures: bool | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> Rerun:
    """Make a run again from its run.json, and compare the factors.

    Parameters
    ----------
    run_dir : path
        The folder of the run.
    output : path
        The folder for runs; ``run_dir`` itself is never written to.
    overwrite : bool
        Replace a finished run.
    inputs : sequence of path, optional
        Where the inputs are now, in the order of run.json; by default where they
        were, from the current folder.
    sources, figures : bool, optional
        Whether to write them this time; by default as before.
    command : str
        Kept in run.json.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.

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
    """
    record = read_record(run_dir, inputs=inputs)
    sizes = _sizes(record.folder, record.kind)
    target = record.target(output)
    _keep_apart(record.folder, target)
    folder.check_free(target, overwrite=overwrite)
    _check_inputs(record)
    wanted: dict[str, Any] = {"sources": sources, "figures": figures}
    changes = {name: value for name, value in wanted.items() if value is not None}
    settings = dataclasses.replace(record.settings, **changes)
    rest: dict[str, Any] = {
        "output": output,
        "overwrite": overwrite,
        "command": command,
        "progress": progress,
    }
    again = _run(record, settings, rest)
    differences = [np.inf]
    if sizes == _sizes(again.folder, record.kind):
        differences = [
            _difference(record.folder / name, again.folder / name) for name in sizes
        ]
    difference = max(differences)
    return Rerun(again, difference == 0, difference, _changed(record.versions))


def read_record(
    run_dir: str | Path, *, inputs: Sequence[str | Path] | None = None
) -> Record:
    """How a run was made.

    Parameters
    ----------
    run_dir : path
        The folder of the run.
    inputs : sequence of path, optional
        Where the inputs are now, in the order of run.json.

    Raises
    ------
    OutputError
        If there is no run.json, or it is none.
    ParameterError
        If a setting is of the wrong kind or out of its range, or ``inputs`` are more
        or fewer than there were.
    """
    run_dir = Path(run_dir)
    path = run_dir / folder.REPORT
    content = _load(path)
    kind = content.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        _refuse(path, f"as kind one of {', '.join(KINDS)}")
    paths, checksums = _inputs(path, content.get("inputs"), kind)
    if inputs is not None and len(inputs) != len(paths):
        names = ", ".join(map(str, paths))
        raise ParameterError(
            f"{run_dir} has {len(paths)} inputs ({names}), got {len(inputs)}"
        )
    return Record(
        run_dir,
        kind,
        _settings(path, content, kind),
        tuple(map(Path, paths if inputs is None else inputs)),
        checksums,
        _strings(path, content, "versions"),
    )


def _run(record: Record, settings: Any, options: dict[str, Any]) -> Run:
    path, *rest = record.inputs
    second = rest[0] if rest else None
    if record.kind == "decompose":
        return decompose(path, settings, templates=second, **options)
    if record.kind == "layers":
        return layers(path, settings, labels=second, **options)
    again: Callable[..., Run] = label if record.kind == "label" else separate
    return again(path, second, settings, **options)


def _load(path: Path) -> dict[str, Any]:
    """The object that a run.json holds."""
    try:
        if not path.is_file():  # what is a pipe may never end
            raise OutputError(f"{path.parent}: no run, {path.name} is missing")
        with path.open("rb") as file:
            data = file.read(MOST_REPORT_BYTES + 1)
        if len(data) > MOST_REPORT_BYTES:
            _refuse(path, f"less than {MOST_REPORT_BYTES >> 20} MB")
        content = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise OutputError(f"{path}: no valid JSON: {error}") from error
    if not isinstance(content, dict):
        _refuse(path, "an object")
    return content


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _refuse(path: Path, expected: str) -> NoReturn:
    raise OutputError(f"{path}: no run.json of this version, expected {expected}")


def _inputs(
    path: Path, entries: object, kind: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paths and checksums of a run's inputs."""
    numbers = N_INPUTS[kind]
    if not isinstance(entries, list) or len(entries) not in numbers:
        _refuse(path, f"{' or '.join(map(str, numbers))} inputs")
    for entry in entries:
        found = entry if isinstance(entry, dict) else {}
        name, checksum = found.get("path"), found.get("sha256")
        if not _is_path(name) or not _is_checksum(checksum):
            _refuse(path, "of each input its path and sha256")
    return (
        tuple(entry["path"] for entry in entries),
        tuple(entry["sha256"] for entry in entries),
    )


def _is_path(name: object) -> bool:
    """Whether it may be the path of a file."""
    return isinstance(name, str) and len(name) <= LONGEST_PATH and bool(Path(name).stem)


def _is_checksum(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) is not None


def _settings(path: Path, content: dict[str, Any], kind: str) -> RunSettings:
    """The settings as they were asked for."""
    used, asked = content.get("settings"), content.get("asked")
    if not isinstance(used, dict) or not isinstance(asked, dict):
        _refuse(path, "settings and asked as objects")
    try:
        return from_plain(KINDS[kind], {**used, **asked})
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error


def _strings(path: Path, content: dict[str, Any], key: str) -> dict[str, str]:
    found = content.get(key)
    if not isinstance(found, dict) or not all(
        isinstance(value, str) for value in found.values()
    ):
        _refuse(path, f"{key} as an object of strings")
    return found


def _keep_apart(run_dir: Path, target: Path) -> None:
    """Raise OutputError if writing to the target would remove the run."""
    if not target.exists():
        return
    inner = run_dir.resolve()
    if any(target.samefile(outer) for outer in (inner, *inner.parents)):
        raise OutputError(
            f"{target} is or holds the run to be made again; use another --output"
        )


def _check_inputs(record: Record) -> None:
    """Raise an error unless each input is there and the file that it was."""
    second = TemplateError if record.kind == "decompose" else ScoreError
    kinds = (AudioError, second)
    for kind, path, checksum in zip(
        kinds, record.inputs, record.checksums, strict=False
    ):
        found = _checksum(kind, path)
        if found != checksum:
            raise kind(
                f"{path}: is not the file that {record.folder} was made from: "
                f"expected SHA-256 {checksum}, got {found}"
            )


def _checksum(kind: type[SpecnmfError], path: Path) -> str:
    try:
        if not path.is_file():  # what is a pipe or a device may never end
            raise kind(f"{path}: no such file; say where it is now by --input")
        return report.sha256(path)
    except (OSError, ValueError) as error:  # the latter if no file has such a name
        reason = getattr(error, "strerror", None) or error
        raise kind(f"{path}: cannot be opened ({reason})") from error


def _sizes(run_dir: Path, kind: str) -> dict[str, dict[str, int]]:
    """The arrays in each archive of a run, and their sizes in bytes."""
    return {
        name: _members(run_dir / name, needed)
        for name, (needed, kinds) in ARCHIVES.items()
        if kind in kinds
    }


def _members(path: Path, needed: set[str]) -> dict[str, int]:
    """The arrays in an archive, and their sizes in bytes."""
    try:
        if not path.is_file():
            raise OutputError(f"{path}: no such file, nothing to compare with")
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # whatever a broken archive makes zipfile raise
        raise _edited(path, error) from error
    if not needed <= sizes.keys():
        raise _edited(path, f"no {' and '.join(sorted(needed - sizes.keys()))}")
    return sizes


def _edited(path: Path, reason: object) -> OutputError:
    return OutputError(f"{path}: is not what the run left there ({reason})")


def _difference(then: Path, now: Path) -> float:
    """The largest relative difference in archives whose arrays are alike in size."""
    with np.load(now, allow_pickle=False) as made:
        try:
            with np.load(then, allow_pickle=False) as kept:
                return max(_relative(kept[name], made[name]) for name in made)
        except Exception as error:  # whatever a broken archive makes numpy raise
            raise _edited(then, error) from error


def _relative(then: NDArray[Any], now: NDArray[Any]) -> float:
    """The largest difference of two arrays, in shares of the largest value."""
    if then.dtype != now.dtype or then.shape != now.shape:
        return np.inf
    if np.array_equal(then, now):
        return 0.0
    if then.dtype.kind != "f":
        return np.inf
    with np.errstate(all="ignore"):
        largest = np.abs(then).max().astype(np.float64)
        difference = np.abs(then - now).max() / largest
    return float(difference) if np.isfinite(difference) else np.inf


def _changed(then: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The packages of another version than then, with both versions."""
    now = report.versions()
    return {
        name: (then.get(name, "none"), now[name])
        for name in now
        if then.get(name) != now[name]
    }
