"""Compare the derivative of neural NMF with autograd's of an unrolled problem."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from layers_data import RANKS, toy
from tables import table

from specnmf.factor.layers.labels import Labels
from specnmf.factor.layers.objective import Objective
from specnmf.factor.layers.supervision import Supervision
from specnmf.parallel import workers

AUTOGRAD = Path(__file__).resolve().parent / "layers_autograd.py"

WEIGHT = 3.0


def main(args: argparse.Namespace) -> None:
    """Print how far both are apart, for each cost and number of layers."""
    rows = []
    losses = product(("reconstruction", "energy"), ("l2", "cross-entropy"))
    for (loss, label_loss), n_layers in product(losses, (1, 2, 3)):
        case = derivatives(loss, label_loss, n_layers)
        cost, gradient = compared(case, args.peer_python)
        found = f"{cost:.0e}", f"{gradient:.0e}"
        rows.append([loss, label_loss, str(n_layers), *found])
    print("### The derivative, relative to torch's of 4,000 unrolled steps\n")
    head = ["data term", "label term", "layers", "cost", "derivative"]
    print(table(head, rows), end="\n\n", flush=True)


def derivatives(loss: str, label_loss: str, n_layers: int) -> dict[str, object]:
    """Return the toy data, templates at random, the cost and its derivatives."""
    data, rng = toy(0), np.random.default_rng(n_layers)
    ranks = RANKS[:n_layers]
    A = [rng.random(shape) for shape in pairwise((len(data.X), *ranks))]
    A = [a / np.linalg.norm(a, axis=0) for a in A]
    labels = Labels.of(data.labels[n_layers - 1], data.known, data.X.shape[1])
    B = rng.random((len(labels.Y), ranks[-1]))
    with workers(1) as mapper:
        said = Supervision(labels, weight=WEIGHT, loss=label_loss, mapper=mapper)
        cost, dA, dB = Objective(data.X, said, loss=loss, mapper=mapper)(A, B)
    return {
        "X": data.X,
        "Y": labels.Y,
        "known": labels.known,
        "B": B,
        "dB": dB,
        **{f"A{n}": a for n, a in enumerate(A)},
        **{f"dA{n}": d for n, d in enumerate(dA)},
        "settings": np.array([loss, label_loss, str(WEIGHT)]),
        "cost": cost,
    }


def compared(case: dict[str, object], python: Path) -> tuple[float, float]:
    """Return what autograd says of the cost and of the derivatives, relatively."""
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        path = Path(folder) / "case.npz"
        np.savez(path, **case)
        command = [str(python), str(AUTOGRAD), str(path)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    cost, gradient = json.loads(done.stdout)
    return cost, gradient
