"""Files of a run that an edited run keeps, checked before they are copied."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from specnmf.errors import AudioError, OutputError
from specnmf.output.products import REPORT, Finished, sha256
from specnmf.parallel import workers

if TYPE_CHECKING:
    from specnmf.audio.recording import Sound
    from specnmf.record.record import Record


class Carried:
    """The files of a run that match its run.json."""

    def __init__(self, base: Record) -> None:
        self.folder = base.folder
        self.threads = base.used.threads

    @cached_property
    def listed(self) -> dict[str, tuple[int, str]] | None:
        """The size and SHA-256 of each file; None in older versions of run.json."""
        found = Finished(self.folder).products.listed
        return None if found is None else dict(found)

    def has(self, name: str) -> bool:
        """Whether the run wrote a file of this name."""
        if self.listed is None:
            return (self.folder / name).is_file()
        return name in self.listed

    def check(self, *names: str) -> None:
        """Raise OutputError if one of these files was changed since the run."""
        for name in names:
            if self.has(name) and not self.is_intact(name):
                raise OutputError(
                    f"{self.folder / name}: the file has changed since the run; make "
                    "the run again with specnmf rerun"
                )

    def is_intact(self, name: str) -> bool:
        """Whether a file is in the run, is not a link, and is unchanged."""
        path = self._path(name)
        if path is None:
            return False
        if self.listed is None:
            return True
        size, checksum = self.listed.get(name, (-1, ""))
        return path.stat().st_size == size and sha256(path) == checksum

    def copy(self, target: Path, is_stale: Callable[[str], bool]) -> None:
        """Copy all files that are not stale or changed into a new run."""
        for name in sorted(self.listed or ()):
            if name != REPORT and not is_stale(name) and self.is_intact(name):
                place = target / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.folder / name, place, follow_symlinks=False)

    def sound_files(self, names: Sequence[str], sound: Sound) -> list[Path]:
        """The files of these names if all of them are unchanged; else none."""
        if self.listed is None:
            return []
        with workers(self.threads) as mapper:
            intact = mapper(self.is_intact, names)
        paths = [self.folder / name for name in names]
        fits = all(intact) and all(_fits(path, sound) for path in paths)
        return paths if fits else []

    def _path(self, name: str) -> Path | None:
        """The path of a file of the run, if it is within the run without links."""
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or PurePosixPath(name).is_absolute():
            return None
        if PureWindowsPath(name).drive or "\\" in name or "\0" in name:
            return None
        path = self.folder
        try:
            for part in parts:
                path = path / part
                mode = path.lstat().st_mode
                if stat.S_ISLNK(mode):
                    return None
        except OSError:
            return None
        return path if stat.S_ISREG(mode) else None


def _fits(path: Path, sound: Sound) -> bool:
    """Whether a file has the length, channels and rate of a recording."""
    from specnmf.audio.reading import reading

    try:
        with reading(path) as source:
            size = source.sr, source.n_channels, source.expected(0, None)
    except AudioError:
        return False
    return size == (sound.sr, sound.n_channels, sound.n_samples)
