"""Spectrograms to measure solvers on, our work on them, and how good the result is."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from decompose import make_song
from numpy.typing import NDArray
from scipy.special import kl_div
from solver_plan import Plan, Size, size_name

import specnmf
from specnmf.audio.stft import Grid, magnitude
from specnmf.factor.options import BETAS

Float32 = NDArray[np.float32]

#: Itakura-Saito cannot do with zeros, and scikit-learn refuses them: every V is
#: floored at this part of its maximum, 120 dB below, for us and for peers.
IS_FLOOR = 1e-6

#: The least value of a model in the objective, as a part of the maximum of V.
MODEL_FLOOR = 1e-10

#: An objective counts as reached within so much of itself: nearer, single precision
#: tells no difference.
NEAR = 1e-6

#: Frames whose objective is computed at a time.
FRAMES = 1024


class Case(NamedTuple):
    """A spectrogram, where to start, and the divergence by its name."""

    V: Float32
    start: specnmf.Factorization
    beta: str


def spectrograms(plan: Plan, sizes: tuple[Size, ...]) -> Iterator[tuple[Size, Float32]]:
    """Yield the song's magnitudes at each size, frames contiguous; say how on stdout.

    Frames are a quarter of the window apart, or less where the song is too short to
    have so many: then they cover all of it.
    """
    audio = song(plan)
    for size in sizes:
        n_bins, n_frames = size
        n_fft = 2 * (n_bins - 1)
        hop_length = min(n_fft // 4, audio.n_samples // n_frames)
        if hop_length == 0:
            raise SystemExit(
                f"{audio.n_samples} samples make no {n_frames} frames: give --song "
                "another, or several, which are joined"
            )
        used = audio.samples[:, : n_frames * hop_length]
        grid = Grid(audio.sr, used.shape[1], n_fft, hop_length)
        V = magnitude(specnmf.Audio(used, audio.sr), grid)[:, :n_frames]
        print(
            f"V, {size_name(size)} float32: {used.shape[1] / audio.sr:.0f} s of "
            f"{plan.song}, window {n_fft}, step {hop_length}.\n",
            flush=True,
        )
        yield size, V


def song(plan: Plan) -> specnmf.Audio:
    """Return the songs one after another, their channels averaged, or one made."""
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        paths = plan.songs or [Path(folder) / "song.wav"]
        if not plan.songs:
            make_song(paths[0], plan.seconds)
        audios = [specnmf.read(path) for path in paths]
    rates = sorted({audio.sr for audio in audios})
    if len(rates) > 1:
        raise SystemExit(f"songs to join need one sample rate, got {rates}")
    samples = np.concatenate([audio.samples.mean(axis=0) for audio in audios])
    return specnmf.Audio(samples[np.newaxis], rates[0])


def case(V: Float32, beta: str, rank: int) -> Case:
    """Return a spectrogram with a random start, without zeros where they are barred."""
    if BETAS[beta] == 0:
        V = np.maximum(V, V.dtype.type(IS_FLOOR) * V.max())
    return Case(V, specnmf.starts.random(V, rank, rng=0), beta)


def objective(case: Case, W: NDArray[np.floating], H: NDArray[np.floating]) -> float:
    """Return the divergence of V from WH in double precision, apart from the solvers'.

    The model is floored far below anything heard, for all alike: a zero under a
    point that sounds would cost infinitely much.
    """
    least, total = MODEL_FLOOR * float(case.V.max()), 0.0
    for first in range(0, case.V.shape[1], FRAMES):
        block = slice(first, first + FRAMES)
        V = case.V[:, block].astype(np.float64)
        P = np.maximum(W.astype(np.float64) @ H[:, block].astype(np.float64), least)
        total += float(divergence(V, P, case.beta).sum())
    return total


def divergence(V, P, beta):
    """Return the divergence of each entry."""
    if beta == "euclidean":
        return 0.5 * (V - P) ** 2
    if beta == "kl":
        return kl_div(V, P)
    return V / P - np.log(V / P) - 1


# --- our work ---------------------------------------------------------------------


class Timed(NamedTuple):
    """What a factorisation took, and its factors."""

    seconds: float
    W: NDArray[np.floating]
    H: NDArray[np.floating]


def ours(case: Case, iterations: int, threads: int, solver: str = "auto") -> Timed:
    """Run so many iterations of specnmf, as a user calls it."""
    begin = time.perf_counter()
    found = factorise(case, iterations, threads, solver=solver)
    return Timed(time.perf_counter() - begin, found.W, found.H)


def factorise(
    case: Case, iterations: int, threads: int, **options: Any
) -> specnmf.Factorization:
    """Run all the iterations; ``options`` are those of `specnmf.nmf`."""
    return specnmf.nmf(
        case.V,
        case.start,
        beta=case.beta,
        max_iter=iterations,
        tol=0,
        threads=threads,
        **options,
    )


def seconds_an_iteration(case: Case, iterations: int, threads: int) -> float:
    """Return the mean time of our iterations after the first."""
    times: list[float] = []

    def look_at_the_clock(iteration: int, loss: float) -> None:
        times.append(time.perf_counter())

    factorise(case, iterations, threads, callback=look_at_the_clock)
    return fmean(np.diff(times))


class ReachedError(Exception):
    """Raised by the callback to end a run whose loss is low enough."""


def iterations_to(target: float, case: Case, most: int, threads: int) -> int | None:
    """Return the fewest of our iterations whose objective is near the target or below.

    The solver's own losses tell where to look; the objective of the factors after
    that many iterations decides. None: not within ``most``.
    """
    target *= 1 + NEAR
    found = first_loss_below(target, case, most, threads)
    while found is not None and found <= most:
        run = ours(case, found, threads)
        if objective(case, run.W, run.H) <= target:
            return found
        found += 1
    return None


def first_loss_below(target: float, case: Case, most: int, threads: int) -> int | None:
    """Return the first iteration whose loss is at most the target."""

    def watch(iteration: int, loss: float) -> None:
        if loss <= target:
            raise ReachedError(iteration)

    try:
        factorise(case, most, threads, callback=watch)
    except ReachedError as reached:
        return int(reached.args[0])
    return None


def warm_up(beta: str, threads: int) -> None:
    """Load or compile what a factorisation needs, on a little noise."""
    V = np.asfortranarray(np.random.default_rng(0).random((64, 96), np.float32))
    for solver in ("auto", "mu"):
        ours(case(V, beta, 4), 8, threads, solver)


def progress(text: str) -> None:
    """Say on stderr what is being measured."""
    print(text, file=sys.stderr, flush=True)
