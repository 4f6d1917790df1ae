"""Sources on disk: masked, resynthesised and written block by block."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import kernels
from specnmf.audio.media_writing import resampled
from specnmf.audio.options import LOSSY, FileOptions
from specnmf.audio.reading import Source, reading
from specnmf.audio.recording import BLOCK, Sound
from specnmf.audio.resynthesis import Buffer, Stream
from specnmf.audio.tags import Tags
from specnmf.audio.writing import Writer, output_subtype
from specnmf.parallel import Mapper, workers
from specnmf.subnormals import flush_to_zero

Float64 = NDArray[np.float64]

#: The null test's value for sources that add up exactly.
EXACT_DB = -300.0

#: The number of pieces of a block that threads round.
PIECES = 8

#: After so many bytes of samples, files are sent to the disk while others are computed.
SEND_BYTES = 64 << 20


@dataclass(frozen=True)
class Written:
    """The written sources."""

    files: dict[str, str]  # the file name of each label that was written
    rms: dict[str, float]  # each label's root mean square; full scale is 1
    #: The null test, 20 log10(rms(sum - input) / rms(input)), of all sources, written
    #: or not; EXACT_DB if exact, None where only those written can tell.
    residual_db: float | None
    held: int  # samples that full scale could not hold and other sources took over
    within: str  # the folder of the files, in sources/

    def entry(self, label: str) -> dict[str, Any]:
        """The entry of a source in run.json."""
        entry: dict[str, Any] = {}
        if label in self.files:
            path = PurePosixPath("sources", self.within, self.files[label])
            entry["source"] = f"{path}"
        return entry | ({"rms": self.rms[label]} if label in self.rms else {})


@flush_to_zero()
def write_sources(
    folder: Path,
    recording: Path,
    audio: Sound,
    names: Sequence[str],
    stream: Stream,
    options: FileOptions,
    *,
    start: float,
    threads: int | None,
    within: str,
    progress: Callable[[int, int], None],
    only: Sequence[int] | None = None,
    files: Sequence[str] | None = None,
) -> Written:
    """Write each source of a recording into a file of its own; they add up to it.

    The recording is read again from ``start`` seconds on, block by block, for its exact
    samples; ``audio``, the mixture, only gives rate and size. ``stream`` is that of
    `stream_sources`, ``within`` is the folder in sources/ as in run.json, and
    ``progress`` is called with the numbers of finished and of all samples. ``only`` has
    the indices of the sources to write; all are made, as only all of them add up.
    ``files`` are the names of the files, without suffixes; by default ``names``.

    AudioError if a source cannot be written in its format, or at all.
    """
    with ExitStack() as stack:
        stack.enter_context(closing(stream))
        source = stack.enter_context(reading(recording))
        subtype = output_subtype(options.format, options.subtype, source.subtype)
        stems = names if files is None else files
        tags = source.tags().later(round(start * audio.sr))
        writers = {
            number: open_writer(
                stack,
                folder / stems[number],
                audio,
                options,
                subtype,
                tags.of_stem(names[number]),
            )
            for number in (range(len(names)) if only is None else only)
        }
        mixture = exact_samples(source, start)
        mapper = stack.enter_context(workers(threads))
        tally = Tally(len(names))
        disk = Disk(stack.enter_context(ThreadPoolExecutor(1)))
        for first, block in stream:
            _write_block(block, mixture.take(block.shape[2]), writers, tally, mapper)
            disk.send([writer.path for writer in writers.values()], block.nbytes)
            progress(first + block.shape[2], audio.n_samples)
        mapper(Writer.close, writers.values())
    residual_db: float | None = tally.residual_db()
    if options.format in LOSSY:
        paths = [writer.path for writer in writers.values()]
        whole = len(paths) == len(names)
        n = audio.n_samples
        residual_db = null_test(recording, paths, start, n) if whole else None
    return Written(
        files={names[number]: each.path.name for number, each in writers.items()},
        rms=dict(zip(names, tally.rms(), strict=True)),
        residual_db=residual_db,
        held=tally.held,
        within=within,
    )


def null_test(
    recording: Path, paths: list[Path], start: float, n_samples: int
) -> float:
    """20 log10(rms(sum - input) / rms(input)) of written files, in dB."""
    tally = Tally(len(paths))
    with ExitStack() as stack:
        source = stack.enter_context(reading(recording))
        written = [stack.enter_context(reading(path)) for path in paths]
        mixture, parts = exact_samples(source, start), [*map(exact_samples, written)]
        rate = written[0].sr
        if rate != source.sr:  # as Opus has few rates
            mixture = Buffer(resampled(mixture.blocks, source.sr, rate))
            n_samples = -(-n_samples * rate // source.sr)
        for first in range(0, n_samples, BLOCK):
            n = min(BLOCK, n_samples - first)
            expected = mixture.take(n)
            tally.add(sum(part.take(n) for part in parts) - expected, expected)
    return tally.residual_db()


def open_writer(
    stack: ExitStack,
    stem: Path,
    audio: Sound,
    options: FileOptions,
    subtype: str,
    tags: Tags,
) -> Writer:
    """A writer of a source's file, which is abandoned when the stack ends."""
    writer = Writer(
        stem.with_name(f"{stem.name}.{options.format}"),
        audio,
        format=options.format,
        subtype=subtype,
        tags=tags,
    )
    stack.callback(writer.abandon)
    return writer


class Disk:
    """Sends files to the disk while they are written: closing them waits for it."""

    def __init__(self, thread: Executor) -> None:
        self.thread, self.waiting = thread, 0
        self.sending: Future[None] | None = None

    def send(self, paths: Sequence[Path], n_bytes: int) -> None:
        """Take note of more bytes in files; send all when there are SEND_BYTES."""
        self.waiting += n_bytes
        busy = self.sending is not None and not self.sending.done()
        if self.waiting >= SEND_BYTES and not busy:
            self.waiting = 0
            self.sending = self.thread.submit(_send, paths)


def _send(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError), path.open("rb+") as file:  # closing it will tell
            os.fsync(file.fileno())


def exact_samples(source: Source, start: float = 0.0) -> Buffer[Float64]:
    """A file's exact samples."""
    return Buffer(source.blocks(round(start * source.sr), dtype="float64"))


class Tally:
    """Sums of squares for the null test and the levels of the sources."""

    def __init__(self, n_sources: int) -> None:
        self.error = self.signal = 0.0
        self.n_values = self.held = 0
        self.squares = np.zeros(n_sources)

    def add(self, error: Float64, mixture: Float64) -> None:
        """Add a block, and the sum of its sources."""
        self.error += float(np.vdot(error, error))
        self.signal += float(np.vdot(mixture, mixture))
        self.n_values += mixture.size

    def residual_db(self) -> float:
        """The null test, in dB."""
        if self.error == 0:
            return EXACT_DB
        if self.signal == 0:
            return -EXACT_DB
        return max(EXACT_DB, 10 * math.log10(self.error / self.signal))

    def rms(self) -> list[float]:
        """Each source's root mean square."""
        return [float(x) for x in np.sqrt(self.squares / max(1, self.n_values))]


def exact_frames(
    sources: NDArray[np.float32], mixture: Float64, bits: int | None, mapper: Mapper
) -> tuple[NDArray[Any], Float64, int]:
    """The samples of a block to write, which add up to the mixture.

    Parameters
    ----------
    sources : array, shape (n_sources, n_channels, n)
        May be changed.
    mixture : array, shape (n_channels, n)
    bits : int or None
        Bits of integer samples; None: floats, which add up within float32 precision.

    Returns
    -------
    frames : array, shape (n_sources, n, n_channels)
        Integers at full scale 2^(bits - 1), or float32.
    total : array, shape (n_channels, n)
        Their sum; full scale is 1.
    held : int
        The number of samples beyond full scale.
    """
    if bits is None:
        share_rest(sources, mixture)
        total = sources.sum(axis=0, dtype=np.float64)
        return sources.transpose(0, 2, 1), total, 0
    frames, written, held = _round(sources, mixture, bits, mapper)
    return frames, written / 2.0 ** (bits - 1), held


def share_rest(sources: NDArray[np.float32], mixture: Float64) -> None:
    """Share what sources lack of the mixture among them, in place; shapes as above."""
    rest = mixture - sources.sum(axis=0, dtype=np.float64)
    sources += (rest / len(sources)).astype(np.float32)


def _write_block(
    sources: NDArray[np.float32],
    mixture: Float64,
    writers: Mapping[int, Writer],
    tally: Tally,
    mapper: Mapper,
) -> None:
    tally.squares += mapper(lambda y: float(np.vdot(y, y)), sources)
    bits = next(iter(writers.values())).bits
    frames, total, held = exact_frames(sources, mixture, bits, mapper)
    tally.held += held
    tally.add(total - mixture, mixture)
    mapper(lambda number: writers[number].write(frames[number]), list(writers))


def _round(
    sources: NDArray[np.float32], mixture: Float64, bits: int, mapper: Mapper
) -> tuple[NDArray[np.signedinteger], Float64, int]:
    """Integers that add up to the mixture, (n_sources, n, n_channels), and their sum.

    Also returns the number of samples clipped at full scale.
    """
    n_sources, n_channels, n = sources.shape
    number = np.int16 if bits == 16 else np.int32
    out = np.empty((n_sources, n, n_channels), number)
    scale = 2.0 ** (bits - 1)
    written = np.empty((n_channels, n))
    edges = np.linspace(0, n, PIECES + 1).astype(int)
    mixture = np.ascontiguousarray(mixture)

    def round_span(span: tuple[int, int]) -> int:
        return int(
            kernels.round_running_sum(sources, mixture, scale, span, out, written)
        )

    return out, written, sum(mapper(round_span, list(pairwise(edges.tolist()))))
