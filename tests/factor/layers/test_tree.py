"""Whose the energy of each component is in the layers above."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf.factor.factorization import Factorization
from specnmf.factor.layers import tree
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import (
    by_energy,
    divide,
    error,
    grow_tree,
    label_shares,
    ownership,
)


def random_layers(rng, ranks, n_rows=7, n_columns=20, *, classes=None):
    shapes = pairwise((n_rows, *ranks))
    A = [rng.random(shape) ** 3 for shape in shapes]
    S = [rng.random((rank, n_columns)) ** 3 for rank in ranks]
    B = None if classes is None else rng.random((classes, ranks[-1]))
    return Layers(A, S, B)


@pytest.fixture
def chords():
    """Notes 0 and 1 make chord 0, which sounds first; 2 and 3 make chord 1."""
    first, second = np.array([[3.0, 2, 1, 0, 0], [0, 0, 0, 1, 1]])
    A = [np.eye(4), np.array([[1.0, 0], [2, 0], [0, 1], [0, 1]])]
    return Layers(
        A, [np.stack([first, 2 * first, second, second]), np.stack([first, second])]
    )


def test_energies_are_those_of_the_definition(rng):
    layers = random_layers(rng, (4, 3, 2))
    (W, A1, A2), (H, S1, S2) = layers.A, layers.S
    origins = [np.zeros((4, rank)) for rank in (4, 3, 2)]
    for n in range(H.shape[1]):
        for k in range(4):
            energy = W[:, k] @ W[:, k] * H[k, n] ** 2
            origins[0][k, k] += energy
            for j in range(3):
                own = energy * A1[k, j] * S1[j, n] / (A1 @ S1)[k, n]
                origins[1][k, j] += own
                for i in range(2):
                    share = A2[j, i] * S2[i, n] / (A2 @ S2)[j, n]
                    origins[2][k, i] += own * share
    found = grow_tree(layers)
    for origin, expected in zip(found.origins, origins, strict=True):
        np.testing.assert_allclose(origin, expected / origins[0].sum(), rtol=1e-12)


def test_first_layer_has_the_energies_of_a_factorization(rng):
    layers = random_layers(rng, (5, 2))
    expected = Factorization(layers.A[0], layers.S[0]).energy_shares()
    np.testing.assert_allclose(grow_tree(layers).shares[0], expected, rtol=1e-12)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_each_layer_shares_all_of_the_energy(ranks, seed):
    found = grow_tree(random_layers(np.random.default_rng(seed), ranks))
    for shares in found.shares:
        assert shares.sum() == pytest.approx(1)
    for layer, flow in enumerate(found.flows):
        np.testing.assert_allclose(flow.sum(axis=1), found.shares[layer], atol=1e-12)
        np.testing.assert_allclose(
            flow.sum(axis=0), found.shares[layer + 1], atol=1e-12
        )


def test_shares_add_up_to_one(rng):
    layers = random_layers(rng, (6, 4, 3))
    np.testing.assert_allclose(divide(layers.A[1], layers.S[1]).sum(axis=2), 1)
    for layer in (1, 2):
        owned = ownership(layers, layer, slice(5, 15))
        assert owned.shape == (10, 6, layers.ranks[layer])
        np.testing.assert_allclose(owned.sum(axis=2), 1)


def test_notes_belong_to_the_chord_that_they_sound_with(chords):
    found = grow_tree(chords)
    assert found.parents[0].tolist() == [0, 0, 1, 1]
    assert found.children(1, 0) == [1, 0]
    assert found.children(1, 1) == [2, 3]
    assert found.children(0, 0) == []
    assert [found.ancestor(note, 0) for note in range(4)] == [0, 0, 1, 1]
    assert found.ancestor(1, 1) == 1
    assert found.strongest(1, 0) == [(1, pytest.approx(0.8)), (0, pytest.approx(0.2))]
    np.testing.assert_allclose(found.shares[1], [70 / 74, 4 / 74])


def test_entries_are_json_and_name_parents_and_parts(chords):
    notes, above = json.loads(json.dumps(grow_tree(chords).entries()))
    assert [entry["name"] for entry in above] == [
        "layer_2/component_01", "layer_2/component_02",
    ]  # fmt: skip
    assert notes[3]["parents"] == [{"name": "layer_2/component_02", "share": 1.0}]
    assert notes[3]["parts"] == above[0]["parents"] == []
    assert [part["name"] for part in above[0]["parts"]] == [
        "layer_1/component_02", "layer_1/component_01",
    ]  # fmt: skip
    assert above[1]["energy_share"] == pytest.approx(4 / 74)


def test_blocks_do_not_show(rng, monkeypatch):
    layers = random_layers(rng, (5, 3, 2), n_columns=50)
    whole, owned = grow_tree(layers), ownership(layers, 2, slice(3, 50))
    monkeypatch.setattr(tree, "BLOCK", 100)
    blocks = grow_tree(layers)
    np.testing.assert_array_equal(ownership(layers, 2, slice(3, 50)), owned)
    for one, other in zip(whole.origins, blocks.origins, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_by_energy_changes_the_order_alone(rng):
    layers = random_layers(rng, (6, 4, 3), classes=2)
    ordered = by_energy(layers)
    for shares, before in zip(
        grow_tree(ordered).shares, grow_tree(layers).shares, strict=True
    ):
        np.testing.assert_allclose(shares, np.sort(before)[::-1], rtol=1e-12)
    for layer in range(3):
        np.testing.assert_allclose(
            ordered.templates(layer) @ ordered.S[layer],
            layers.templates(layer) @ layers.S[layer],
        )
    np.testing.assert_allclose(ordered.predictions(), layers.predictions())


@pytest.mark.parametrize("columns", [3, 1024])
def test_error_is_that_of_each_layers_product(rng, monkeypatch, columns):
    layers = random_layers(rng, (5, 3, 2))
    X = rng.random((7, 20))
    monkeypatch.setattr(tree, "COLUMNS", columns)
    for layer in range(3):
        rest = X - layers.templates(layer) @ layers.S[layer]
        expected = np.linalg.norm(rest) / np.linalg.norm(X)
        assert error(X, layers, layer) == pytest.approx(expected)
    assert error(X, layers, 2) == pytest.approx(layers.error(X))
    assert error(0 * X, layers, 0) is None


def test_label_shares_are_those_of_the_labels_model(rng):
    B = np.array([[1.0, 0, 3], [1, 0, 1]])
    layers = random_layers(rng, (4, 3))
    shares = label_shares(Layers(layers.A, layers.S, B))
    np.testing.assert_allclose(shares, [[0.5, 0, 0.75], [0.5, 0, 0.25]])
    assert label_shares(layers).shape == (0, 3)


def test_what_no_component_above_models_is_shared_as_elsewhere():
    A, S = np.array([[1.0, 3], [0, 0]]), np.array([[1.0, 0], [1, 0]])
    shares = divide(A, S)
    np.testing.assert_allclose(shares[:, 0], [[0.25, 0.75], [0.25, 0.75]])
    np.testing.assert_allclose(shares[:, 1], 0.5)


def test_silence_has_no_energy():
    layers = Layers(
        [np.ones((3, 2)), np.ones((2, 1))], [np.zeros((2, 4)), np.zeros((1, 4))]
    )
    found = grow_tree(layers)
    assert all(not shares.any() for shares in found.shares)
    assert found.parents[0].tolist() == [0, 0]
    assert found.strongest(1, 0) == []


def test_one_layer_is_a_tree_without_links(rng):
    found = grow_tree(random_layers(rng, (3,)))
    assert found.flows == found.parents == ()
    assert found.ancestor(2, 0) == 2
    assert [entry["parents"] for entry in found.entries()[0]] == [[], [], []]


def test_quiet_and_loud_sounds_have_finite_shares(rng):
    layers = random_layers(rng, (4, 2))
    for scale in (1e-30, 1e15):
        S = [(scale * s).astype(np.float32) for s in layers.S]
        found = grow_tree(Layers([a.astype(np.float32) for a in layers.A], S))
        assert found.shares[1].sum() == pytest.approx(1, rel=1e-5)
