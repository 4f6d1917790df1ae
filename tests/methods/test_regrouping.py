"""Stems added up, made louder and placed, as integers and floats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf.methods.regrouping import NewStem, add_up, level, limits, matrix, mixed

KINDS = {8: np.int32, 16: np.int16, 24: np.int32, 32: np.int32, None: np.float32}


def frames(rng, bits, n_stems=4, share=1.0):
    if bits is None:
        return list(rng.standard_normal((n_stems, 50, 2)).astype(np.float32))
    low, high = (round(share * limit) for limit in limits(bits))
    shape = n_stems, 50, 2
    return list(rng.integers(low, high, shape, endpoint=True).astype(KINDS[bits]))


@pytest.mark.parametrize("bits", KINDS)
def test_sums_are_exact_and_others_stay_as_they_are(rng, bits):
    own = frames(rng, bits, share=0.5)
    stems = [NewStem("a", (1,)), NewStem("b", (0, 3)), NewStem("c", (2,))]
    (a, b, c), held = add_up(own, stems, bits)
    assert held == 0
    assert a is own[1]
    assert c is own[2]
    expected = own[0].astype(np.float64) + own[3]
    np.testing.assert_array_equal(b, expected.astype(KINDS[bits]))
    assert b.dtype == KINDS[bits]


@given(st.integers(0, 2**32 - 1), st.sampled_from([8, 16, 24, 32]))
def test_what_a_sum_cannot_hold_goes_to_others(seed, bits):
    """Stems that add up to a recording do so whatever is merged."""
    rng = np.random.default_rng(seed)
    low, high = limits(bits)
    first = [own.astype(np.int64) for own in frames(rng, bits, 3)]
    whole = rng.integers(low, high, first[0].shape, endpoint=True)
    last = np.clip(whole - sum(first), low, high)
    own = [f.astype(KINDS[bits]) for f in (*first, last)]
    whole = sum(f.astype(np.int64) for f in own)
    fits = (whole >= low) & (whole <= high)
    stems = [NewStem("a", (0, 1, 2)), NewStem("b", (3,))]
    made, held = add_up(own, stems, bits)
    total = sum(f.astype(np.int64) for f in made)
    np.testing.assert_array_equal(total[fits], whole[fits])
    assert held >= 0


def test_frames_are_not_changed(rng):
    own = frames(rng, 16)
    before = [f.copy() for f in own]
    stems = [NewStem("a", (0, 1), gain=-3, pan=0.2), NewStem("b", (2, 3))]
    level(add_up(own, stems, 16)[0], stems, 16)
    np.testing.assert_array_equal(own, before)


def test_gains_are_in_decibels():
    np.testing.assert_allclose(matrix(20, 0, 2), 10 * np.eye(2))
    np.testing.assert_allclose(matrix(-6, 0, 1), [[0.501187]], rtol=1e-5)


@pytest.mark.parametrize(
    ("pan", "expected"),
    [
        (0, [[1, 0], [0, 1]]),
        (-1, [[1, 1], [0, 0]]),
        (1, [[0, 0], [1, 1]]),
        (0.5, [[np.sqrt(0.5), 0], [np.sqrt(0.5), 1]]),
    ],
)
def test_pans_are_those_of_web_audio(pan, expected):
    np.testing.assert_allclose(matrix(0, pan, 2), expected, atol=1e-12)


def test_gains_hold_at_full_scale_and_count(rng):
    own = [np.array([[20000, -20000]], np.int16)]
    (louder,), held = level(own, [NewStem("a", (0,), gain=6)], 16)
    np.testing.assert_array_equal(louder, [[32767, -32768]])
    assert held == 2
    (same,), held = level(own, [NewStem("a", (0,))], 16)
    assert same is own[0]
    (floats,), held = level(
        [np.ones((1, 2), np.float32)], [NewStem("a", (0,), 20)], None
    )
    np.testing.assert_allclose(floats, 10)
    assert (held, floats.dtype) == (0, np.float32)


@pytest.mark.parametrize("bits", KINDS)
def test_a_mix_is_the_sum_of_its_stems(rng, bits):
    own = frames(rng, bits, share=0.2)
    mix, beyond = mixed(own, bits)
    expected = np.sum(own, axis=0, dtype=np.float64).astype(KINDS[bits])
    np.testing.assert_array_equal(mix, expected)
    assert (beyond, mix.dtype) == (0, KINDS[bits])


def test_a_mix_beyond_full_scale_is_held_and_counted():
    own = [np.full((3, 1), 30000, np.int16)] * 2
    mix, beyond = mixed(own, 16)
    assert (mix.max(), beyond) == (32767, 3)
