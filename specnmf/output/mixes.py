"""Edited stems on disk, and their mixes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from specnmf.audio.options import LOSSY, FileOptions
from specnmf.audio.reading import reading
from specnmf.audio.recording import Sound
from specnmf.audio.resynthesis import Buffer, Stream
from specnmf.audio.writing import INTEGER_BITS, Writer, output_subtype
from specnmf.methods.regrouping import Frames, NewStem, add_up, level, mixed
from specnmf.output.sources import (
    Float64,
    Tally,
    Written,
    exact_frames,
    exact_samples,
    null_test,
    open_writer,
)
from specnmf.parallel import Mapper, workers
from specnmf.subnormals import flush_to_zero

#: The folder of mixes in a run, and the name of the mix of all stems.
MIXES, MIX = "mixes", "mix"

#: Samples per channel that are read and written at a time.
BLOCK = 1 << 16

#: Significant digits of measures, so that the order of sums does not matter.
DIGITS = 9


@dataclass(frozen=True)
class Edited:
    """The results of edits, one after another.

    Attributes
    ----------
    stages : sequence of sequence of NewStem
        The new stems of each edit.
    written : collection of int
        The last stems that become files.
    without : sequence of int
        The last stems that are left out of a mix of their own.
    within : str
        Their folder, in sources/ and mixes/.
    """

    stages: Sequence[Sequence[NewStem]]
    written: Collection[int]
    without: Sequence[int] = ()
    within: str = ""
    files: Sequence[str] = ()  #: Names without suffixes; by default the stems'.

    @property
    def names(self) -> list[str]:
        """The last stems."""
        return [stem.name for stem in self.stages[-1]]

    @property
    def is_levelled(self) -> bool:
        """Whether any stem has a gain or a pan."""
        return any(stem.gain or stem.pan for stage in self.stages for stem in stage)

    @property
    def mixes(self) -> dict[str, list[int]]:
        """The stems of each mix, by its name."""
        everything = [*range(len(self.names))]
        found = {MIX: everything} if self.is_levelled else {}
        for left_out in self.without:
            others = [number for number in everything if number != left_out]
            found[f"without_{self.names[left_out]}"] = others
        return found


@dataclass
class Outcome:
    """The written stems and mixes.

    Attributes
    ----------
    written : Written
        The stems.
    mixes : list of dict
        The entry of each mix for run.json.
    beyond : int
        The number of samples of single stems beyond full scale, after gains.
    """

    written: Written
    mixes: list[dict[str, Any]] = field(default_factory=list)
    beyond: int = 0


#: Yields, block by block, the samples of all stems before the edits.
Before = Callable[[int | None, Mapper], Iterator[Sequence[Frames]]]


def from_stream(stream: Stream, recording: Path, start: float) -> Before:
    """The stems of a stream, as `output.sources.write_sources` writes them."""

    def blocks(bits: int | None, mapper: Mapper) -> Iterator[Sequence[Frames]]:
        with closing(stream), reading(recording) as source:
            mixture = exact_samples(source, start)
            for _, block in stream:
                expected = mixture.take(block.shape[2])
                yield list(exact_frames(block, expected, bits, mapper)[0])

    return blocks


def from_files(paths: Sequence[Path], n_samples: int) -> Before:
    """The stems of a run, from its lossless files."""

    def blocks(bits: int | None, mapper: Mapper) -> Iterator[Sequence[Frames]]:
        with ExitStack() as stack:
            sources = [stack.enter_context(reading(path)) for path in paths]
            kind = {None: "float32", 16: "int16"}.get(bits, "int32")
            parts = [Buffer(source.blocks(dtype=kind)) for source in sources]
            shift = 0 if kind != "int32" or bits is None else 32 - bits
            for first in range(0, n_samples, BLOCK):
                n = min(BLOCK, n_samples - first)
                frames = [own.T for own in mapper(partial(_take, n=n), parts)]
                yield [own >> shift for own in frames] if shift else list(frames)

    return blocks


def _take(part: Buffer[Any], n: int) -> Frames:
    taken: Frames = part.take(n)
    return taken


@flush_to_zero()
def write_edited(
    folder: Path,
    recording: Path,
    audio: Sound,
    edited: Edited,
    before: Before,
    options: FileOptions,
    *,
    start: float,
    threads: int | None,
    progress: Callable[[int, int], None],
    copies: Mapping[int, Path],
) -> Outcome:
    """Write edited stems into sources/ of a run, and mixes of them into mixes/.

    Parameters
    ----------
    folder : path
        The run.
    recording : path
        The original, read from ``start`` seconds on for the null test.
    audio : Audio or other Sound
        Gives rate and size.
    edited : Edited
        The stems to write.
    before : callable
        The stems before the edits.
    options : FileOptions
        The format of all files.
    progress : callable
        Called with the numbers of finished and of all samples.
    copies : mapping of int to path
        Existing files with the present content of stems.

    Raises
    ------
    AudioError
        If a file cannot be written.
    """
    with ExitStack() as stack:
        mapper = stack.enter_context(workers(threads))
        desk = _Desk(folder, recording, audio, edited, options, start, stack, copies)
        first = 0
        for frames in before(desk.bits, mapper):
            desk.take(frames, mapper)
            first += len(frames[0])
            progress(first, audio.n_samples)
        desk.close(mapper)
        return desk.outcome()


class _Desk:
    """Merges, levels, writes and mixes stems, block by block."""

    def __init__(
        self,
        folder: Path,
        recording: Path,
        audio: Sound,
        edited: Edited,
        options: FileOptions,
        start: float,
        stack: ExitStack,
        copies: Mapping[int, Path],
    ) -> None:
        self.recording, self.audio, self.start = recording, audio, start
        self.edited, self.copies, self.format = edited, copies, options.format
        source = stack.enter_context(reading(recording))
        subtype = output_subtype(options.format, options.subtype, source.subtype)
        self.bits = INTEGER_BITS.get(subtype)
        self.mixture = exact_samples(source, start)
        self.tally = Tally(len(edited.names))
        self.beyond_full_scale = 0
        self.beyond = dict.fromkeys(edited.mixes, 0)
        self.sources = folder / "sources" / edited.within

        self.files = edited.files or edited.names
        tags = source.tags().later(round(start * audio.sr))

        def writer(where: Path, file: str, name: str) -> Writer:
            where.mkdir(parents=True, exist_ok=True)
            own = tags.of_stem(name)
            return open_writer(stack, where / file, audio, options, subtype, own)

        self.writers = {
            number: writer(self.sources, self.files[number], edited.names[number])
            for number in sorted(edited.written)
            if number not in copies
        }
        mixes = folder / MIXES / edited.within
        self.mixers = {name: writer(mixes, name, name) for name in edited.mixes}

    def take(self, frames: Sequence[Frames], mapper: Mapper) -> None:
        """Edit and write a block of stems."""
        base, heard, held, beyond = _edited(frames, self.edited.stages, self.bits)
        self.tally.held += held
        self.beyond_full_scale += beyond
        mixture = self.mixture.take(len(frames[0]))
        self.tally.add(self._sum(base) - mixture, mixture)
        self.tally.squares += mapper(self._square, heard)
        numbers = list(self.writers)
        mapper(lambda number: _append(self.writers[number], heard[number]), numbers)
        for name, members in self.edited.mixes.items():
            mix, beyond = mixed([heard[number] for number in members], self.bits)
            self.beyond[name] += beyond
            _append(self.mixers[name], mix)

    def close(self, mapper: Mapper) -> None:
        """Finish all files."""
        for writer in (*self.writers.values(), *self.mixers.values()):
            writer.close()
        written = [number for number in self.copies if number in self.edited.written]
        if written:
            self.sources.mkdir(parents=True, exist_ok=True)
        mapper(lambda n: shutil.copyfile(self.copies[n], self._path(n)), written)

    def outcome(self) -> Outcome:
        """The outcome."""
        edited, names = self.edited, self.edited.names
        written = Written(
            files={names[n]: self._path(n).name for n in sorted(edited.written)},
            rms={n: _round(r) for n, r in zip(names, self.tally.rms(), strict=True)},
            residual_db=self._residual_db(),
            held=self.tally.held,
            within=edited.within,
        )
        mixes = [self._mix_entry(name) for name in edited.mixes]
        return Outcome(written, mixes, self.beyond_full_scale)

    def _mix_entry(self, name: str) -> dict[str, Any]:
        path = PurePosixPath(MIXES, self.edited.within, self.mixers[name].path.name)
        members = self.edited.mixes[name]
        return {
            "name": name,
            "file": f"{path}",
            "stems": [self.edited.names[number] for number in members],
            "beyond_full_scale": self.beyond[name],
        }

    def _residual_db(self) -> float | None:
        """The null test of the stems before gains; None if it is not possible."""
        if self.format not in LOSSY:
            return _round(self.tally.residual_db())
        if self.edited.is_levelled or len(self.edited.written) < len(self.edited.names):
            return None
        paths = [self._path(number) for number in range(len(self.edited.names))]
        return null_test(self.recording, paths, self.start, self.audio.n_samples)

    def _path(self, number: int) -> Path:
        return self.sources / f"{self.files[number]}.{self.format}"

    def _sum(self, frames: Sequence[Frames]) -> Float64:
        """The sum of stems, (n_channels, n); full scale is 1."""
        scale = 1.0 if self.bits is None else 2.0 ** (self.bits - 1)
        total: Float64 = np.add.reduce(list(frames), dtype=np.float64)
        return total.T / scale

    def _square(self, frames: Frames) -> float:
        scale = 1.0 if self.bits is None else 2.0 ** (self.bits - 1)
        samples = frames.astype(np.float64).ravel()
        return float(np.vdot(samples, samples)) / scale**2


def _edited(
    frames: Sequence[Frames], stages: Sequence[Sequence[NewStem]], bits: int | None
) -> tuple[Sequence[Frames], Sequence[Frames], int, int]:
    """The stems after the edits, without and with gains.

    Also returns the number of samples beyond full scale, of sums and of gains.
    """
    base, heard, held, beyond = frames, None, 0, 0
    for stems in stages:
        base, moved = add_up(base, stems, bits)
        held += moved
        summed = base
        if heard is not None:  # after earlier gains, the sum is not the recording
            own = [mixed([heard[m] for m in stem.members], bits) for stem in stems]
            summed, beyond = [f for f, _ in own], beyond + sum(n for _, n in own)
        if heard is not None or any(stem.gain or stem.pan for stem in stems):
            heard, more = level(summed, stems, bits)
            beyond += more
    return base, base if heard is None else heard, held, beyond


def _append(writer: Writer, frames: Frames) -> None:
    for first in range(0, len(frames), BLOCK):
        writer.write(frames[first : first + BLOCK])


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
