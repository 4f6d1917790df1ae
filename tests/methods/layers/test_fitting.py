"""Layers of a recording: the solvers in a row, and what labels weigh."""

from types import SimpleNamespace

import numpy as np
import pytest

from specnmf import LayerSettings, ParameterError, hierarchical_nmf, neural_nmf
from specnmf.methods.layers.fitting import expected_iterations, fit_layers

N_BINS, N_FRAMES = 33, 40


@pytest.fixture
def V(rng):
    return (rng.random((N_BINS, 6)) @ rng.random((6, N_FRAMES))).astype(np.float32)


def settings(**options):
    return LayerSettings(**{"ranks": (6, 3), "max_iter": 8, "tol": 0.0, **options})


def same(found, expected):
    pairs = zip([*found.A, *found.S], [*expected.A, *expected.S], strict=True)
    return all((one == other).all() for one, other in pairs)


def test_layers_are_found_one_after_another(V):
    heard = []
    found, n = fit_layers(
        V, settings(seed=3), callback=lambda *call: heard.append(call)
    )
    expected = hierarchical_nmf(V, (6, 3), beta=2, max_iter=8, tol=0, rng=3)
    assert same(found, expected)
    assert n == len(heard) == expected_iterations(settings()) == 16
    assert [iteration for iteration, _ in heard] == list(range(1, 17))


def test_layers_found_together_start_from_those(V):
    options = settings(method="neural")
    found, n = fit_layers(V, options)
    start, _ = fit_layers(V, settings())
    expected = neural_nmf(V, (6, 3), start=start, restarts=1, max_iter=8, tol=0, rng=0)
    assert same(found, expected)
    assert 16 < n <= expected_iterations(options) == 24


def test_labels_of_weight_one_weigh_as_much_as_the_sound(V):
    heard = np.zeros((2, N_FRAMES), bool)
    heard[0, :10] = heard[1, 10:15] = True
    marks = SimpleNamespace(heard=heard, annotated=heard.any(axis=0))
    for weight in (1.0, 0.5):
        found, _ = fit_layers(V, settings(label_weight=weight), marks)
        expected = hierarchical_nmf(
            V,
            (6, 3),
            beta=2,
            max_iter=8,
            tol=0,
            rng=0,
            labels=heard,
            label_mask=marks.annotated,
            label_weight=weight * float((V.astype(np.float64) ** 2).sum()) / 15,
        )
        np.testing.assert_allclose(found.B, expected.B, rtol=1e-4)


def test_more_components_than_fit_are_refused(V):
    with pytest.raises(ParameterError, match="at most 33 .* use smaller --ranks"):
        fit_layers(V, settings(ranks=(34, 2)))
