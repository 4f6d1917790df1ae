"""The input of a decomposition: a recording in memory, or one on disk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks, reading, stft, streaming
from specnmf.audio.hpss import PartMasks, part_masks
from specnmf.audio.masks import SpectraOf
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid
from specnmf.audio.streaming import Recording, RollingMagnitudes, RollingSpectra
from specnmf.errors import ParameterError
from specnmf.factor import passes
from specnmf.factor.factorization import Factorization
from specnmf.methods import low_notes
from specnmf.methods.components.budget import Budget
from specnmf.methods.components.options import ComponentOptions
from specnmf.methods.components.scope import Scope
from specnmf.methods.progress import Stages
from specnmf.sizes import spell_size

#: Number of starts from which a sample is learned, or components that are grouped; the
#: best one is used. A sample may lead to another minimum than the whole recording, and
#: a component that holds parts of two callers fits no group: the best of a few is
#: rarely bad.
STARTS = 4


def open_material(
    path: Path,
    options: ComponentOptions,
    n_components: int,
    progress: Callable[[int, int], None],
) -> Material:
    """Read a recording if ``options.memory`` suffices, else only scan it.

    ``progress`` is called with the samples read and to be read.

    Raises
    ------
    AudioError
        As `specnmf.read`.
    ParameterError
        If the memory does not suffice for a decomposition from disk either.
    """
    start, duration = options.start, options.duration
    with reading.reading(path) as source:
        budget = Budget(options, n_components, source.sr, source.n_channels)
        expected = source.expected(start, duration)
    most = budget.most_samples()
    audio = reading.read_up_to(most, path, start=start, duration=duration)
    if audio is not None:
        return InMemory(audio, options)
    _check_split(options, budget, expected)
    budget.sample_size(int(expected))  # raises an error before the recording is read
    recording = streaming.survey(
        path,
        start=start,
        duration=duration,
        progress=lambda done: progress(done, max(done, int(expected))),
    )
    return OnDisk(recording, options, budget.sample_size(recording.n_samples))


def _check_split(options: ComponentOptions, budget: Budget, expected: float) -> None:
    """Raise ParameterError if a split is asked for, which needs the whole recording."""
    if options.split == "none":
        return
    seconds = math.floor(budget.most_samples() / budget.sr)
    need = budget.need(int(expected)) if math.isfinite(expected) else 0
    more = spell_size(need) if need > options.memory else "SIZE of more"
    shorter = f", --duration {seconds}" if seconds else ""
    raise ParameterError(
        f"split {options.split} needs the whole recording in memory, and "
        f"{spell_size(options.memory)} hold {seconds} s; use --memory {more}{shorter} "
        "or --split none"
    )


class InMemory:
    """A recording in memory, with its V."""

    streamed = False

    def __init__(self, audio: Audio, options: ComponentOptions) -> None:
        self.sound, self.options = audio, options
        self.n_starts = STARTS if options.n_groups else 1
        self.grid = Grid.of(audio, options.n_fft, options.hop_length)

    def transform(self, stages: Stages) -> Float32:
        """V, (n_bins, n_frames)."""
        with stages.stage("transform"):
            threads = self.options.threads
            self.V = stft.magnitude(self.sound, self.grid, threads=threads)
        return self.V

    @cached_property
    def parts(self) -> PartMasks:
        """The masks of the parts of a split."""
        margin, threads = self.options.split_margin, self.options.threads
        V: Float32 | None = getattr(self, "V", None)
        if V is None:  # the components are those of a stored model
            V = stft.magnitude(self.sound, self.grid, threads=threads)
        return part_masks(V, self.grid, margin=margin, threads=threads)

    def refine(
        self,
        learned: Factorization,
        fixed: NDArray[np.bool_],
        scope: Scope,
        stages: Stages,
    ) -> Factorization:
        """The same factors, as they are those of V."""
        return learned

    def spectra(self, n_sources: int) -> AbstractContextManager[SpectraOf]:
        """The transform, computed again for the requested frames."""
        return nullcontext(masks.spectra_of(self.sound, self.grid))

    def pitches(self, factors: Factorization) -> NDArray[np.float64]:
        """The pitch of each component; as `specnmf.methods.low_notes.pitches_by`."""
        threads = self.options.threads
        return low_notes.pitches_in(self.sound, self.grid, factors, threads=threads)

    def magnitudes(self) -> AbstractContextManager[Float32]:
        """V."""
        return nullcontext(self.V)


class OnDisk:
    """A recording on disk, which is read again for each request.

    Only the frames of a sample, to learn from, are in memory.
    """

    streamed = True
    n_starts = STARTS

    @property
    def parts(self) -> PartMasks:
        """None: a recording on disk is not split."""
        raise NotImplementedError

    def __init__(
        self, recording: Recording, options: ComponentOptions, sample_size: int
    ) -> None:
        self.sound, self.options = recording, options
        self.grid = Grid.of(recording, options.n_fft, options.hop_length)
        self.sample = passes.sample(self.grid.n_frames, sample_size, rng=options.seed)

    def transform(self, stages: Stages) -> Float32:
        """V of the sample, (n_bins, n_sampled), drawn from all frames."""
        frames = self.sample.frames
        VT = np.empty((len(frames), self.grid.n_bins), np.float32)
        first, self.peaks = 0, np.zeros((self.grid.n_bins, 1), np.float32)
        with stages.stage("transform", self.grid.n_frames) as step:
            for block in self._blocks():
                stop = first + len(block)
                own = slice(*np.searchsorted(frames, (first, stop)))
                VT[own] = block[frames[own] - first]
                np.maximum(self.peaks, block.max(axis=0)[:, None], out=self.peaks)
                first = stop
                step(stop)
        return VT.T

    def refine(
        self,
        learned: Factorization,
        fixed: NDArray[np.bool_],
        scope: Scope,
        stages: Stages,
    ) -> Factorization:
        """The factors of all frames, from those of the sample."""
        n_frames = self.grid.n_frames
        n_passes = 1 if fixed.all() else passes.MOST_PASSES
        with stages.stage("refine", n_passes * n_frames) as step:
            return passes.refine(
                lambda: (scope.seen(block.T).T for block in self._blocks()),
                learned,
                self.sample.counts,
                self.options,
                peak=float(scope.seen(self.peaks).max()),
                fixed=fixed,
                callback=lambda number, done: step(
                    number * n_frames + done, note=f"pass {number + 1}"
                ),
            )

    @contextmanager
    def spectra(self, n_sources: int) -> Iterator[SpectraOf]:
        """The transform, for frames requested approximately in order."""
        length = masks.piece_length(self.grid, n_sources, self.sound.n_channels)
        keep = masks.PIECES * length
        with closing(RollingSpectra(self.sound, self.grid, keep=keep)) as spectra_of:
            yield spectra_of

    def pitches(self, factors: Factorization) -> NDArray[np.float64]:
        """The pitch of each component; as `specnmf.methods.low_notes.pitches_by`."""
        with closing(RollingMagnitudes(self.sound, low_notes.longer(self.grid))) as V:
            return low_notes.pitches_by(V, factors, self.grid, threads=1)

    def magnitudes(self) -> AbstractContextManager[RollingMagnitudes]:
        """V, for frames requested in order."""
        return closing(RollingMagnitudes(self.sound, self.grid))

    def _blocks(self) -> Iterator[Float32]:
        threads = self.options.threads
        return streaming.magnitudes(self.sound, self.grid, threads=threads)


#: A recording, ready to be decomposed.
Material = InMemory | OnDisk
