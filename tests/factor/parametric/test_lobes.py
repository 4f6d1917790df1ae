"""The support: entries by frame, and sums by template."""

import numpy as np

from specnmf.factor.parametric.lobes import Support

SUPPORT = Support(np.array([0, 2, 2, 3]), np.array([1, 4, 1]))


def test_each_entry_has_its_frame():
    assert SUPPORT.n_frames == 3
    np.testing.assert_array_equal(SUPPORT.frame, [0, 0, 2])


def test_values_of_entries_are_summed_by_template():
    values = np.array([1.0, 10.0, 100.0], np.float32)
    np.testing.assert_array_equal(SUPPORT.totals(values, 6), [0, 101, 0, 0, 10, 0])


def test_a_support_may_be_empty():
    nothing = Support(np.zeros(4, np.int64), np.zeros(0, np.int64))
    assert nothing.n_frames == 3
    assert len(nothing.frame) == 0
    np.testing.assert_array_equal(nothing.totals(np.zeros(0), 2), [0, 0])
