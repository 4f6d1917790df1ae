"""Factorization: shapes, labels, order."""

import numpy as np
import pytest

from specnmf import Factorization, ParameterError
from specnmf.factor.factorization import component_labels


def test_energies_are_those_of_the_components(rng):
    W, H = rng.random((7, 3)), rng.random((3, 9))
    expected = [np.sum(np.outer(W[:, k], H[k]) ** 2) for k in range(3)]
    np.testing.assert_allclose(Factorization(W, H).energies(), expected)


def test_components_are_ordered_by_energy(rng):
    W, H = rng.random((7, 4)), rng.random((4, 9)) * [[1], [9], [3], [0]]
    ordered = Factorization(W, H).by_energy()
    assert (ordered.W == W[:, [1, 2, 0, 3]]).all()
    assert (ordered.H == H[[1, 2, 0, 3]]).all()
    assert ordered.labels == component_labels(4)
    assert (np.diff(ordered.energies()) <= 0).all()


def test_labels_have_as_many_digits_as_needed():
    assert component_labels(3) == ("component_01", "component_02", "component_03")
    assert component_labels(100)[0] == "component_001"


@pytest.mark.parametrize(
    ("W", "H", "labels", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 4)), (), "H must have as many rows, got 3"),
        (np.ones((3, 2)), np.ones((2, 4)), ("a",), "need as many labels, got 1"),
        (np.ones((3, 2)) * -1, np.ones((2, 4)), (), "W must be finite and non-neg"),
        (np.ones((3, 2)), np.full((2, 4), np.nan), (), "H must be finite"),
        (np.ones(3), np.ones((2, 4)), (), r"W must be a matrix, got shape \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused(W, H, labels, message):
    with pytest.raises(ParameterError, match=message):
        Factorization(W, H, labels)
