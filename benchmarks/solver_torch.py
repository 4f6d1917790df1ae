"""Run torchnmf once on the CPU, in an interpreter of its own: a peer of ``solvers.py``.

    python benchmarks/solver_torch.py CASE.npz FACTORS.npz ITERATIONS THREADS

CASE holds V (n_bins, n_frames), W, H and the number beta. Prints the seconds of the
factorisation alone. Needs torch, torchnmf and numpy, not specnmf.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from torchnmf.nmf import NMF


def main() -> None:
    source, target, iterations, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    with np.load(source) as given:
        V, W, H, beta = (given[name] for name in ("V", "W", "H", "beta"))
    factorise(V[:64, :96], W[:64], H[:, :96], float(beta), 2)
    seconds, W, H = factorise(V, W, H, float(beta), int(iterations))
    np.savez(target, W=W, H=H)
    print(seconds)


def factorise(V, W, H, beta, iterations):
    """Return the seconds that so many iterations take, and the factors.

    torchnmf's data are (frames, bins). It computes the loss every tenth iteration, and
    below every tolerance lies minus infinity.
    """
    V, W, H = (torch.from_numpy(np.ascontiguousarray(part)) for part in (V.T, W, H.T))
    begin = time.perf_counter()
    model = NMF(W=W, H=H)
    model.fit(V, beta=beta, tol=float("-inf"), max_iter=iterations)
    seconds = time.perf_counter() - begin
    return seconds, model.W.detach().numpy(), model.H.detach().numpy().T


if __name__ == "__main__":
    main()
