"""The memory of a decomposition: of the whole recording, or in blocks from disk.

The estimates are above the measured values, and depend on the recording and the options
only, so that a recording is treated the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from specnmf.audio.options import window
from specnmf.errors import ParameterError
from specnmf.methods.components.options import ComponentOptions
from specnmf.sizes import spell_size

#: The program itself; blocks of V; blocks of sources and pictures; and buffers of each
#: channel. In bytes.
PROGRAM, LEARNING, WRITING, CHANNEL = 200 << 20, 100 << 20, 280 << 20, 8 << 20

#: Copies of V and H in a solver, including its data.
SOLVER_V, SOLVER_H = 1.6, 6

#: Copies of V beside it where only a part is factorised.
PART_V = 1.0

#: The memory of a frame at the end: copies of its activations, times and loudnesses for
#: the notes in bytes, and for each bin a share of a column of the pictures.
WRITTEN_H, FRAME, BIN = 3, 100, 0.02

#: Copies of V for each part of a split, its mask; and for one part at a time, its V.
SPLIT_V, SPLIT_PART = 1, 1

#: Frames of the sample, in total and for each component. Templates of a sample raise
#: the cost of all frames by up to twice components / frames: fewer frames leave too
#: much to the passes, more frames gain nothing.
LEAST_SAMPLE, MOST_SAMPLE = 4096, 65_536
LEAST_EACH, MOST_EACH = 256, 512


@dataclass(frozen=True)
class Budget:
    """The memory limit of a decomposition, and the needs of its stages."""

    options: ComponentOptions
    n_components: int
    sr: int
    n_channels: int

    def most_samples(self) -> int:
        """The length in samples of the longest recording that fits into memory."""
        return min(self._fitting(aside, each) for aside, each in self._held())

    def need(self, n_samples: int) -> float:
        """The bytes that a recording takes in memory."""
        return self._program() + max(
            aside + each * n_samples for aside, each in self._held()
        )

    def _held(self) -> tuple[tuple[float, float], ...]:
        """The bytes of each stage of a recording in memory, and of each sample."""
        n_bins, hop_length = self._window()
        samples = 4 * self.n_channels
        parts = self.options.parts
        split = 4 * n_bins * (SPLIT_V * len(parts) + SPLIT_PART) if parts else 0
        writing = (4 * n_bins + split + self._written()) / hop_length
        learning = split + self._learned()
        return (
            (0, 2 * samples),  # while blocks are joined
            (LEARNING, samples + learning / hop_length),
            (WRITING, samples + writing),
        )

    def sample_size(self, n_samples: int) -> int:
        """The number of frames to learn from, for a recording on disk.

        Raises
        ------
        ParameterError
            If the memory does not suffice for the minimum.
        """
        _, hop_length = self._window()
        n_frames = 1 + n_samples // hop_length
        fewest = max(LEAST_SAMPLE, LEAST_EACH * self.n_components)
        least = self._program() + max(
            LEARNING + fewest * self._learned(),
            WRITING + n_frames * self._written(),
        )
        memory = self.options.memory
        if memory < least:
            raise ParameterError(
                f"{self.n_components} components of {n_samples / self.sr:.0f} s need "
                f"{spell_size(least)} of memory, got {spell_size(memory)}; "
                f"use --memory {spell_size(least)}"
            )
        most = max(MOST_SAMPLE, MOST_EACH * self.n_components)
        return min(most, self._fitting(LEARNING, self._learned()))

    def _fitting(self, aside: float, each: float) -> int:
        """The number of items of a size that fit beside the other needs."""
        free = self.options.memory - self._program() - aside
        return max(0, int(free / each))

    def _program(self) -> int:
        return PROGRAM + CHANNEL * self.n_channels

    def _learned(self) -> float:
        """The memory of each frame of the sample."""
        n_bins, _ = self._window()
        copies = SOLVER_V + (PART_V if self.options.is_partial else 0)
        return 4 * (copies * n_bins + SOLVER_H * self.n_components)

    def _written(self) -> float:
        """The memory of each frame of a recording on disk."""
        n_bins, _ = self._window()
        return 4 * WRITTEN_H * self.n_components + FRAME + BIN * n_bins

    def _window(self) -> tuple[int, int]:
        """The number of bins and the hop."""
        options = self.options
        n_fft, hop_length = window(self.sr, options.n_fft, options.hop_length)
        return n_fft // 2 + 1, hop_length
