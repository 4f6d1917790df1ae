"""Sums among recordings: against how they were made."""

from itertools import permutations

import numpy as np
import pytest

from specnmf.evaluation.sums import is_same, left_out, sums


@pytest.fixture
def stems(rng):
    return {name: 0.1 * rng.standard_normal((2, 4000)) for name in "abcd"}


def test_a_sum_is_recognised_with_its_parts(stems):
    a, b, c, d = stems.values()
    assert sums(stems) == {}
    assert sums({**stems, "rest": b + c + d}) == {"rest": ("b", "c", "d")}
    assert sums({"all": a + b + c + d, **stems}) == {"all": ("a", "b", "c", "d")}
    assert sums({"a": a, "b": b, "mono": a - b}) == {"a": ("b", "mono")}


def test_sums_of_sums_are_all_recognised(stems):
    a, b, c, d = stems.values()
    more = {"ab": a + b, "bcd": b + c + d, "all": a + b + c + d, "song": a + b + c + d}
    for names in permutations(more):
        found = sums({**stems, **{name: more[name] for name in names}})
        assert set(found) == set(more)
        assert found["ab"] == ("a", "b")


def test_a_copy_is_the_sum_of_the_first(stems):
    copied = {**stems, "again": stems["b"].copy()}
    assert sums(copied) == {"again": ("b",)}


def test_rounding_does_not_hide_a_sum_and_a_level_is_none(stems):
    a, b, *_ = stems.values()
    rounded = {"a": a, "b": b, "ab": np.round(300 * (a + b)) / 300}
    assert sums(rounded) == {"ab": ("a", "b")}
    assert sums({"a": a, "b": b, "ab": 0.9 * (a + b)}) == {}
    assert sums({"a": a, "half": a / 2}) == {}
    assert sums({"a": a, "b": b, "ab": a + b + 0.1 * stems["c"]}) == {}


def test_silence_is_no_part(stems):
    a, b, *_ = stems.values()
    assert sums({"a": a, "silent": 0 * a, "b": b}) == {}
    assert sums({"x": 0 * a, "y": 0 * a}) == {}
    assert sums({"a": a, "silent": 0 * a, "b": b, "ab": a + b}) == {"ab": ("a", "b")}


def test_what_has_no_estimate_is_left_out(stems):
    a, b, c, _ = stems.values()
    references = {"a": a, "b": b, "c": c, "bc": b + c}
    for estimates, by_name in (("abc", True), (["a", "b", "c", "bc"], True), ("", 0)):
        out, said = left_out(references, list(estimates), by_name=by_name)
        assert (out, said) == ({"bc"}, ["bc: the sum of b and c, left out"])
    out, said = left_out(references, ["a", "BC"], by_name=True)
    assert out == {"b", "c"}
    assert said == ["b, c: part of bc, which has an estimate, left out"]


def test_of_copies_the_one_with_an_estimate_stays(stems):
    a, b, *_ = stems.values()
    references = {"a": a, "rest": b, "b": b}
    out, said = left_out(references, ["a", "b"], by_name=True)
    assert (out, said) == (
        {"rest"},
        ["rest: part of b, which has an estimate, left out"],
    )
    out, said = left_out(references, ["a", "rest"], by_name=True)
    assert (out, said) == ({"b"}, ["b: the same recording as rest, left out"])
    out, said = left_out(references, ["rest", "b"], by_name=True)
    assert out == set()
    assert said == ["b: the same recording as rest, so their SIR means nothing"]
    assert left_out(references, ["x", "y"], by_name=False) == (out, said)


def test_the_same_is_the_same_at_one_level(stems):
    a, b, *_ = stems.values()
    assert is_same(a, a + 1e-4 * b)
    assert not is_same(a, a + 0.1 * b)
    assert not is_same(a, 2 * a)
    assert not is_same(a, -a)
