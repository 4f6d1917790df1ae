"""Count the subnormal numbers of a long fit, and measure what they cost.

    python benchmarks/subnormals.py

factorises the magnitudes of a three-minute song (made from ``audio_examples/``, or the
one named by ``--song``) into 16 components of Kullback-Leibler, 200 iterations, as
`specnmf.nmf` does it, and in turn with the processor left to compute with subnormal
numbers. Counted are those in W and H at the end, among the products that a next
iteration adds up (of every 16th frame), and the iterations whose arithmetic met one, in
NumPy or a kernel: the processor notes that. Timed are ten iterations at each end and,
in a second table, a single product. The cost is compared with double precision's.
x86-64 only; results are Markdown.
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
from specnmf import subnormals
from specnmf.audio.stft import Grid, magnitude

Float32 = NDArray[np.float32]

MET = 0x0002  # the flag of MXCSR that says: an operand was subnormal
FLUSH = subnormals.FLUSH
ITERATIONS = 200
TIMED = 10  # iterations, at the beginning and at the end
EVERY = 16  # frames, the products of one are counted


class Fit(NamedTuple):
    """The factors of a fit; each iteration's seconds, and whether it met any."""

    factors: specnmf.Factorization
    seconds: list[float]
    met: list[bool]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--song", type=Path, help="a recording instead")
    parser.add_argument("-k", type=int, default=16)
    parser.add_argument("--runs", type=int, default=3, help="runs of each")
    args = parser.parse_args()
    V = spectrogram(args.song)
    exact = fit(V.astype(np.float64, order="F"), args.k, 2, flushed=True).factors
    print(f"V {V.shape[0]} x {V.shape[1]}, {args.k} components\n")
    rows = []
    for threads in (1, 2):
        fits: dict[bool, list[Fit]] = {True: [], False: []}
        for _ in range(args.runs):
            for flushed, own in fits.items():
                own.append(fit(V, args.k, threads, flushed=flushed))
        for name, own in zip(("flushed", "left"), fits.values(), strict=True):
            rows.append([name, f"{threads}", *cells(V, own, threads, exact.losses[-1])])
    head = "subnormal numbers|threads|in W|in H|among products|iterations that met any"
    head += f"|first {TIMED}, ms each|last {TIMED}, ms each|cost from double's"
    print(table(head.split("|"), rows), end="\n\n")
    times = [nanoseconds(x, flushed=on) for x, on in ((1, 0), (1e-39, 0), (1e-39, 1))]
    print(table(["a product, ns", "with a subnormal", "flushed"], [times]))


def spectrogram(song: Path | None) -> Float32:
    """The magnitudes of a song."""
    with tempfile.TemporaryDirectory() as folder:
        if song is None:
            song = Path(folder) / "song.wav"
            make_song(song, 180.0)
        audio = specnmf.read(song)
    return magnitude(audio, Grid.of(audio, N_FFT, None))


def fit(V: NDArray[np.floating], k: int, threads: int, *, flushed: bool) -> Fit:
    """Factorise with and without flushing; note each iteration."""
    ends, met = [], []

    def note(iteration: int, loss: float) -> None:
        ends.append(time.perf_counter())
        met.append(bool(subnormals.exchange(0, MET) & MET))

    subnormals.FLUSH = FLUSH if flushed else 0
    subnormals.exchange(0, MET)
    options = {"max_iter": ITERATIONS, "tol": 0, "threads": threads}
    factors = specnmf.nmf(V, k, beta=1, callback=note, **options)
    subnormals.FLUSH = FLUSH
    return Fit(factors, np.diff(ends).tolist(), met[1:])


def cells(V: Float32, fits: list[Fit], threads: int, exact: float) -> list[str]:
    """What becomes of some runs alike; a flag is one thread's own."""
    factors, _, met = fits[-1]
    times = [
        1e3 * median(second for each in fits for second in each.seconds[part])
        for part in (slice(TIMED), slice(-TIMED, None))
    ]
    counts = count(factors.W), count(factors.H), count_products(V, factors)
    return [
        *(f"{n:,}" for n in counts),
        f"{sum(met)} of {len(met)}" if threads == 1 else "-",
        *(f"{each:.1f}" for each in times),
        f"{factors.losses[-1] / exact - 1:+.0e}",
    ]


def count(numbers: Float32) -> int:
    """How many are subnormal, by their bits: all of the exponent's are zero."""
    bits = np.ascontiguousarray(numbers).view(np.uint32)
    return int(np.count_nonzero((bits & 0x7F800000 == 0) & (bits & 0x007FFFFF != 0)))


def count_products(V: Float32, factors: specnmf.Factorization) -> int:
    """Of each w h, and each v / (W H) times w and times h."""
    W, found = factors.W, 0
    least = np.float32(1e-10) * V.max()
    for n in range(0, V.shape[1], EVERY):
        h = factors.H[:, n]
        ratio = V[:, n] / np.maximum(W @ h, least)
        products = W * h, ratio[:, np.newaxis] * W, np.outer(ratio, h)
        found += sum(map(count, products))
    return found


def nanoseconds(x: float, *, flushed: bool) -> str:
    """The least time in which one number is halved."""
    numbers, times = np.full(4096, x, np.float32), []
    with subnormals.flush_to_zero(on=flushed):
        for _ in range(1000):
            begun = time.perf_counter()
            np.multiply(numbers, np.float32(0.5), out=np.empty_like(numbers))
            times.append(time.perf_counter() - begun)
    return f"{1e9 * min(times) / numbers.size:.2f}"


if __name__ == "__main__":
    main()
