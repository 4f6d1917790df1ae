"""Layers: what holds of any, and which shapes fit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import ParameterError
from specnmf.factor.layers.model import Layers


def random_layers(rng, ranks, shape=(7, 20), n_classes=3, dtype=np.float64):
    A = [rng.random(pair).astype(dtype) for pair in pairwise((shape[0], *ranks))]
    S = [rng.random((rank, shape[1])).astype(dtype) for rank in ranks]
    return Layers(A, S, rng.random((n_classes, ranks[-1])).astype(dtype))


@given(
    ranks=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    empty=st.booleans(),
    exponent=st.integers(-30, 30),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_unit_columns_leave_all_products_the_same(ranks, empty, exponent, dtype, seed):
    layers = random_layers(np.random.default_rng(seed), ranks, dtype=dtype)
    layers.A[0][:] *= dtype(10.0**exponent)
    if empty:
        layers.A[-1][:, 0] = 0
    unit = layers.unit_columns()
    rtol = 1e-4 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(unit.product(), layers.product(), rtol=rtol)
    np.testing.assert_allclose(unit.predictions(), layers.predictions(), rtol=rtol)
    for layer in range(len(ranks)):
        np.testing.assert_allclose(
            unit.templates(layer) @ unit.S[layer],
            layers.templates(layer) @ layers.S[layer],
            rtol=rtol,
        )
    norms = np.concatenate([np.linalg.norm(a, axis=0) for a in unit.A])
    assert np.isclose(norms[norms > 0], 1, rtol=rtol).all()
    assert (norms == 0).sum() == empty
    assert {part.dtype for part in (*unit.A, *unit.S, unit.B)} == {np.dtype(dtype)}


def test_a_component_that_the_data_lack_still_says_its_labels():
    S = np.array([[1.0, 0], [0, 1]])
    layers = Layers([np.array([[2.0, 0], [0, 0]])], [S], np.eye(2)).unit_columns()
    assert layers.A[0].tolist() == [[1, 0], [0, 0]]
    assert layers.predictions().tolist() == [[1, 0], [0, 1]]


def test_templates_of_a_layer_are_products_of_those_below(rng):
    layers = random_layers(rng, (5, 4, 2))
    first, second, third = layers.A
    assert (layers.templates(0) == first).all()
    np.testing.assert_allclose(layers.templates(1), first @ second)
    np.testing.assert_allclose(layers.templates(), first @ second @ third)
    assert (layers.templates(2) == layers.templates(-1)).all()
    np.testing.assert_allclose(layers.product(), first @ second @ third @ layers.S[2])
    assert layers.ranks == (5, 4, 2)
    with pytest.raises(IndexError):
        layers.templates(3)


def test_the_error_is_relative_and_none_for_zeros_found_exactly(rng):
    layers = random_layers(rng, (3,))
    P = layers.product()
    assert layers.error(P) == 0
    assert layers.error(2 * P) == pytest.approx(0.5)
    nothing = Layers([np.zeros((2, 1))], [np.zeros((1, 3))])
    assert nothing.error(np.zeros((2, 3))) == 0


def test_classes_are_the_strongest_predictions():
    S = np.array([[1.0, 0, 3], [0, 2, 3]])
    layers = Layers([np.ones((4, 2))], [S], np.array([[1.0, 0], [0, 1], [0.6, 0.6]]))
    np.testing.assert_allclose(layers.predictions(), layers.B @ S)
    assert layers.classes().tolist() == [0, 1, 2]
    unlabelled = Layers(layers.A, layers.S)
    with pytest.raises(ParameterError, match="predictions need labels, .* had none"):
        unlabelled.predictions()
    with pytest.raises(ParameterError, match="predictions need labels"):
        unlabelled.classes()


@pytest.mark.parametrize(
    ("A", "S", "B"),
    [
        ([], [], None),
        ([(4, 3)], [(2, 5)], None),
        ([(4, 3), (2, 2)], [(3, 5), (2, 5)], None),
        ([(4, 3), (3, 2)], [(3, 5), (2, 6)], None),
        ([(4, 3), (3, 2)], [(3, 5)], None),
        ([(4, 3)], [(3, 5)], (2, 4)),
    ],
)
def test_shapes_that_do_not_fit_are_named(A, S, B):
    A, S = ([np.ones(shape) for shape in shapes] for shapes in (A, S))
    with pytest.raises(
        ParameterError, match="each A must have as many columns .* got A"
    ):
        Layers(A, S, None if B is None else np.ones(B))
