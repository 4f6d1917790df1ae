"""The support: entries by frame, and sums by template."""

import numpy as np
import pytest
import reference

from specnmf.factor.parametric.lobes import CHUNK, Lobes, Support

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


def test_chunks_hold_every_value_once(toy):
    lobes = toy().notes.lobes
    expected = reference.lobe_spectra(lobes, 40)
    found = np.zeros_like(expected)
    edges, place, values = lobes.chunks
    for c, m in np.ndindex(len(edges), edges.shape[1] - 1):
        for first, low, high, row in place[edges[c, m] : edges[c, m + 1]]:
            for d in range(low, high):
                found[c, d, m, first : first + CHUNK] += values[row + d]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("first", "n_bins"), [(0, 9), (2, 9), (3, 12), (30, 40)])
def test_chunks_reach_no_further_than_the_spectrum(first, n_bins):
    length = np.full((1, 2, 1), 6, np.int32)
    place = np.array([first, n_bins - 6], np.int32).reshape(1, 2, 1)
    offset = np.array([0, 6]).reshape(1, 2, 1)
    chunks = Lobes(place, length, offset, np.ones(12, np.float32)).chunks
    assert (chunks.place[:, 0] >= 0).all()
    assert (chunks.place[:, 0] + CHUNK <= n_bins).all()
    assert chunks.values.sum() == 12
