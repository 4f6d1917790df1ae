"""What does a step of neural NMF cost at a song's size? Measured in fresh processes.

    python benchmarks/layers_size.py CASE.npz THREADS

is one of them: CASE holds X and the templates A0, A1, ... It prints the seconds of a
first and of later evaluations, and how much memory arrays besides X and the templates
take in one of them at most, as tracemalloc counts it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from nnls import SONG, magnitudes
from tables import table

RANKS = (32, 8, 3)

#: The targets: seconds of a warm evaluation, and memory besides X relative to X.
SECONDS, TIMES = 0.5, 3.0

#: Each later evaluation is of templates that differ from the last by this share, as
#: those of a descent do.
STEP = 1e-3

LOSS = "reconstruction"

HEAD = ("threads", "first, s", "warm, s", "arrays besides X, MB", "relative to X")


def main(n_columns: int, runs: int) -> None:
    """Print what an evaluation costs, on one thread and on two."""
    print("### A song's size\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        path = Path(folder) / "case.npz"
        X = save_case(path, n_columns)
        outcomes = {threads: measure(path, threads, runs) for threads in (1, 2)}
    rows = []
    for threads, (first, warm, megabytes) in outcomes.items():
        times = [f"{first:.2f}", f"{warm:.3f}"]
        share = f"{megabytes * 1e6 / X.nbytes:.2f}"
        rows.append([str(threads), *times, f"{megabytes:.0f}", share])
    print(table(HEAD, rows), end="\n\n")
    _, warm, megabytes = outcomes[1]
    held = "hold" if warm < SECONDS and megabytes * 1e6 < TIMES * X.nbytes else "fail"
    size = f"X is {X.shape[0]} x {X.shape[1]}, {X.nbytes / 1e6:.1f} MB, ranks {RANKS}"
    print(f"{size}. The targets, {SECONDS} s warm and {TIMES:g} X, {held}.\n")


def save_case(path: Path, n_columns: int) -> np.ndarray:
    """Save a recording's magnitudes and what layers one after the other make of it."""
    from specnmf.factor.layers.hierarchical import hierarchical_nmf

    X = magnitudes(SONG, n_columns)
    found = hierarchical_nmf(X, RANKS, max_iter=20, rng=0)
    np.savez(path, X=X, **{f"A{n}": A for n, A in enumerate(found.A)})
    return X


def measure(path: Path, threads: int, runs: int) -> tuple[float, float, float]:
    """Return what a process of its own says: seconds first and warm, and MB."""
    command = [sys.executable, __file__, str(path), str(threads), str(runs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    first, warm, megabytes = json.loads(done.stdout)
    return first, warm, megabytes


def evaluate_often() -> None:
    """Evaluate the cost and its derivative; print what that took."""
    import tracemalloc
    from functools import partial

    from specnmf.factor.layers.objective import Objective
    from specnmf.parallel import workers

    threads, runs = map(int, sys.argv[2:])
    with np.load(sys.argv[1]) as case:
        X = case["X"]
        A = [case[f"A{n}"].astype(np.float64) for n in range(len(RANKS))]
    rng = np.random.default_rng(0)
    with workers(threads) as mapper:
        make = partial(Objective, supervision=None, loss=LOSS, mapper=mapper)
        small = [A[0][:40], *A[1:]]
        make(X[:40, :64])(small, None)  # what is compiled is loaded
        times, objective = [], make(X)
        for _ in range(1 + runs):
            begin = perf_counter()
            objective(A, None)
            times.append(perf_counter() - begin)
            A = [a * rng.uniform(1 - STEP, 1 + STEP, a.shape) for a in A]
        tracemalloc.start()
        make(X)(A, None)
        arrays = tracemalloc.get_traced_memory()[1] / 1e6
    print(json.dumps([times[0], median(times[1:]), arrays]))


if __name__ == "__main__":
    evaluate_often()
