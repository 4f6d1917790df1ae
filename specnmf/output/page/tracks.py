"""Tracks: the sound of stems, and their sum if the recording is missing."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from specnmf.audio.reading import reading
from specnmf.audio.recording import BLOCK, Float32, Sound
from specnmf.audio.resynthesis import Buffer
from specnmf.output.page.picture import blocks_of
from specnmf.output.page.stems import Group

#: What a browser plays, whatever the file has.
MOST_CHANNELS = 2

#: How loud further channels are in both of these, relative to the first two: 3 dB down.
FURTHER = float(np.sqrt(0.5))


@dataclass(frozen=True, eq=False)
class Track:
    """The sound of a stem.

    Attributes
    ----------
    sr, n_channels, n_samples : int
        Of the sound as it is.
    path : path or None
        The file it is in; None: it is ``sound``.
    sound : Sound or None
        The recording itself.
    """

    sr: int
    n_channels: int
    n_samples: int
    path: Path | None = None
    sound: Sound | None = None

    @property
    def suffix(self) -> str:
        """The ending of the file, such as ``wav``; empty if there is none."""
        return "" if self.path is None else self.path.suffix.lower().removeprefix(".")

    @property
    def n_bytes(self) -> int:
        """The size of the file."""
        return 0 if self.path is None else self.path.stat().st_size

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.n_samples / self.sr

    def blocks(self) -> Generator[Float32, None, None]:
        """Yield the samples in blocks, (n_channels, n)."""
        if self.sound is not None:
            yield from blocks_of(self.sound)
        elif self.path is not None:
            with reading(self.path) as source:
                yield from source.blocks(dtype="float32")

    @cached_property
    def width(self) -> int:
        """The channels that it takes to play it: 1 if all are alike, else 2.

        Stems of a recording whose channels are alike are read once more for that, which
        saves half of the encoding; of others, the first block tells.
        """
        if self.n_channels == 1:
            return 1
        alike = all((block[1:] == block[0]).all() for block in self.blocks())
        return 1 if alike else MOST_CHANNELS


def open_track(path: Path) -> Track:
    """The track in a file.

    Raises
    ------
    AudioError
        If it is none.
    """
    with reading(path) as source:
        n_samples = max(0, int(source.file.frames))
        return Track(source.sr, source.n_channels, n_samples, path)


def track_of(sound: Sound) -> Track:
    """The track that a recording is."""
    return Track(sound.sr, sound.n_channels, sound.n_samples, sound=sound)


def tracks_of(folder: Path, groups: Sequence[Group]) -> list[Track | None]:
    """The track of each stem, of all groups; None where it was not written.

    Raises
    ------
    AudioError
        If a file is damaged.
    """
    files = [stem.file for group in groups for stem in group.stems]
    return [None if file is None else open_track(folder / file) for file in files]


def mixed_down(block: Float32, width: int) -> Float32:
    """A block with one channel or two; further channels are in both, 3 dB down."""
    if width == 1 or len(block) <= MOST_CHANNELS:
        return block[:width]
    both = FURTHER * block[MOST_CHANNELS:].sum(axis=0)
    scale = 1 + FURTHER * (len(block) - MOST_CHANNELS)
    return np.asarray((block[:MOST_CHANNELS] + both) / np.float32(scale))


@dataclass(frozen=True)
class Mix:
    """The sum of tracks, for where the recording is gone.

    Attributes
    ----------
    tracks : sequence of Track
        Of one rate and number of channels.
    """

    tracks: Sequence[Track]

    @property
    def sr(self) -> int:
        """The sample rate in Hz."""
        return self.tracks[0].sr

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return self.tracks[0].n_channels

    @property
    def n_samples(self) -> int:
        """The number of samples a channel."""
        return min(track.n_samples for track in self.tracks)

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.n_samples / self.sr

    def findings(self) -> list[str]:
        """Nothing: it is only looked at."""
        return []

    def blocks(self) -> Generator[Float32, None, None]:
        """Yield the samples in blocks, (n_channels, n)."""
        with ExitStack() as stack:
            opened = [closing(track.blocks()) for track in self.tracks]
            parts = [Buffer(stack.enter_context(each)) for each in opened]
            for first in range(0, self.n_samples, BLOCK):
                n = min(BLOCK, self.n_samples - first)
                yield np.sum([part.take(n) for part in parts], axis=0)
