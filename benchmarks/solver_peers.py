"""How long do other programs take? For the same work, and we to their objective."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from solver_cases import (
    Case,
    Float32,
    Timed,
    case,
    iterations_to,
    objective,
    ours,
    progress,
    spectrograms,
    warm_up,
)
from solver_plan import Plan, Results, brief, size_name, spread
from tables import table

from specnmf.factor.options import BETAS, Solver

TORCH = Path(__file__).resolve().parent / "solver_torch.py"

#: A peer's objective that is not reached in so many times its iterations is given up.
PATIENCE = 4

HEAD = ("peer", "divergence", "components", "its time, s")
HEAD = (*HEAD, "our solver, as many iterations", "our time, s", "ratio")
HEAD = (*HEAD, "our iterations to its objective", "our time to it, s", "ratio")


class Peer(NamedTuple):
    """Another program: how to run it, for what, and our solver that is its twin."""

    run: Callable[[Case, int, Plan], Timed]
    betas: tuple[str, ...]
    twin: Solver


class Match(NamedTuple):
    """Seconds of each run: the peer's, our twin's, ours to the peer's objective."""

    theirs: list[float]
    twin: list[float]
    ours: list[float]
    iterations: int | None


def main(plan: Plan, results: Results) -> None:
    print("### The same work\n")
    peers = installed(plan)
    rows = []
    for size, V in spectrograms(plan, plan.sizes[:1]):
        for (name, peer), beta, rank in product(peers.items(), plan.betas, plan.ranks):
            if beta not in peer.betas:
                continue
            what = f"{name}, {beta}, {rank}, {plan.iterations} iterations"
            key = f"peers, {plan.song}, {size_name(size)}, {what}"
            progress(key)
            run = partial(match, V, beta, rank, peer, plan)
            outcome = Match(*results.of(key, run))
            rows.append([name, beta, str(rank), *cells(peer, outcome, plan)])
    print(f"{plan.iterations} iterations of each peer.\n")
    print(table(HEAD, rows), end="\n\n", flush=True)


def match(V: Float32, beta: str, rank: int, peer: Peer, plan: Plan) -> Match:
    """Time a peer, its twin and our way to its objective in turn."""
    warm_up(beta, plan.threads)
    own, turns = case(V, beta, rank), plan.iterations
    first = peer.run(own, turns, plan)
    level = objective(own, first.W, first.H)
    iterations = iterations_to(level, own, PATIENCE * turns, plan.threads)
    outcome = Match([first.seconds], [], [], iterations)
    for run in range(plan.runs):
        if 0 < run < (plan.peer_runs or plan.runs):
            outcome.theirs.append(peer.run(own, turns, plan).seconds)
        outcome.twin.append(ours(own, turns, plan.threads, peer.twin).seconds)
        if iterations is not None:
            outcome.ours.append(ours(own, iterations, plan.threads).seconds)
    return outcome


def cells(peer: Peer, outcome: Match, plan: Plan) -> list[str]:
    """Return what was measured as text."""
    theirs = median(outcome.theirs)
    same = [peer.twin, spread(outcome.twin), brief(theirs / median(outcome.twin))]
    if outcome.iterations is None:
        reached = [f"more than {PATIENCE * plan.iterations}", "-", "-"]
    else:
        ratio = brief(theirs / median(outcome.ours))
        reached = [str(outcome.iterations), spread(outcome.ours), ratio]
    return [spread(outcome.theirs), *same, *reached]


# --- the peers --------------------------------------------------------------------


def installed(plan: Plan) -> dict[str, Peer]:
    """Return the peers that can be run; say on stdout which cannot, and why."""
    peers = {
        "libfmp": Peer(libfmp, ("euclidean",), "mu"),
        "librosa": Peer(librosa, ("euclidean",), "hals"),
        "torchnmf": Peer(torchnmf, tuple(BETAS), "mu"),
    }
    if find_spec("libfmp") is None:
        print("libfmp is not installed and left out.\n")
        del peers["libfmp"]
    python = [str(plan.torch_python or sys.executable)]
    found = subprocess.run([*python, "-c", "import torchnmf"], capture_output=True)
    if found.returncode != 0:
        print(f"{python[0]} has no torchnmf, which is left out: see --torch-python.\n")
        del peers["torchnmf"]
    return peers


def libfmp(case: Case, iterations: int, plan: Plan) -> Timed:
    """Run libfmp's NMF, already compiled, in double precision: it takes no other."""
    from libfmp.c8 import nmf

    parts = case.V, case.start.W, case.start.H
    V, W, H = (np.ascontiguousarray(part, np.float64) for part in parts)
    little = V[:8, :8].copy(), W[:8].copy(), H[:, :8].copy()
    compiled = partial(nmf, R=W.shape[1], thresh=0.0)
    compiled(little[0], L=1, W=little[1], H=little[2])
    begin = perf_counter()
    W, H, *_ = compiled(V, L=iterations, W=W, H=H)
    return Timed(perf_counter() - begin, W, H)


def librosa(case: Case, iterations: int, plan: Plan) -> Timed:
    """Run librosa with its own transformer, which cannot be told where to start."""
    from librosa.decompose import decompose

    alike = partial(decompose, init="random", random_state=0, tol=0)
    alike(case.V[:, :64], n_components=2, max_iter=2)
    rank = case.start.n_components
    begin = perf_counter()
    W, H = alike(case.V, n_components=rank, max_iter=iterations)
    return Timed(perf_counter() - begin, W, H)


def torchnmf(case: Case, iterations: int, plan: Plan) -> Timed:
    """Run torchnmf in its interpreter."""
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        given, found = Path(folder) / "case.npz", Path(folder) / "factors.npz"
        W, H = case.start.W, case.start.H
        np.savez(given, V=case.V, W=W, H=H, beta=BETAS[case.beta])
        python, script = str(plan.torch_python or sys.executable), str(TORCH)
        numbers = [str(iterations), str(plan.threads)]
        command = [python, "-W", "ignore", script, str(given), str(found), *numbers]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        with np.load(found) as factors:
            return Timed(float(done.stdout), factors["W"], factors["H"])
