"""Estimates find their references by name, else by score."""

import itertools

import numpy as np
import pytest

from specnmf.evaluation.matching import match_by_name, match_by_score


@pytest.mark.parametrize(
    ("references", "estimates", "expected"),
    [
        (["a", "b"], ["b", "a", "c"], ["a", "b"]),
        (["Violin"], ["violin"], ["violin"]),
        (["violin", "Violin"], ["VIOLIN", "Violin"], ["VIOLIN", "Violin"]),
        (["right hand", "left-hand"], ["Left_Hand", "right_hand"], [1, 0]),
        (["f\u00fcr"], ["fu\u0308r"], ["fu\u0308r"]),
        (["a", "b"], ["b"], [None, "b"]),
        (["a a", "a_a"], ["A A"], ["A A", None]),
    ],
)
def test_names_agree_but_for_case_and_spaces(references, estimates, expected):
    expected = [estimates[e] if isinstance(e, int) else e for e in expected]
    found = match_by_name(references, estimates)
    assert found == dict(zip(references, expected, strict=True))


@pytest.mark.parametrize(("n", "m"), [(4, 4), (3, 5), (1, 1)])
def test_no_assignment_scores_higher(rng, n, m):
    scores = rng.standard_normal((n, m))
    estimates = list(range(m))
    found = match_by_score(list(range(n)), estimates, scores)
    total = sum(scores[i, j] for i, j in found.items())
    for assignment in itertools.permutations(estimates, n):
        assert total >= sum(scores[range(n), assignment]) - 1e-12


def test_with_too_few_estimates_the_worst_references_stay_alone():
    scores = np.array([[5.0, 1.0], [9.0, 8.0], [0.0, -3.0]])
    found = match_by_score(["a", "b", "c"], ["x", "y"], scores)
    assert found == {"a": "x", "b": "y", "c": None}
