"""What is not finite is named in a line, before anything is computed from it.

A processor may warn of infinity in a product, of NaN in a comparison, or of neither.
Warnings are errors here as everywhere, and so is every flag that NumPy looks at.
"""

from functools import partial

import numpy as np
import pytest

import specnmf
from specnmf import Factorization, Layers, ParameterError, starts
from specnmf.factor.layers.projection import Projection
from specnmf.factor.nnls import nnls, solve_normal, solve_supports_of
from specnmf.factor.rank import choose_rank
from specnmf.parallel import workers

ONES = np.ones((5, 6))

START = Factorization(np.ones((5, 3)), np.ones((3, 6)))

LAYERS = [np.ones((5, 3)), np.ones((3, 2))], [np.ones((3, 6)), np.ones((2, 6))]

FITTED = specnmf.NMF(3, max_iter=2).fit(ONES)


def spoilt(values, bad, dtype=np.float64):
    """Values of which one in the middle is bad."""
    values = np.array(values, dtype)
    values[tuple(size // 2 for size in values.shape)] = bad
    return values


def layered(factorise, X=ONES, **options):
    return factorise(X, (3, 2), max_iter=2, **options)


def with_labels(factorise, Y, **options):
    return factorise(ONES, 3, labels=Y, max_iter=2, **options)


def with_start(A):
    start = Layers([A, LAYERS[0][1]], LAYERS[1])
    return specnmf.neural_nmf(ONES, (3, 2), start=start)


def by_gram(solve, gram, products):
    with workers(1) as mapper:
        return solve(gram, products, mapper=mapper)


def on_support(gram, products, *, mapper):
    return solve_supports_of(gram, products, np.ones((3, 6), bool), mapper=mapper)


#: What is called, the name of its argument that is not finite, and that without the
#: entry that is not.
MATRICES = {
    "nmf": (lambda V: specnmf.nmf(V, 3), "V", ONES),
    "nmf, mu": (lambda V: specnmf.nmf(V, 3, solver="mu", beta=0.5), "V", ONES),
    "nmf, all fixed": (
        lambda V: specnmf.nmf(V, START, beta=2, fixed=np.ones(3, bool)), "V", ONES,
    ),
    "W": (lambda W: Factorization(W, START.H), "W", START.W),
    "H": (lambda H: Factorization(START.W, H), "H", START.H),
    "random": (lambda V: starts.random(V, 3), "V", ONES),
    "nndsvd": (lambda V: starts.nndsvd(V, 3), "V", ONES),
    "beta_divergence, V": (lambda V: specnmf.beta_divergence(V, ONES, 1), "V", ONES),
    "beta_divergence, P": (lambda P: specnmf.beta_divergence(ONES, P, 1), "P", ONES),
    "choose_rank": (choose_rank, "V", ONES),
    "nnls, A": (lambda A: nnls(A, ONES), "A", START.W),
    "nnls, B": (lambda B: nnls(START.W, B), "B", ONES),
    "solve_normal, gram": (
        lambda G: by_gram(solve_normal, G, START.H), "A", np.eye(3),
    ),
    "solve_normal, products": (
        lambda C: by_gram(solve_normal, np.eye(3), C), "B", START.H,
    ),
    "solve_supports_of, gram": (
        lambda G: by_gram(on_support, G, START.H), "A", np.eye(3),
    ),
    "solve_supports_of, products": (
        lambda C: by_gram(on_support, np.eye(3), C), "B", START.H,
    ),
    "projection, gram": (
        lambda G: by_gram(Projection.of, G, START.H), "A", np.eye(3),
    ),
    "projection, products": (
        lambda C: by_gram(Projection.of, np.eye(3), C), "B", START.H,
    ),
    "semisupervised": (
        lambda X: specnmf.semisupervised_nmf(X, 3, labels=np.zeros(6, int)), "X", ONES,
    ),
    "semisupervised, mask": (
        lambda W: specnmf.semisupervised_nmf(
            ONES, 3, labels=np.zeros(6, int), data_mask=W
        ),
        "data_mask", ONES,
    ),
    "semisupervised, labels": (
        partial(with_labels, specnmf.semisupervised_nmf), "labels", ONES[:2],
    ),
    "hierarchical": (partial(layered, specnmf.hierarchical_nmf), "X", ONES),
    "hierarchical, labels": (
        partial(with_labels, specnmf.hierarchical_nmf), "labels", ONES[:2],
    ),
    "deep": (partial(layered, specnmf.deep_nmf), "X", ONES),
    "deep, signed": (partial(layered, specnmf.deep_nmf, signed=True), "X", ONES),
    "deep, labels": (partial(with_labels, specnmf.deep_nmf), "labels", ONES[:2]),
    "neural": (partial(layered, specnmf.neural_nmf), "X", ONES),
    "neural, labels": (partial(with_labels, specnmf.neural_nmf), "labels", ONES[:2]),
    "neural, start": (with_start, "the start's A", LAYERS[0][0]),
    "error": (lambda X: Layers(*LAYERS).error(X), "X", ONES),
    "fit": (lambda X: specnmf.NMF(3).fit(X), "X", ONES),
    "transform": (FITTED.transform, "X", ONES),
    "inverse_transform": (FITTED.inverse_transform, "X", START.W),
}  # fmt: skip


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", MATRICES)
def test_a_matrix_that_is_not_finite_is_named_without_a_warning(case, dtype, bad):
    call, name, values = MATRICES[case]
    with (
        np.errstate(all="raise"),
        pytest.raises(ValueError, match="finite|infinity|NaN") as raised,
    ):
        call(spoilt(values, bad, dtype))
    if case not in ("fit", "transform"):  # where scikit-learn has its own words
        assert isinstance(raised.value, ParameterError)
        assert f"{name} must be " in str(raised.value)
        assert "\n" not in str(raised.value)


FACTORISE = (
    partial(specnmf.nmf, ONES, 3),
    partial(specnmf.semisupervised_nmf, ONES, 3, labels=np.zeros(6, int)),
    partial(specnmf.hierarchical_nmf, ONES, 3),
    partial(specnmf.deep_nmf, ONES, 3),
    partial(specnmf.neural_nmf, ONES, 3),
)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(
    ("factorise", "option"),
    [
        (factorise, option)
        for factorise in FACTORISE
        for option in ("tol", "beta", "label_beta", "label_weight")
        if option in factorise.func.__kwdefaults__
    ],
)
def test_a_number_that_is_not_finite_is_named_without_a_warning(factorise, option, bad):
    with (
        np.errstate(all="raise"),
        pytest.raises(ParameterError, match="beta|tol|weigh"),
    ):
        factorise(**{option: bad})


def test_products_too_large_for_a_number_are_named_without_a_warning():
    huge = np.full((5, 3), 1e200)
    with np.errstate(all="raise"), pytest.raises(ParameterError, match="scale it down"):
        nnls(huge, ONES)
    with (
        np.errstate(all="raise"),
        pytest.raises(ParameterError, match="data_mask must"),
    ):
        specnmf.semisupervised_nmf(
            ONES.astype(np.float32), 3, labels=np.zeros(6, int), data_mask=1e200 * ONES
        )
