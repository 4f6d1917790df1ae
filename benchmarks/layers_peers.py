"""Run the authors' packages on the toy data, in an interpreter of its own.

    python benchmarks/layers_peers.py CASE.json

Needs ``pip install torch NeuralNMF ssnmf``, numpy and nothing of specnmf; called by
``layers.py``. CASE holds ``program`` ("NeuralNMF" or "ssnmf"), ``layers`` (1 to 3),
``supervision`` ("none", "semi" or "full") and ``seed``; ``weight`` of the labels; for
NeuralNMF ``seconds`` (when to stop), ``rates`` (of learning A and B) and, with labels,
``loss`` ("reconstruction" or "energy"). Prints one JSON object:

    seconds    until the error was first within a thousandth of where it ended
    total      seconds in all
    epochs     how many that were
    error      ||X - A0 ... AL SL|| / ||X|| in the end
    accuracy   of B SL; without labels of the best B in the sense of least squares
    negative   the share of negative entries of all A

Both are called as in the notebook that comes with NeuralNMF: without labels its loss is
the reconstruction; of ssnmf one SSNMF factorises the activations of another; each takes
10,000 epochs unless the seconds are up. Two things are otherwise. For its L2 loss
NeuralNMF is handed one-hot labels: from the notebook it gets class numbers, which are
broadcast, so that the scores of all classes are drawn to the number of the right one.
And ssnmf goes on without its tolerance, by which it stops at an error of .16.
"""

from __future__ import annotations

import json
import sys
import time
from functools import reduce
from operator import matmul
from pathlib import Path

import numpy as np
import torch
from layers_data import (
    RANKS,
    accuracy,
    error,
    least_squares_accuracy,
    one_hot,
    toy,
)
from NeuralNMF import (
    Energy_Loss_Func,
    Neural_NMF,
    Recon_Loss_Func,
    train_supervised,
    train_unsupervised,
)
from ssnmf import SSNMF

EPOCHS = 10_000

#: The share by which an error may differ from the last and count as it.
SETTLED = 1e-3

#: Iterations of ssnmf between two looks at its error.
STRIDE = 20


class OutOfTimeError(Exception):
    """The seconds are up."""


def main() -> None:
    case = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    run = PROGRAMS[case["program"]]
    run(case, warm=True)
    print(json.dumps(run(case)))


def neural_nmf(case, *, warm=False):
    """Train a net of NeuralNMF until the seconds or the epochs are up."""
    torch.manual_seed(case["seed"])
    data = toy(case["seed"])
    X = torch.from_numpy(data.X)
    labels = data.labels[case["layers"] - 1]
    Y = one_hot(labels)
    labelled = case["supervision"] != "none"
    ranks = RANKS[: case["layers"]]
    net = Neural_NMF([len(X), *ranks], len(Y) if labelled else None)
    energy = labelled and case["loss"] == "energy"
    kind = Energy_Loss_Func if energy else Recon_Loss_Func
    loss = kind(lambd=case["weight"] if labelled else 0, classification_type="L2")
    watch = Watch(loss, torch.from_numpy(Y), 0.2 if warm else case["seconds"])
    own = {"loss_func": watch, "epoch": EPOCHS, "verbose": False}
    try:
        if labelled:
            known = data.known if case["supervision"] == "semi" else data.known | True
            L = torch.from_numpy(np.tile(known, (len(Y), 1)).astype(float))
            given = torch.from_numpy(labels), L
            train_supervised(net, X, *given, lr=case["rates"], **own)
        else:
            train_unsupervised(net, X, lr=case["rates"][0], **own)
    except OutOfTimeError:
        pass
    A = [layer.A.detach().numpy() for layer in net.lsqnonneglst]
    found = net(X)
    S, said = found if labelled else (found, None)
    S, said = S[-1].detach().numpy(), None if said is None else said.detach().numpy()
    outcome = settled(watch.trace)
    outcome["epochs"] /= 31 if labelled else 1  # a step of A, then thirty of B
    return {**outcome, **scores(data.X, A, S, said, labels)}


class Watch(torch.nn.Module):
    """A loss that looks at the time and the error whenever it is asked."""

    def __init__(self, loss, Y, seconds):
        super().__init__()
        self.loss, self.Y, self.most = loss, Y, seconds
        self.trace = []
        self.begin = time.perf_counter()

    def forward(self, net, X, S, said=None, labels=None, L=None):
        """Return the loss; NeuralNMF asks for it with labels and without."""
        if said is not None:
            return self.loss(net, X, S, said, self.Y, L)
        with torch.no_grad():
            A = [layer.A for layer in net.lsqnonneglst]
            missed = X - reduce(matmul, [*A, S[-1]])
            off = float(missed.norm() / X.norm())
        self.trace.append((time.perf_counter() - self.begin, off))
        if self.trace[-1][0] > self.most:
            raise OutOfTimeError
        return self.loss(net, X, S)


def ssnmf(case, *, warm=False):
    """Factorise with SSNMF, then its activations, and so on, the last with labels."""
    rng = np.random.default_rng(case["seed"])
    data = toy(case["seed"])
    labels, ranks = data.labels[case["layers"] - 1], RANKS[: case["layers"]]
    Y, below = one_hot(labels), data.X
    A, seconds, total, epochs, said = [], 0.0, 0.0, 0, None
    for layer, rank in enumerate(ranks, 1):
        options = {}
        if case["supervision"] != "none" and layer == len(ranks):
            known = data.known if case["supervision"] == "semi" else data.known | True
            L = np.tile(known, (len(Y), 1)).astype(float)
            options = {"Y": Y, "L": L, "lam": case["weight"], "modelNum": 3}
            options["B"] = rng.random((len(Y), rank))
        options["A"] = rng.random((len(below), rank))
        options["S"] = rng.random((rank, below.shape[1]))
        model = SSNMF(below, rank, tol=-1.0, **options)
        trace, begin = [], time.perf_counter()
        for _ in range(0, STRIDE if warm else EPOCHS, STRIDE):
            model.mult(numiters=STRIDE)
            off = error(below, model.A @ model.S)
            trace.append((time.perf_counter() - begin, off))
        own = settled(trace)
        seconds, total = seconds + own["seconds"], total + own["total"]
        epochs += STRIDE * own["epochs"]
        A, below = [*A, model.A], model.S
        said = None if model.B is None else model.B @ model.S
    outcome = {"seconds": seconds, "total": total, "epochs": epochs}
    return {**outcome, **scores(data.X, A, below, said, labels)}


PROGRAMS = {"NeuralNMF": neural_nmf, "ssnmf": ssnmf}


def settled(trace):
    """Return when the error was first about the last, and how long it all took."""
    last = trace[-1][1]
    first = next(at for at, off in trace if off <= (1 + SETTLED) * last)
    return {"seconds": first, "total": trace[-1][0], "epochs": len(trace)}


def scores(X, A, S, said, labels):
    """Return how near the model comes, and what it knows of the labels."""
    entries = np.concatenate([part.ravel() for part in A])
    right = least_squares_accuracy(S, labels)
    if said is not None:
        right = accuracy(said, labels)
    return {
        "error": error(X, reduce(matmul, [*A, S])),
        "accuracy": right,
        "negative": float(np.mean(entries < 0)),
    }


if __name__ == "__main__":
    main()
