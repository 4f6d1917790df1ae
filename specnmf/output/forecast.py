"""The size of sources on disk, reported and checked before they are made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from specnmf.audio.options import AudioFormat, window
from specnmf.audio.reading import reading
from specnmf.audio.recording import Sound
from specnmf.audio.writing import bytes_of, output_subtype
from specnmf.errors import OutputError
from specnmf.output.naming import file_names
from specnmf.output.selection import Group, select

#: The number of bytes from which the size is reported.
LARGE = 1_000_000_000


class Options(Protocol):
    """The options that determine the size."""

    @property
    def sources(self) -> bool:
        """Whether sources are written."""

    @property
    def only(self) -> Sequence[str]:
        """The sources to write; all, if it is empty."""

    @property
    def name(self) -> str:
        """The pattern of the names of files."""

    @property
    def format(self) -> AudioFormat:
        """The file format."""

    @property
    def subtype(self) -> str | None:
        """The sample format; None: that of the recording."""

    @property
    def n_fft(self) -> int | None:
        """The window, which determines the size of the factors."""

    @property
    def hop_length(self) -> int | None:
        """The hop."""


@dataclass
class Forecast:
    """Checks, once, that the sources exist and that the disk has room for them.

    Attributes
    ----------
    recording : path
        The song.
    settings : Options
        The sources to write, and the transform.
    target : path
        The folder of the run.
    say : callable
        Called with a line if the files will be large.
    sound : Sound or None
        The recording, after it was read.
    called : str
        What the names of files call the recording; by default its path.
    """

    recording: Path
    settings: Options
    target: Path
    say: Callable[[str], None]
    sound: Sound | None = None
    called: str = ""
    _known: bool = field(default=False, init=False)

    def __call__(self, groups: Sequence[Group]) -> None:
        """Check the expected sources.

        Raises
        ------
        ParameterError
            If a requested source does not exist, or names of files are not possible.
        OutputError
            If the disk does not have room for them.
        """
        if self._known or self.sound is None or not self.settings.sources:
            return
        self._known = True
        chosen = select(groups, self.settings.only)
        for group in groups:
            called = self.called or str(self.recording)
            file_names(self.settings.name, group.names, called)
        n_sources = sum(map(len, chosen))
        self._check(n_sources, n_sources * self._bytes(self.sound))

    def _bytes(self, sound: Sound) -> int:
        """The size of a source with its factors; if compressed, about the maximum."""
        options = self.settings
        with reading(self.recording) as source:
            subtype = output_subtype(options.format, options.subtype, source.subtype)
        n_fft, hop_length = window(sound.sr, options.n_fft, options.hop_length)
        n_entries = n_fft // 2 + sound.n_samples // hop_length  # in a float of 4 bytes
        return bytes_of(sound, options.format, subtype) + 4 * n_entries

    def _check(self, n_sources: int, n_bytes: int) -> None:
        """Report a large size; raise an error if the disk is too small."""
        place, exact = self.target, self.settings.format == "wav"
        free = shutil.disk_usage(_existing(place)).free
        sources = f"{n_sources} sources" if n_sources > 1 else "1 source"
        size = f"{'' if exact else 'up to '}{gigabytes(n_bytes)}"
        if exact and n_bytes > free:
            raise OutputError(
                f"{self.recording}: {sources} need {size}, but only "
                f"{gigabytes(free)} are free for {place}; {self._remedy()}, or use "
                "another --output"
            )
        if n_bytes >= LARGE:
            self.say(
                f"{self.recording}: {sources} need {size} in {place}; {self._remedy()}"
            )

    def _remedy(self) -> str:
        """How to make the sources smaller, or fewer."""
        fewer = "--only NAME,... writes some of them"
        if self.settings.format != "wav":
            return fewer
        return f"--format flac takes half of it or less, {fewer}"


def gigabytes(n_bytes: int) -> str:
    """A size in decimal units, such as ``2.1 GB``."""
    if n_bytes >= 1e9:
        return f"{n_bytes / 1e9:.1f} GB"
    if n_bytes >= 1e6:
        return f"{n_bytes / 1e6:.0f} MB"
    return f"{n_bytes / 1e3:.0f} kB"


def _existing(path: Path) -> Path:
    """A path, or the innermost existing folder above it."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())
