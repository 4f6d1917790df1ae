"""Labels: the ways to hand them over, and what is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import ParameterError
from specnmf.factor.layers.labels import MOST_CLASSES, Labels

NUMBERS = np.array([0, 2, -1, 1, 2])
ONE_HOT = np.array([[1, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 1, 0, 0, 1]])


def test_class_numbers_are_rows_with_a_one():
    found = Labels.of(NUMBERS, None, 5)
    assert (found.Y == ONE_HOT).all()
    assert found.Y.dtype == np.float64
    assert found.known.tolist() == [[True, True, False, True, True]] * 3


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float32])
def test_matrices_are_known_wherever_the_mask_says(dtype):
    matrix = ONE_HOT.astype(dtype)
    assert Labels.of(matrix, None, 5).known.all()
    columns = np.array([True, False, False, True, True])
    by_column = Labels.of(matrix, columns, 5)
    by_entry = Labels.of(matrix, np.tile(columns, (3, 1)), 5)
    for found in (by_column, by_entry):
        assert (found.known == columns).all()
        assert (found.Y == ONE_HOT * columns).all()


def test_a_mask_hides_numbers_as_well():
    mask = np.array([True, False, True, True, True])
    found = Labels.of(NUMBERS, mask, 5)
    assert found.known.tolist() == [[True, False, False, True, True]] * 3
    assert (found.Y[:, 1:3] == 0).all()


def test_what_is_not_known_may_be_anything():
    Y = np.array([[1, np.nan, -3], [0, np.inf, 2]])
    found = Labels.of(Y, np.array([[True, False, False], [True, False, True]]), 3)
    assert found.Y.tolist() == [[1, 0, 0], [0, 0, 2]]


@given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(1, 8))
def test_classes_known_of_the_same_columns_are_listed_together(seed, n_classes):
    rng = np.random.default_rng(seed)
    known = rng.random((n_classes, 3)) > 0.5
    groups = Labels(np.zeros(known.shape), known).alike
    assert sorted(np.concatenate([own for own, _ in groups])) == list(range(n_classes))
    for own, pattern in groups:
        assert (known[own] == pattern).all()
    assert len({pattern.tobytes() for _, pattern in groups}) == len(groups)


@pytest.mark.parametrize(
    ("labels", "mask", "message"),
    [
        (np.int64(3), None, r"labels must be \(n_classes, 5\), .* got shape \(\)"),
        (np.ones((2, 4)), None, r"or one class number .* got shape \(2, 4\)"),
        (np.ones((2, 2, 5)), None, r"got shape \(2, 2, 5\)"),
        (np.ones((0, 5)), None, "labels need at least one class, got none"),
        (
            np.zeros(5),
            None,
            "class numbers must be whole .* got float64 from 0.0 to 0.0",
        ),
        (np.array([0, 1, -2, 0, 0]), None, "-1 where unknown, got int64 from -2 to 1"),
        (np.array(["a", "b", "a", "b", "a"]), None, "labels must be numbers, got <U1"),
        (np.full((2, 5), "a"), None, "labels must be numbers, got <U1"),
        (np.full(5, -1), None, f"labels need 1 to {MOST_CLASSES} classes, got 0"),
        (np.full(5, 10**12), None, f"labels need 1 to {MOST_CLASSES} classes, got 1"),
        (np.full((2, 5), -1.0), None, "finite and non-negative .* from -1.0 to -1.0"),
        (np.full((2, 5), np.nan), None, "labels must be finite and non-negative"),
        (NUMBERS, np.zeros(5, bool), "labels must be known for at least one column"),
        (NUMBERS, np.ones(5), r"label_mask must be booleans of shape \(5,\) or \(3, 5"),
        (NUMBERS, np.ones((2, 5), bool), r"label_mask .* got bool of shape \(2, 5\)"),
    ],
)
def test_what_are_no_labels_is_named(labels, mask, message):
    with pytest.raises(ParameterError, match=message) as raised:
        Labels.of(labels, mask, 5)
    assert "\n" not in str(raised.value)
