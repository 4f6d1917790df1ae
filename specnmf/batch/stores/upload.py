"""Runs on their way to a place behind a URL."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from specnmf.batch.stores.place import Place, network, remove
from specnmf.batch.stores.store import UPLOADING, told
from specnmf.errors import OutputError
from specnmf.output.folder import REPORT


def upload(folder: Path, location: str, *, overwrite: bool) -> None:
    """Upload a finished run.

    Its run.json comes last, so a folder that holds one holds the whole run. Until then
    a hidden file tells what it is: what an upload leaves that was cut off is known by
    it, and gives way to the next.

    Parameters
    ----------
    folder : path
        The run, on this machine.
    location : str
        The URL where it is to be found.
    overwrite : bool
        Replace a finished run that is there.

    Raises
    ------
    OutputError
        If the place is taken by a run, or by what is no run; or if the upload
        fails, after which what was uploaded is removed again, if that is possible.
    """
    target = Place.at(location)
    marker = target.within(UPLOADING)
    with told(OutputError, f"{location} cannot be written"), network():
        old = _check_free(target, overwrite=overwrite)
        target.files.pipe_file(marker.key, b"")
        for place in old:
            remove(place)
        names = _run_json_last(folder)
        try:
            for name in names:
                target.files.put_file(str(folder / name), target.within(name).key)
        except BaseException:
            _take_back([*map(target.within, reversed(names)), marker])
            raise
    with suppress(Exception):  # the run is there, whatever its marker says
        remove(marker)


def _check_free(target: Place, *, overwrite: bool) -> list[Place]:
    """The files that have to go before a run may be here, its run.json first."""
    found = _below(target)
    report, marker = target.within(REPORT), target.within(UPLOADING)
    if report in found and not overwrite:
        raise OutputError(
            f"{target.url} holds a finished run; use --overwrite, or another --output"
        )
    if found and not {report, marker} & set(found):
        raise OutputError(
            f"{target.url} exists and is no run; move it, or use another --output"
        )
    old = [place for place in found if place != marker]
    return sorted(old, key=lambda place: place != report)


def _below(target: Place) -> list[Place]:
    """The places of all files in a folder and its folders, or of a file."""
    own = f"{target.key}/"  # the empty file that stands for a folder in S3
    keys = [key for key in target.files.find(target.key) if key != own]
    return [target.within(key.removeprefix(target.key).strip("/")) for key in keys]


def _run_json_last(folder: Path) -> list[str]:
    """The names of a run's files, in the order in which they are uploaded."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return sorted(names, key=lambda name: name == REPORT)


def _take_back(places: list[Place]) -> None:
    """Remove what an upload may have left, as far as that is possible."""
    for place in places:
        with suppress(Exception):  # the upload's own error is the one to tell
            remove(place)
