"""Count the subnormal numbers of a long fit, and measure what they cost.

    python benchmarks/subnormals.py

factorises the magnitudes of a three-minute song (made from ``audio_examples/``, or the
one named by ``--song``) into 16 components of Kullback-Leibler, 200 iterations, as
`specnmf.nmf` does it, and in turn with the processor left to compute with subnormal
numbers. Counted are those in W and H at the end, among the products from which a next
iteration would be added up, and the iterations whose arithmetic met one, in NumPy as in
the kernels: a processor notes that in a flag of its control register. Timed are ten
iterations at the beginning and at the end. A last table has what one operation costs
here; on an AMD EPYC it is hardly more, on Intel's processors up to a hundred times.
Results are Markdown on stdout. x86-64 only.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from decompose import N_FFT, make_song
from numpy.typing import NDArray
from tables import table

import specnmf
from specnmf import starts, subnormals
from specnmf.audio.stft import Grid, magnitude

Float32 = NDArray[np.float32]

#: The flag of MXCSR that says: an operand was subnormal.
MET = 0x0002

FLUSH = subnormals.FLUSH

#: Iterations that are timed, at the beginning and at the end.
TIMED = 10

#: Frames whose products are held at a time.
FRAMES = 128


class Fit(NamedTuple):
    """The factors of a fit, the seconds of each iteration, and which met a subnormal."""

    factors: specnmf.Factorization
    seconds: list[float]
    met: list[bool]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--song", type=Path, help="a recording instead")
    parser.add_argument("-k", type=int, default=16, help="number of components")
    parser.add_argument("--max-iter", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3, help="runs of each")
    args = parser.parse_args()
    V = spectrogram(args.song)
    start = starts.random(V, args.k, rng=0)
    print(f"V {V.shape[0]} x {V.shape[1]}, {args.k} components\n")
    rows = []
    for threads in (1, 2):
        fits: dict[bool, list[Fit]] = {True: [], False: []}
        for _ in range(args.runs):
            for flushed, own in fits.items():
                own.append(fit(V, start, args.max_iter, threads, flushed=flushed))
        rows += [row(V, own, threads, flushed) for flushed, own in fits.items()]
    head = "subnormal numbers|threads|in W|in H|among products|iterations that met any"
    head += f"|first {TIMED}, ms each|last {TIMED}, ms each|cost"
    print(table(head.split("|"), rows), end="\n\n")
    print(table(["operation", "normal, ns", "subnormal", "flushed"], operations()))


def spectrogram(song: Path | None) -> Float32:
    """The magnitudes of a song."""
    with tempfile.TemporaryDirectory() as folder:
        if song is None:
            song = Path(folder) / "song.wav"
            make_song(song, 180.0)
        audio = specnmf.read(song)
    return magnitude(audio, Grid.of(audio, N_FFT, None))


def fit(
    V: Float32,
    start: specnmf.Factorization,
    max_iter: int,
    threads: int,
    *,
    flushed: bool,
) -> Fit:
    """Factorise with and without flushing; note each iteration."""
    ends, met = [], []

    def note(iteration: int, loss: float) -> None:
        ends.append(time.perf_counter())
        met.append(bool(subnormals.exchange(0, MET) & MET))

    subnormals.FLUSH = FLUSH if flushed else 0
    subnormals.exchange(0, MET)
    factors = specnmf.nmf(
        V, start, beta=1, max_iter=max_iter, tol=0, threads=threads, callback=note
    )
    subnormals.FLUSH = FLUSH
    return Fit(factors, np.diff(ends).tolist(), met[1:])


def row(V: Float32, fits: list[Fit], threads: int, flushed: bool) -> list[str]:
    """What becomes of some runs alike; a flag is one thread's own."""
    factors, _, met = fits[-1]
    times = [
        1e3 * median(second for each in fits for second in each.seconds[part])
        for part in (slice(TIMED), slice(-TIMED, None))
    ]
    counts = count(factors.W), count(factors.H), count_products(V, factors)
    return [
        "flushed" if flushed else "left",
        f"{threads}",
        *(f"{n:,}" for n in counts),
        f"{sum(met)} of {len(met)}" if threads == 1 else "-",
        *(f"{each:.1f}" for each in times),
        f"{factors.losses[-1]:.9g}",
    ]


def count(numbers: Float32) -> int:
    """How many are subnormal, by their bits: all of the exponent's are zero."""
    bits = np.ascontiguousarray(numbers).view(np.uint32)
    return int(np.count_nonzero((bits & 0x7F800000 == 0) & (bits & 0x007FFFFF != 0)))


def count_products(V: Float32, factors: specnmf.Factorization) -> int:
    """Of each w h, and each v / (W H) times w and times h."""
    W, found = factors.W[:, :, np.newaxis], 0
    least = np.float32(1e-10) * V.max()
    for first in range(0, V.shape[1], FRAMES):
        H = factors.H[np.newaxis, :, first : first + FRAMES]
        ratio = V[:, first : first + FRAMES] / np.maximum(factors.W @ H[0], least)
        found += count(W * H)
        found += count(ratio[:, np.newaxis] * W) + count(ratio[:, np.newaxis] * H)
    return found


def operations() -> list[list[str]]:
    """Nanoseconds of an operation on normal and on subnormal numbers."""
    rows = []
    for name, operation in (("x * 0.5", np.multiply), ("x + 0.5", np.add)):
        normal, tiny = (np.full(4096, x, np.float32) for x in (0.75, 1e-39))
        cells = [nanoseconds(operation, normal), nanoseconds(operation, tiny)]
        with subnormals.flush_to_zero():
            cells.append(nanoseconds(operation, tiny))
        rows.append([name, *(f"{cell:.2f}" for cell in cells)])
    return rows


def nanoseconds(operation: np.ufunc, x: Float32) -> float:
    """The least of many times, a number."""
    out, times = np.empty_like(x), []
    for _ in range(1000):
        begun = time.perf_counter()
        operation(x, np.float32(0.5), out=out)
        times.append(time.perf_counter() - begun)
    return 1e9 * min(times) / x.size


if __name__ == "__main__":
    main()
