"""Differentiate neural NMF by torch's autograd, in an interpreter of its own.

    python benchmarks/layers_autograd.py CASE.npz

Needs torch and numpy; called by ``layers_gradient.py``, which says what CASE holds.
Each projection is unrolled: projected gradient steps from zero. Prints the relative
differences of the cost and of all derivatives.
"""

from __future__ import annotations

import json
import sys
from functools import reduce
from operator import matmul

import numpy as np
import torch

STEPS = 4000


def main() -> None:
    torch.set_num_threads(1)
    with np.load(sys.argv[1]) as case:
        loss, label_loss, weight = case["settings"].tolist()
        names = [name for name in case if name[0] == "A"] + ["B"]
        X, Y, known = (
            torch.from_numpy(case[n].astype(float)) for n in ("X", "Y", "known")
        )
        *A, B = (torch.from_numpy(case[name]).requires_grad_() for name in names)
        said = [case[f"d{name}"] for name in names]
        expected = float(case["cost"])
    S = [X]
    for a in A:
        S.append(project(S[-1], a))
    cost = data_term(loss, A, S) + float(weight) * label_term(
        label_loss, Y, known, B @ S[-1]
    )
    cost.backward()
    found = np.concatenate([part.grad.numpy().ravel() for part in (*A, B)])
    told = np.concatenate([part.ravel() for part in said])
    off = np.linalg.norm(found - told) / np.linalg.norm(found)
    print(json.dumps([abs(cost.item() - expected) / expected, float(off)]))


def project(X, A):
    """Return the S >= 0 that is nearest, step by step."""
    gram, products = A.T @ A, A.T @ X
    length = 1 / torch.linalg.matrix_norm(gram, 2).detach()
    S = torch.zeros_like(products)
    for _ in range(STEPS):
        S = torch.clamp(S - length * (gram @ S - products), min=0)
    return S


def data_term(loss, A, S):
    if loss == "reconstruction":
        return ((S[0] - reduce(matmul, [*A, S[-1]])) ** 2).sum() / 2
    missed = [below - a @ s for below, a, s in zip(S, A, S[1:], strict=False)]
    return sum((part**2).sum() for part in missed) / 2


def label_term(label_loss, Y, known, said):
    if label_loss == "l2":
        return ((known * (Y - said)) ** 2).sum() / 2
    whole = known.all(dim=0)
    return -(Y * torch.log_softmax(said, dim=0))[:, whole].sum()


if __name__ == "__main__":
    main()
