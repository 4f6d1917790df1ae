"""Tree: whose the energy of each component is in the layers above.

A component of the first layer sounds as S[0] says. The second layer models that by
A[1] S[1], so that of what component k sounds in column n, component j above owns the
share A[1][k, j] S[1][j, n] / (A[1] S[1])[k, n]; and so on upwards. These shares add up
to one, so each layer shares the same sound, and the same energy, among its components.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.factor.factorization import component_labels
from specnmf.factor.layers.model import Layers
from specnmf.factor.matrices import Array, Doubles
from specnmf.parallel import cut, workers

#: A model of less is none: its row is shared as the whole row of A says.
SILENCE = float(np.finfo(np.float32).tiny)

#: Entries of the shares that are held at once.
BLOCK = 1 << 20

#: Columns of X of which the error is computed at once.
COLUMNS = 1024

#: A part of less than this share of a component's energy is not listed.
LEAST_LISTED = 0.01


@dataclass(frozen=True, eq=False)
class Tree:
    """Each component's energy, and where in the layers above it goes.

    The energy of a component of the first layer is that of its template times its
    activation, as everywhere; a component above has its share of each, column by
    column. So the energies of each layer add up to the same.

    ``origins``, shapes (r_0, r_l), are the energies that each component of a layer has
    from each of the first layer, as a share of the whole: each adds up to 1, or to 0 in
    silence. ``flows``, shapes (r_l-1, r_l), are those from each of the layer below.
    """

    origins: tuple[Doubles, ...]
    flows: tuple[Doubles, ...]

    def __repr__(self) -> str:
        """One line without the numbers."""
        return f"Tree(ranks {', '.join(map(str, self.ranks))})"

    @property
    def ranks(self) -> tuple[int, ...]:
        """The number of components of each layer."""
        return tuple(origin.shape[1] for origin in self.origins)

    @cached_property
    def shares(self) -> tuple[Doubles, ...]:
        """Each component's share of the energy, layer by layer, shapes (r_l,)."""
        return tuple(origin.sum(axis=0) for origin in self.origins)

    @cached_property
    def parents(self) -> tuple[NDArray[np.intp], ...]:
        """Whose most of each component is in the next layer; none for the last."""
        return tuple(np.argmax(flow, axis=1) for flow in self.flows)

    def children(self, layer: int, component: int) -> list[int]:
        """The components of the layer below whose parent it is, the strongest first."""
        if layer == 0:
            return []
        own = np.flatnonzero(self.parents[layer - 1] == component)
        strongest = np.argsort(-self.flows[layer - 1][own, component], kind="stable")
        return [int(child) for child in own[strongest]]

    def strongest(self, layer: int, component: int) -> list[tuple[int, float]]:
        """What it has from the first layer: components and shares of its energy."""
        return _listed(self.origins[layer][:, component])

    def ancestor(self, component: int, layer: int) -> int:
        """The component of the last layer that one of a layer belongs to."""
        for parents in self.parents[layer:]:
            component = int(parents[component])
        return component

    def entries(self) -> list[list[dict[str, Any]]]:
        """The tree as JSON has it: for each layer one entry a component.

        Each has its ``name``, its ``energy_share`` of the whole, and what of it there
        is in the layer above, ``parents``, and below, ``parts``: names with the share
        of this component's energy, the largest first.
        """
        return [
            [self._entry(layer, component) for component in range(rank)]
            for layer, rank in enumerate(self.ranks)
        ]

    def _entry(self, layer: int, component: int) -> dict[str, Any]:
        names, n_layers = self.names, len(self.ranks)
        above = self.flows[layer][component] if layer + 1 < n_layers else ()
        below = self.flows[layer - 1][:, component] if layer else ()
        return {
            "name": names[layer][component],
            "energy_share": float(self.shares[layer][component]),
            "parents": [
                {"name": names[layer + 1][k], "share": s} for k, s in _listed(above)
            ],
            "parts": [
                {"name": names[layer - 1][k], "share": s} for k, s in _listed(below)
            ],
        }

    @cached_property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """What the components are called: ``layer_1/component_01`` and so on."""
        return tuple(
            tuple(f"layer_{layer}/{label}" for label in component_labels(rank))
            for layer, rank in enumerate(self.ranks, 1)
        )


def divide(A: ArrayLike, S: ArrayLike) -> Doubles:
    """What share of each entry of A S is whose, (n_columns, n_rows, n_components).

    From 0 to 1; they add up to 1 over the components. Where A S is zero, a row is
    shared as in all columns alike: by A, or if that is zero evenly.
    """
    A, S = np.asarray(A, np.float64), np.asarray(S, np.float64)
    even = np.where(A.any(axis=1, keepdims=True), A, 1.0)
    even = even / even.sum(axis=1, keepdims=True)
    parts = S.T[:, np.newaxis] * A
    whole = parts.sum(axis=2, keepdims=True)
    shares: Doubles = np.where(
        whole > SILENCE, parts / np.maximum(whole, SILENCE), even
    )
    return shares


def ownership(layers: Layers, layer: int, columns: slice) -> Doubles:
    """What share of each component of the first layer is whose in a later one.

    Shape (n_columns, r_0, r_layer), for a slice of columns with a start and a stop; the
    shares add up to 1 over the last axis.
    """
    owned = [
        list(_divisions(layers, block, layer))[-1][1]
        for block in cut(columns, _block_length(layers))
    ]
    return np.concatenate(owned)


def grow_tree(layers: Layers) -> Tree:
    """The tree of some layers: energies, and how they go from layer to layer."""
    A, S = layers.A[0], layers.S[0]
    ranks = layers.ranks
    origins = [np.zeros((ranks[0], rank)) for rank in ranks]
    flows = [np.zeros(shape) for shape in pairwise(ranks)]
    gains = np.einsum("fk,fk->k", A, A, dtype=np.float64)
    for columns in cut(slice(0, S.shape[1]), _block_length(layers)):
        energies = gains * np.square(S[:, columns].T, dtype=np.float64)
        origins[0][np.diag_indices(ranks[0])] += energies.sum(axis=0)
        own = energies
        divisions = _divisions(layers, columns, len(ranks) - 1)
        for layer, (shares, owned) in enumerate(divisions):
            flows[layer] += np.einsum("nk,nkj->kj", own, shares)
            origins[layer + 1] += np.einsum("nk,nkj->kj", energies, owned)
            own = np.einsum("nk,nkj->nj", energies, owned)
    whole = origins[0].sum() or 1.0
    return Tree(
        tuple(origin / whole for origin in origins),
        tuple(flow / whole for flow in flows),
    )


def by_energy(layers: Layers) -> Layers:
    """The same layers, in each the component of most energy first."""
    shares = grow_tree(layers).shares
    orders = [np.argsort(-share, kind="stable") for share in shares]
    rows = [np.arange(len(layers.A[0])), *orders]
    return replace(
        layers,
        A=[
            np.ascontiguousarray(A[np.ix_(row, order)])
            for A, row, order in zip(layers.A, rows, orders, strict=False)
        ],
        S=[
            np.ascontiguousarray(S[order])
            for S, order in zip(layers.S, orders, strict=True)
        ],
        B=None if layers.B is None else layers.B[:, orders[-1]],
    )


def error(X: Array, layers: Layers, layer: int) -> float | None:
    """||X - A[0] ... A[layer] S[layer]|| / ||X||, in blocks; None if X is zero."""
    A, S = layers.templates(layer), layers.S[layer]
    left = whole = 0.0
    with workers(1):  # or the BLAS would round by the number of cores
        for columns in cut(slice(0, S.shape[1]), COLUMNS):
            block = X[:, columns]
            rest = block - A @ S[:, columns]
            left += float(np.vdot(rest, rest))
            whole += float(np.vdot(block, block))
    return None if whole == 0 else math.sqrt(left / whole)


def label_shares(layers: Layers) -> Doubles:
    """How much of each label a component of the last layer is, (n_classes, r_L).

    B with columns that add up to 1, or 0 if a component is of no label.
    """
    B = np.zeros((0, layers.ranks[-1])) if layers.B is None else layers.B
    whole = B.sum(axis=0, dtype=np.float64)
    shares: Doubles = B / np.where(whole > 0, whole, 1.0)
    return shares


def _block_length(layers: Layers) -> int:
    """Columns whose shares have at most BLOCK entries, but one at least."""
    ranks = layers.ranks
    return max(1, BLOCK // (max(ranks) * max(ranks[1:], default=1)))


def _divisions(
    layers: Layers, columns: slice, last: int
) -> Iterator[tuple[Doubles, Doubles]]:
    """Yield how each layer after the first shares the one below, and the first."""
    owned: Doubles | None = None
    above = zip(layers.A[1 : last + 1], layers.S[1 : last + 1], strict=True)
    for A, S in above:
        shares = divide(A, S[:, columns])
        owned = shares if owned is None else owned @ shares
        yield shares, owned


def _listed(energies: ArrayLike) -> list[tuple[int, float]]:
    """Who has how much of the sum, the largest first, but for traces."""
    energies = np.asarray(energies, np.float64)
    shares = energies / (energies.sum() or 1.0)
    order = np.argsort(-shares, kind="stable")
    return [(int(k), float(shares[k])) for k in order if shares[k] >= LEAST_LISTED]
