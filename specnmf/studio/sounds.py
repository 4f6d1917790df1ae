"""The sound of stems by number: files of runs, and sums of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from specnmf.errors import AudioError

#: Formats that browsers play, by libsndfile's names of formats and subtypes.
_PLAYED = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "FLOAT"),
    "WAVEX": ("PCM_16", "PCM_24", "FLOAT"),
    "FLAC": ("PCM_16", "PCM_24"),
    "OGG": ("VORBIS",),
    "MP3": ("MPEG_LAYER_III",),
}

_MEDIA_TYPES = {
    "WAV": "audio/wav",
    "WAVEX": "audio/wav",
    "FLAC": "audio/flac",
    "OGG": "audio/ogg",
    "MP3": "audio/mpeg",
}

#: The number of frames that are added up at a time.
_BLOCK = 1 << 16


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
    import soundfile

    try:
        info = soundfile.info(path)
    except (OSError, soundfile.LibsndfileError) as error:
        raise AudioError(f"{path.name}: cannot be read ({error})") from error
    is_played = info.subtype in _PLAYED.get(info.format, ())
    return _MEDIA_TYPES[info.format] if is_played else None


def _add_up(files: Sequence[Path], path: Path) -> None:
    """Write the sum of some recordings, clipped at full scale."""
    import soundfile

    try:
        with ExitStack() as stack:
            sources = [stack.enter_context(soundfile.SoundFile(file)) for file in files]
            first = sources[0]
            subtype = "PCM_16" if first.subtype == "PCM_16" else "PCM_24"
            out = stack.enter_context(
                soundfile.SoundFile(
                    path, "w", first.samplerate, first.channels, subtype, format="WAV"
                )
            )
            for _ in range(0, first.frames, _BLOCK):
                blocks = (each.read(_BLOCK, always_2d=True) for each in sources)
                out.write(sum(blocks).clip(-1, 1))
    except (OSError, ValueError, soundfile.LibsndfileError) as error:
        path.unlink(missing_ok=True)
        raise AudioError(f"the audio of a stem cannot be made: {error}") from error
