"""Files of a run that go into an edited one, checked before they are taken."""

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
    """The files of a run, as far as they are what its run.json lists."""

    def __init__(self, base: Record) -> None:
        self.folder = base.folder
        self.threads = base.used.threads

    @cached_property
    def listed(self) -> dict[str, tuple[int, str]] | None:
        """The size and SHA-256 of each file; None where an older run.json has none."""
        found = Finished(self.folder).products.listed
        return None if found is None else dict(found)

    def has(self, name: str) -> bool:
        """Whether the run wrote a file of this name."""
        if self.listed is None:
            return (self.folder / name).is_file()
        return name in self.listed

    def check(self, *names: str) -> None:
        """Raise OutputError if the run wrote one of these files otherwise."""
        for name in names:
            if self.has(name) and not self.is_intact(name):
                raise OutputError(
                    f"{self.folder / name}: is not what the run left there; make the "
                    "run again by specnmf rerun"
                )

    def is_intact(self, name: str) -> bool:
        """Whether a file lies in the run, is no link, and is as the run left it."""
        path = self._path(name)
        if path is None:
            return False
        if self.listed is None:
            return True
        size, checksum = self.listed.get(name, (-1, ""))
        return path.stat().st_size == size and sha256(path) == checksum

    def copy(self, target: Path, is_stale: Callable[[str], bool]) -> None:
        """Copy what is not stale into a new run; what was changed stays behind."""
        for name in sorted(self.listed or ()):
            if name != REPORT and not is_stale(name) and self.is_intact(name):
                place = target / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.folder / name, place, follow_symlinks=False)

    def sound_files(self, names: Sequence[str], sound: Sound) -> list[Path]:
        """The files of these names if all of them hold what a run wrote; else none."""
        if self.listed is None:
            return []
        with workers(self.threads) as mapper:
            intact = mapper(self.is_intact, names)
        paths = [self.folder / name for name in names]
        fits = all(intact) and all(_fits(path, sound) for path in paths)
        return paths if fits else []

    def _path(self, name: str) -> Path | None:
        """Where a file of the run is, if it is a file within it, and no link leads."""
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
    """Whether a file is as long as a recording, and has its channels and rate."""
    from specnmf.audio.reading import reading

    try:
        with reading(path) as source:
            size = source.sr, source.n_channels, source.expected(0, None)
    except AudioError:
        return False
    return size == (sound.sr, sound.n_channels, sound.n_samples)
