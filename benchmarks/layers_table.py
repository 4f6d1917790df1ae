"""How near layers come to the toy data, and what they know of its labels."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from layers_data import (
    RANKS,
    Toy,
    accuracy,
    floor,
    least_squares_accuracy,
    one_hot,
    toy,
)
from numpy.typing import NDArray
from tables import table

from specnmf.factor.layers.deep import deep_nmf
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.neural import neural_nmf

#: How much is labelled, and what that is called.
SUPERVISION = {
    "none": "unsupervised",
    "semi": "semi-supervised",
    "full": "supervised",
}

Method = Callable[..., Layers]


def from_deep(X, ranks, *, restarts, **options) -> Layers:
    """Neural NMF from where deep NMF ends, which knows of no labels."""
    alike = {name: options[name] for name in ("rng", "threads")}
    start = deep_nmf(X, ranks, restarts=restarts, **alike)
    return neural_nmf(X, ranks, start=start, restarts=1, **options)


METHODS: dict[str, Method] = {
    "hierarchical": partial(hierarchical_nmf, restarts=20),
    "deep": partial(deep_nmf, restarts=5),
    "neural": partial(neural_nmf, restarts=10),
    "neural, from deep": partial(from_deep, restarts=5),
}

#: Of one, two and three layers, by method: errors, or errors and accuracies.
SLIDES = {
    "hierarchical": (0.053, 0.399, 0.860),
    "deep": (0.031, 0.414, 0.838),
    "neural": (0.029, 0.310, 0.492),
}
NOTEBOOK = {
    ("none", "hierarchical"): (0.1116, 0.944, 0.3358, 0.867, 0.4814, 1.0),
    ("none", "neural"): (0.0236, 1.0, 0.2816, 1.0, 0.4676, 1.0),
    ("semi", "hierarchical"): (0.1582, 0.833, 0.3300, 0.867, 0.6197, 0.644),
    ("semi", "neural"): (0.0236, 1.0, 0.3398, 1.0, 0.6093, 1.0),
    ("full", "hierarchical"): (0.1591, 0.922, 0.2826, 1.0, 0.5500, 1.0),
    ("full", "neural"): (0.0237, 1.0, 0.3378, 1.0, 0.6163, 0.722),
}

#: The targets: the highest errors, and the lowest accuracies where there are labels.
BOUNDS = {
    ("none", "neural"): ((0.0237, 0.2830, 0.4680), (0, 0, 0)),
    ("semi", "neural"): ((0.0240, 0.305, 0.496), (1, 1, 0.99)),
    ("full", "neural"): ((0.0240, 0.307, 0.495), (1, 1, 1)),
    **{
        (supervision, "hierarchical"): ((0.0240, 0.305, 0.605), (0, 0, 0))
        for supervision in SUPERVISION
    },
    **{(supervision, "deep"): (SLIDES["deep"], (0, 0, 0)) for supervision in ("none",)},
}


def main(n_seeds: int) -> None:
    """Print errors and accuracies, a table for each amount of labels."""
    toys = [toy(seed) for seed in range(n_seeds)]
    floors = [median(floor(data.X, rank) for data in toys) for rank in RANKS]
    missed = []
    for supervision, title in SUPERVISION.items():
        print(f"### {title.capitalize()}, medians of {n_seeds} seeds\n")
        rows = [["no product can be nearer (SVD)", *cells(floors)]]
        for method in METHODS:
            progress(f"table, {title}, {method}")
            found = [medians(method, supervision, toys, n) for n in (1, 2, 3)]
            rows.extend(published(supervision, method))
            rows.append([f"**specnmf, {method}**", *cells(*zip(*found, strict=True))])
            missed += shortfalls(supervision, method, found)
        head = [
            f"{count}: {what}"
            for count in ("1 layer", "2 layers", "3 layers")
            for what in ("error", "right")
        ]
        print(table(["method", *head], rows), end="\n\n", flush=True)
    print("The targets are missed by:" if missed else "All targets are met.")
    print("\n".join(f"- {line}" for line in missed), flush=True)


def medians(
    method: str, supervision: str, toys: list[Toy], n_layers: int
) -> tuple[float, float]:
    """Return the median error and accuracy."""
    errors, right = [], []
    for seed, data in enumerate(toys):
        found = fit(METHODS[method], data, supervision, n_layers, seed)
        errors.append(found.error(data.X))
        right.append(share_right(found, data.labels[n_layers - 1]))
    return median(errors), median(right)


def fit(
    method: Method, data: Toy, supervision: str, n_layers: int, seed: int
) -> Layers:
    """Factorise the data, with the labels that the supervision allows."""
    options = {}
    if supervision != "none":
        options["labels"] = one_hot(data.labels[n_layers - 1])
    if supervision == "semi":
        options["label_mask"] = data.known
    return method(data.X, RANKS[:n_layers], rng=seed, threads=1, **options)


def share_right(found: Layers, labels: NDArray[np.intp]) -> float:
    """Return the accuracy of B; without labels, of the best B by least squares."""
    if found.B is None:
        return least_squares_accuracy(found.S[-1], labels)
    return accuracy(found.predictions(), labels)


def published(supervision: str, method: str) -> list[list[str]]:
    """Return the rows that others have printed."""
    rows = []
    if supervision == "none" and method in SLIDES:
        rows.append([f"slides, {method}", *cells(SLIDES[method])])
    if (supervision, method) in NOTEBOOK:
        values = NOTEBOOK[supervision, method]
        texts = cells(values[::2], values[1::2])
        rows.append([f"notebook of NeuralNMF, {method}", *texts])
    return rows


def shortfalls(
    supervision: str, method: str, found: list[tuple[float, float]]
) -> list[str]:
    """Say what misses its target."""
    if (supervision, method) not in BOUNDS:
        return []
    most, least = BOUNDS[supervision, method]
    return [
        f"{SUPERVISION[supervision]}, {method}, {n} layers: error {off:.4f} "
        f"(at most {high:.4f}), accuracy {right:.3f} (at least {low:.2f})"
        for n, ((off, right), high, low) in enumerate(
            zip(found, most, least, strict=True), 1
        )
        if off > high or right < low
    ]


def cells(errors, right=(None, None, None)) -> list[str]:
    """Return errors and accuracies in turn, as text."""
    return [
        text
        for off, share in zip(errors, right, strict=True)
        for text in (f"{off:.4f}", "" if share is None else f"{share:.3f}")
    ]


def progress(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
