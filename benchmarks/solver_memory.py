"""How much memory does a factorisation take besides V? Measured in fresh processes.

    python benchmarks/solver_memory.py V.npy BETA COMPONENTS ITERATIONS THREADS

is one of them. Numpy is not imported here but there: what a process holds when it
starts another counts in the other's peak.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from functools import partial
from itertools import product
from pathlib import Path

from separation_speed import apart
from solver_plan import Plan, Results, size_name
from tables import table

MB = 1e6

#: The target: V and all besides, as a multiple of V.
MOST = 1.6

HEAD = ("divergence", "components", "peak - V, MB", "of it arrays, MB")
HEAD = (*HEAD, "peak / V")


def main(plan: Plan, results: Results) -> None:
    print("### Memory\n", flush=True)
    size = plan.sizes[-1]
    V_MB = 4 * size[0] * size[1] / MB
    rows, largest = [], 0.0
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        path = Path(folder) / "V.npy"
        apart(save_spectrogram, plan, path)
        for beta, rank in product(plan.betas, plan.memory_ranks):
            key = f"memory, {plan.song}, {size_name(size)}, {beta}, {rank}"
            run = partial(measure, path, beta, rank, plan)
            resident, arrays = results.of(key, run)
            total = 1 + resident / V_MB
            largest = max(largest, total)
            megabytes = [f"{resident:.0f}", f"{arrays:.0f}"]
            rows.append([beta, str(rank), *megabytes, f"{total:.2f}"])
    print(table(HEAD, rows), end="\n\n")
    held = "holds" if largest <= MOST else "does not hold"
    print(f"V is {V_MB:.0f} MB; the target, a peak of {MOST} V in all, {held}.\n")


def save_spectrogram(plan: Plan, path: Path) -> None:
    """Write the largest spectrogram to a file, floored so that it serves all."""
    import numpy as np
    from solver_cases import case, spectrograms

    for _, V in spectrograms(plan, plan.sizes[-1:]):
        np.save(path, case(V, "is", 1).V)


def measure(path: Path, beta: str, rank: int, plan: Plan) -> list[float]:
    """Return what a process of its own needed besides V, in MB: in all, and arrays."""
    numbers = [str(rank), str(plan.iterations), str(plan.threads)]
    command = [sys.executable, str(Path(__file__)), str(path), beta, *numbers]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def factorise_once() -> None:
    """Load V, factorise it, print how much higher the peak is than before."""
    import tracemalloc

    import numpy as np
    from solver_cases import Case, ours, warm_up

    import specnmf

    path, beta = sys.argv[1:3]
    rank, iterations, threads = map(int, sys.argv[3:])
    warm_up(beta, threads)
    V = np.load(path)
    case = Case(V, specnmf.starts.random(V, rank, rng=0), beta)
    before = peak_megabytes()
    tracemalloc.start()
    ours(case, iterations, threads)
    arrays = tracemalloc.get_traced_memory()[1] / MB
    print(json.dumps([peak_megabytes() - before, arrays]))


def peak_megabytes() -> float:
    """Return the most resident memory that this process has had."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


if __name__ == "__main__":
    factorise_once()
