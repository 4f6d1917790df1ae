"""Measure exact non-negative least squares beside solvers of one column at a time.

    python benchmarks/nnls.py

The templates are an NMF's of the recording that ``--song`` names, else of a clip in
``audio_examples/``; the columns are its magnitudes in double precision. Every solver
has one thread. The peers are SciPy's, and fnnlsEigen's in C++, which keeps what columns
share, where ``pip install fnnlsEigen`` has been done; they solve every tenth column,
and their times are ten times that. Prints medians as Markdown. The last columns are
for a start at the solution, and how far any peer's solution is from ours, relative to
the largest entry.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
from decompose import machine
from numpy.typing import NDArray
from scipy.optimize import nnls as scipy_nnls
from tables import table

import specnmf
from specnmf.factor.nnls import nnls
from specnmf.parallel import workers

Doubles = NDArray[np.float64]
Solver = Callable[[Doubles, Doubles], Doubles]

SONG = Path(__file__).parents[1] / "audio_examples" / "chorale" / "chorale.flac"

#: The peers solve every so manieth column.
STEP = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--song", type=Path, default=SONG, help="a recording")
    parser.add_argument("--columns", type=int, default=5000)
    parser.add_argument("--ranks", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    V = magnitudes(args.song, args.columns)
    with workers(1):  # who keeps the BLAS to one thread, the peers' too
        rows = [[str(rank), *measure(V, rank, args.runs)] for rank in args.ranks]
    print(machine(1), f"V: {V.shape[0]} x {V.shape[1]}, {args.runs} runs.", end="\n\n")
    peers = [f"{name}, ms" for name in PEERS]
    print(table(["components", *peers, "nnls, ms", "warm, ms", "difference"], rows))


def magnitudes(song: Path, n_columns: int) -> NDArray[np.float32]:
    """Return the recording's magnitudes in frames as far apart as make so many."""
    audio = specnmf.read(song)
    hop_length = max(1, min(512, audio.n_samples // n_columns))
    V = specnmf.stft(audio, n_fft=2048, hop_length=hop_length).magnitude()
    return np.asfortranarray(V[:, :n_columns])


def measure(V: NDArray[np.float32], rank: int, runs: int) -> list[str]:
    """Return the cells of one row, the solvers taken in turn."""
    print(f"{rank} components", file=sys.stderr)
    A = specnmf.nmf(V, rank, beta=2, max_iter=50, threads=1).W.astype(np.float64)
    B, some = V.astype(np.float64), V[:, ::STEP].astype(np.float64, order="F")
    X = nnls(A, B, threads=1)
    times: dict[str, list[float]] = {name: [] for name in (*PEERS, "cold", "warm")}
    worst = 0.0
    for _ in range(runs):
        for name, solver in PEERS.items():
            took, found = timed(partial(solver, A, some))
            times[name].append(took * B.shape[1] / some.shape[1])
            worst = max(worst, np.abs(found - X[:, ::STEP]).max() / X.max())
        times["cold"].append(timed(partial(nnls, A, B, threads=1))[0])
        times["warm"].append(timed(partial(nnls, A, B, start=X, threads=1))[0])
    return [*(f"{1e3 * median(own):.0f}" for own in times.values()), f"{worst:.0e}"]


def timed(call: Callable[[], Doubles]) -> tuple[float, Doubles]:
    """Return seconds and result."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def by_scipy(A: Doubles, B: Doubles) -> Doubles:
    return np.stack([scipy_nnls(A, b)[0] for b in B.T], axis=1)


def by_fnnls_eigen(A: Doubles, B: Doubles) -> Doubles:
    from fnnlsEigen import CachePreComputeNNLS

    solver = CachePreComputeNNLS()
    return np.stack([solver.fnnls(A, b) for b in B.T], axis=1)


PEERS: dict[str, Solver] = {"scipy": by_scipy}
if find_spec("fnnlsEigen"):
    PEERS["fnnlsEigen"] = by_fnnls_eigen


if __name__ == "__main__":
    main()
