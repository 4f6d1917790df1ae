"""Kernels: the one that approximates."""

import numpy as np

from specnmf.factor.kernels import divergences as kernels


def test_the_logarithm_is_single_precisions(rng):
    x = np.concatenate(
        [np.exp(rng.uniform(-80, 80, 20_000)), 1 + rng.uniform(-1e-3, 1e-3, 20_000)]
    ).astype(np.float32)
    found = np.array([kernels._log_single(value) for value in x])
    exact = np.log(x.astype(np.float64))
    assert (np.abs(found - exact) <= 2e-7 * np.maximum(1, np.abs(exact))).all()
