"""The memory of tasks that hold a recording: forecast, and refused if it is too much.

The forecasts are above the measured values, and depend on the recording and the options
only, so that a recording is treated the same on every machine.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from specnmf.audio.options import SoundOptions
from specnmf.errors import ParameterError
from specnmf.options import RUN, option
from specnmf.sizes import parse_size, spell_size

#: The program itself; the solvers, with a block of V; blocks of sources and pictures;
#: and buffers of each channel. In bytes.
PROGRAM, FITTING, WRITING, CHANNEL = 200 << 20, 100 << 20, 280 << 20, 8 << 20

#: The memory of a frame at the end: copies of its activations, with their notes; times
#: and loudnesses in bytes; and for each bin a share of a column of the pictures.
WRITTEN_H, FRAME, BIN = 6, 100, 0.02


class MemoryOptions(SoundOptions):
    """The memory limit of tasks that hold the recording."""

    memory: int = option(
        2 << 30,
        "Memory limit; longer songs are refused, with what fits.",
        least=1,
        parse=parse_size,
        metavar="SIZE",
        shown="2G",
        group=RUN,
        added=True,
    )


@dataclass(frozen=True)
class Need:
    """What a stage holds beside the recording and V, in bytes.

    Attributes
    ----------
    fixed : float
        Whatever the length.
    each : float
        For each frame.
    """

    fixed: float = 0.0
    each: float = 0.0


@dataclass(frozen=True)
class Held:
    """A recording of which the samples and V are held, and the needs of its stages.

    Attributes
    ----------
    sr, n_channels : int
        Of the recording.
    n_fft, hop_length : int
        The window of V, and the step.
    stages : sequence of Need
        Of the fit. What is written comes after it.
    n_components : int
        The rows of H.
    """

    sr: int
    n_channels: int
    n_fft: int
    hop_length: int
    stages: Sequence[Need]
    n_components: int

    def need(self, n_samples: int) -> float:
        """The bytes that a recording takes at most."""
        n_frames = 1 + n_samples // self.hop_length
        samples = 4 * self.n_channels * n_samples
        held = samples + 4 * self._n_bins * n_frames
        stages = (stage.fixed + stage.each * n_frames for stage in self._stages())
        joining = samples  # the blocks of a file and what they become
        return self._program() + max(samples + joining, held + max(stages))

    def most_samples(self, memory: int) -> int:
        """The length in samples of the longest recording that fits into memory."""
        free = memory - self._program()
        samples = 4 * self.n_channels
        held = samples + 4 * self._n_bins / self.hop_length
        lengths = [free / (2 * samples)]
        for stage in self._stages():
            per_sample = held + stage.each / self.hop_length
            one = 4 * self._n_bins + stage.each  # the last frame may be begun only
            lengths.append((free - stage.fixed - one) / per_sample)
        return max(0, int(min(lengths)))

    @property
    def _n_bins(self) -> int:
        return self.n_fft // 2 + 1

    def _program(self) -> int:
        return PROGRAM + CHANNEL * self.n_channels

    def _stages(self) -> Iterator[Need]:
        """The needs of the fit, and of what is written."""
        for stage in self.stages:
            yield Need(FITTING + stage.fixed, stage.each)
        written = 4 * WRITTEN_H * self.n_components + FRAME + BIN * self._n_bins
        yield Need(WRITING, written)


@dataclass(frozen=True)
class Limit:
    """The memory limit of a task, and what to change where it is not enough.

    Attributes
    ----------
    options : MemoryOptions
        As asked for.
    plan : callable
        ``plan(options)`` is what the recording takes with these options.
    fewer : pair of str or None
        The option that says how many components there are, and its flag; None if fewer
        would not help.
    """

    options: MemoryOptions
    plan: Callable[..., Held]
    fewer: tuple[str, str] | None = None

    def most_samples(self) -> int:
        """The length in samples of the longest recording that fits."""
        return self.plan(self.options).most_samples(self.options.memory)

    def check(self, n_samples: int) -> None:
        """Raise ParameterError if a recording needs more, with what to change."""
        plan = self.plan(self.options)
        need = plan.need(n_samples)
        if need <= self.options.memory:
            return
        changes = [f"--memory {spell_size(need)}", *self._changes(plan, n_samples)]
        raise ParameterError(
            f"{n_samples / plan.sr:.0f} s with {plan.n_components} components need "
            f"{spell_size(need)} of memory, got {spell_size(self.options.memory)}; "
            f"use {' or '.join(changes)}"
        )

    def exceeded(self, n_samples: int) -> ParameterError:
        """The error for a recording that is longer than a number of samples."""
        seconds = n_samples / self.plan(self.options).sr
        return ParameterError(
            f"only {seconds:.1f} s fit into {spell_size(self.options.memory)} of "
            "memory, and the recording is longer than its header says; use more "
            "--memory or a --duration"
        )

    def _changes(self, plan: Held, n_samples: int) -> Iterator[str]:
        """Other options with which it fits: a shorter excerpt, a hop, a number."""
        seconds = math.floor(plan.most_samples(self.options.memory) / plan.sr)
        if seconds >= 1:
            yield f"--duration {seconds}"
        for hop_length in _doubled(plan.hop_length, plan.n_fft // 2):
            if self._fits(n_samples, hop_length=hop_length):
                yield f"--hop-length {hop_length}"
                break
        if self.fewer is None:
            return
        name, flag = self.fewer
        for number in _halved(getattr(self.options, name)):
            if self._fits(n_samples, **{name: number}):
                yield f"{flag} {number}"
                break

    def _fits(self, n_samples: int, **changes: int) -> bool:
        """Whether a recording fits with other options."""
        plan = self.plan(dataclasses.replace(self.options, **changes))
        return plan.need(n_samples) <= self.options.memory


def _doubled(number: int, most: int) -> Iterator[int]:
    """Yield twice a number, four times, and so on, up to a bound."""
    while 2 * number <= most:
        number *= 2
        yield number


def _halved(number: int) -> Iterator[int]:
    """Yield half a number, a quarter, and so on, down to 1."""
    while number > 1:
        number //= 2
        yield number
