"""How often the default of neural NMF ends where nothing can be nearer."""

from __future__ import annotations

from itertools import product
from statistics import median
from time import process_time

from layers_data import RANKS, Toy, floor, toy
from layers_table import SUPERVISION, fit, progress
from tables import table

from specnmf.factor.layers.neural import neural_nmf

#: Data and starts of seeds on which nothing was tuned: the candidates of a start, and
#: their iterations, were chosen on 100 to 119.
FIRST_SEED = 200

#: How near the singular values' error counts as there.
NEAR = 1.015

#: The most that the median with two layers may be.
MOST = 0.286

HEAD = ("labels", "layers", "SVD", "median error", "all errors", "there", "CPU time, s")


def main(n_seeds: int) -> None:
    """Print what the default ends at, a row for each number of layers."""
    toys = {seed: toy(seed) for seed in range(FIRST_SEED, FIRST_SEED + n_seeds)}
    rows, held = [], []
    for supervision, n_layers in product(("none", "semi"), (1, 2, 3)):
        progress(f"starts, {supervision}, {n_layers}")
        errors, floors, seconds = [], [], []
        for seed, data in toys.items():
            begin = process_time()
            errors.append(default_error(data, supervision, n_layers, seed))
            seconds.append(process_time() - begin)
            floors.append(floor(data.X, RANKS[n_layers - 1]))
        near = sum(e < NEAR * f for e, f in zip(errors, floors, strict=True))
        rows.append(
            [
                SUPERVISION[supervision],
                str(n_layers),
                f"{median(floors):.4f}",
                f"{median(errors):.4f}",
                f"{min(errors):.4f}-{max(errors):.4f}",
                f"{near} of {n_seeds}",
                f"{median(seconds):.2f}",
            ]
        )
        held += [median(errors) <= MOST] if n_layers == 2 else []
    print(f"### The default's starts, data and starts of {n_seeds} seeds\n")
    print(table(HEAD, rows), end="\n\n")
    print(f"The target, {MOST}, {'holds' if all(held) else 'does not hold'}.\n")


def default_error(data: Toy, supervision: str, n_layers: int, seed: int) -> float:
    """Return the error where the default ends."""
    return fit(neural_nmf, data, supervision, n_layers, seed).error(data.X)
