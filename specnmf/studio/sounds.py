"""The sound of stems by number: files of runs, and sums of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from specnmf.errors import AudioError

#: Formats that browsers play, by the names of formats and subtypes that libsndfile,
#: or FFmpeg, has for them.
_PLAYED = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "FLOAT"),
    "WAVEX": ("PCM_16", "PCM_24", "FLOAT"),
    "FLAC": ("PCM_16", "PCM_24"),
    "OGG": ("VORBIS", "OPUS"),
    "MP3": ("MPEG_LAYER_III",),
    "mov": ("AAC",),
}

_MEDIA_TYPES = {
    "WAV": "audio/wav",
    "WAVEX": "audio/wav",
    "FLAC": "audio/flac",
    "OGG": "audio/ogg",
    "MP3": "audio/mpeg",
    "mov": "audio/mp4",
}


class Sound(NamedTuple):
    """A file that browsers can play."""

    path: Path
    media_type: str


class Part(NamedTuple):
    """A stem: the number of its run, and its index among the run's stems."""

    run: int
    stem: int


class Sounds:
    """Sums of stems, each with a permanent number.

    A browser requests numbers only, never paths.

    Parameters
    ----------
    scratch : path
        The folder in which files are made.
    file_of : callable
        The file of a `Part`.
    """

    def __init__(self, scratch: Path, file_of: Callable[[Part], Path]) -> None:
        self._scratch, self._file_of = scratch, file_of
        self._numbers: dict[tuple[Part, ...], int] = {}
        self._members: list[tuple[Part, ...]] = []
        self._made: dict[int, Sound] = {}
        self._numbering, self._making = threading.Lock(), threading.Lock()

    def number(self, members: Sequence[Part]) -> int:
        """The number of the sum of some stems; equal sums have equal numbers."""
        key = tuple(members)
        with self._numbering:
            if key not in self._numbers:
                self._numbers[key] = len(self._members)
                self._members.append(key)
            return self._numbers[key]

    def get(self, number: int) -> Sound | None:
        """The sound of a number, made if necessary; None: there is none.

        Raises
        ------
        AudioError
            If a file of a stem cannot be read.
        """
        if not 0 <= number < len(self._members):
            return None
        with self._making:
            if number not in self._made:
                self._made[number] = self._make(number)
            return self._made[number]

    def _make(self, number: int) -> Sound:
        files = [self._file_of(part) for part in self._members[number]]
        if len(files) == 1:
            media_type = _played_as(files[0])
            if media_type is not None:
                return Sound(files[0], media_type)
        self._scratch.mkdir(parents=True, exist_ok=True)
        path = self._scratch / f"{number}.wav"
        _add_up(files, path)
        return Sound(path, "audio/wav")


def _played_as(path: Path) -> str | None:
    """The media type of a file if browsers can play it, else None."""
    from specnmf.audio.reading import reading

    try:
        with reading(path) as source:
            format, subtype = str(source.file.format), source.subtype
    except AudioError as error:
        raise AudioError(str(error).replace(str(path), path.name)) from error
    return _MEDIA_TYPES[format] if subtype in _PLAYED.get(format, ()) else None


def _add_up(files: Sequence[Path], path: Path) -> None:
    """Write the sum of some recordings, clipped at full scale."""
    import soundfile

    from specnmf.audio.reading import reading

    try:
        with ExitStack() as stack:
            sources = [stack.enter_context(reading(file)) for file in files]
            first = sources[0]
            subtype = "PCM_16" if first.subtype == "PCM_16" else "PCM_24"
            out = stack.enter_context(
                soundfile.SoundFile(
                    path, "w", first.sr, first.n_channels, subtype, format="WAV"
                )
            )
            blocks = [each.blocks(dtype="float64") for each in sources]
            for parts in zip(*blocks, strict=True):
                out.write(np.add.reduce(parts).T.clip(-1, 1))
    except (OSError, ValueError, AudioError, soundfile.LibsndfileError) as error:
        path.unlink(missing_ok=True)
        raise AudioError(f"the audio of a stem cannot be made: {error}") from error
