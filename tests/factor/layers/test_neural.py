"""neural_nmf: floors that no other model can beat, then what holds of all results."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls as scipy_nnls
from scipy.special import softmax

from specnmf import ParameterError
from specnmf.factor.layers import neural
from specnmf.factor.layers.hierarchical import hierarchical_nmf
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.neural import neural_nmf

LOSSES = ("reconstruction", "energy")
LABEL_LOSSES = ("l2", "cross-entropy")


def project(X, A):
    return np.stack([scipy_nnls(A, x)[0] for x in X.T], axis=1)


def energy(X, found):
    below = [X, *found.S[:-1]]
    return sum(
        ((lower - a @ s) ** 2).sum() / 2
        for lower, a, s in zip(below, found.A, found.S, strict=True)
    )


# --- reference ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranks", "restarts", "most"),
    [((9,), 1, 0.0240), ((9, 4), 8, 0.29), ((9, 4, 2), 2, 0.469)],
)
def test_toy_data_are_modelled_as_well_as_can_be(toy, floor, ranks, restarts, most):
    found = neural_nmf(toy.X, ranks, restarts=restarts)
    assert floor(ranks[-1]) <= found.error(toy.X) < most


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("labelled", [False, True])
def test_the_default_finds_the_floor_of_two_layers(toy, floor, labelled, seed):
    options = {"labels": toy.labels[1], "label_mask": toy.known} if labelled else {}
    found = neural_nmf(toy.X, (9, 4), rng=seed, **options)
    assert found.error(toy.X) < 1.015 * floor(4)


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("label_loss", LABEL_LOSSES)
@pytest.mark.parametrize("level", [0, 1, 2])
def test_labels_of_some_columns_tell_those_of_the_others(toy, label_loss, level):
    groups, ranks = toy.labels[level], (9, 4, 2)[: level + 1]
    found = neural_nmf(
        toy.X, ranks, labels=groups, label_mask=toy.known, label_loss=label_loss,
        label_weight=10, restarts=4,
    )  # fmt: skip
    assert np.mean(found.classes()[~toy.known] == groups[~toy.known]) > 0.95
    assert found.B.shape == (ranks[-1], ranks[-1])
    assert found.error(toy.X) < (0.03, 0.3, 0.5)[level]


@pytest.mark.parametrize("loss", LOSSES)
def test_activations_are_the_projections_of_the_templates(toy, loss):
    found = neural_nmf(toy.X, (6, 3), loss=loss, restarts=1, max_iter=30)
    for below, a, s in zip((toy.X, found.S[0]), found.A, found.S, strict=True):
        np.testing.assert_allclose(s, project(below, a), atol=1e-8)
        np.testing.assert_allclose(np.linalg.norm(a, axis=0), 1)
    assert min(part.min() for part in (*found.A, *found.S)) >= 0


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("label_loss", [None, *LABEL_LOSSES])
def test_losses_never_rise_and_the_last_is_that_of_the_result(toy, loss, label_loss):
    options = {}
    if label_loss is not None:
        options = {"labels": toy.labels[1], "label_mask": toy.known, "label_weight": 3}
        options |= {"label_loss": label_loss}
    rng = np.random.default_rng(0)
    A = [rng.random((87, 9)), rng.random((9, 4))]
    start = Layers(A, [np.zeros((9, 90)), np.zeros((4, 90))])
    found = neural_nmf(
        toy.X, (9, 4), loss=loss, start=start, restarts=1, max_iter=60, tol=0,
        **options,
    )  # fmt: skip
    assert (np.diff(found.losses) <= 0).all()
    assert found.losses[-1] < 0.9 * found.losses[0]
    squares = ((toy.X - found.product()) ** 2).sum() / 2
    cost = squares if loss == "reconstruction" else energy(toy.X, found)
    if label_loss is not None:
        Y = np.equal.outer(np.arange(4), toy.labels[1])[:, toy.known]
        P = found.predictions()[:, toy.known]
        said = ((Y - P) ** 2).sum() / 2
        if label_loss == "cross-entropy":
            said = -np.log(softmax(P, axis=0))[Y].sum()
        cost += 3 * said
        assert found.B.min() >= 0
    assert found.losses[-1] == pytest.approx(cost, rel=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("label_loss", [None, *LABEL_LOSSES])
def test_descents_get_the_gradient_of_the_cost(rng, monkeypatch, loss, label_loss):
    got = {}

    def descend(function, start, **options):
        got.update(function=function, start=start)
        return start, [function(start)[0]]

    monkeypatch.setattr(neural, "l_bfgs_b", descend)
    labels = {} if label_loss is None else {"labels": rng.integers(-1, 3, size=20)}
    labels |= {"label_loss": label_loss or "l2"}
    neural_nmf(10 * rng.random((8, 20)), (4, 3), loss=loss, restarts=1, **labels)
    function, point = got["function"], got["start"]
    towards, step = rng.standard_normal(len(point)), 1e-5
    ahead, behind = (function(point + part * towards)[0] for part in (step, -step))
    slope = function(point)[1] @ towards
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)
    louder = function(3 * point[: 8 * 4 + 4 * 3])[0] if label_loss is None else None
    assert louder in (None, pytest.approx(function(point)[0], rel=1e-12))


# --- properties ---------------------------------------------------------------------


@pytest.mark.slow  # many factorizations
@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    ranks=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    zeros=st.floats(0, 1),
    loss=st.sampled_from(LOSSES),
    label_loss=st.sampled_from([None, *LABEL_LOSSES]),
    weight=st.sampled_from([0, 1e-3, 1, 1e3]),
    seed=st.integers(0, 2**32 - 1),
)
@example(  # SciPy's line search ends higher than it began
    shape=(2, 3),
    ranks=[2, 3, 1],
    zeros=0.0,
    loss="reconstruction",
    label_loss=None,
    weight=0,
    seed=0,
)
def test_any_matrix_gives_finite_factors_and_falling_losses(
    shape, ranks, zeros, loss, label_loss, weight, seed
):
    rng = np.random.default_rng(seed)
    X = rng.random(shape) * (rng.random(shape) >= zeros)
    options = {}
    if label_loss is not None:
        options = {"labels": rng.integers(3, size=shape[1]), "label_loss": label_loss}
    found = neural_nmf(
        X, ranks, loss=loss, label_weight=weight, restarts=2,
        max_iter=15, tol=0, rng=seed, **options,
    )  # fmt: skip
    for part in (*found.A, *found.S, *([found.B] if options else [])):
        assert np.isfinite(part).all()
        assert part.min() >= 0
    assert np.isfinite(found.losses).all()
    assert (np.diff(found.losses) <= 0).all()
    assert len(found.losses) >= 1


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 1e3, 1e20])
def test_loud_and_soft_data_are_modelled_alike(toy, scale):
    options = {"restarts": 1, "max_iter": 60}
    options |= {"labels": toy.labels[0], "label_loss": "cross-entropy"}
    plain = neural_nmf(toy.X, (9,), label_weight=1, **options)
    scaled = neural_nmf(scale * toy.X, (9,), label_weight=scale**2, **options)
    assert scaled.error(scale * toy.X) == pytest.approx(plain.error(toy.X), abs=0.05)
    assert np.mean(scaled.classes() == toy.labels[0]) > 0.8


@pytest.mark.parametrize("label_loss", LABEL_LOSSES)
def test_the_number_of_threads_does_not_show(rng, label_loss):
    X, labels = rng.random((20, 600)), rng.integers(-1, 3, size=600)
    one, other = (
        neural_nmf(
            X, (5, 3), labels=labels, label_loss=label_loss,
            restarts=2, max_iter=5, threads=threads,
        )
        for threads in (1, 2)
    )  # fmt: skip
    for a, b in zip(
        (*one.A, *one.S, one.B), (*other.A, *other.S, other.B), strict=True
    ):
        assert a.tobytes() == b.tobytes()
    assert one.losses.tobytes() == other.losses.tobytes()


def test_single_precision_stays_single_and_close(toy):
    options = {"labels": toy.labels[0], "restarts": 1, "max_iter": 20}
    single = neural_nmf(toy.X.astype(np.float32), (9, 4), **options)
    same = neural_nmf(toy.X.astype(np.float32).astype(float), (9, 4), **options)
    parts = (*single.A, *single.S, single.B)
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}
    for own, double in zip(parts, (*same.A, *same.S, same.B), strict=True):
        np.testing.assert_allclose(own, double, rtol=1e-4, atol=1e-4)


def test_a_start_from_the_hierarchy_ends_no_worse(toy):
    start = hierarchical_nmf(toy.X, (9, 4), solver="mu")
    found = neural_nmf(toy.X, (9, 4), start=start, restarts=1, max_iter=20)
    assert found.error(toy.X) < start.error(toy.X)
    again = neural_nmf(toy.X, (9, 4), start=start, restarts=3, max_iter=20)
    first = neural_nmf(toy.X, (9, 4), start=start, restarts=1, max_iter=20)
    assert again.losses[-1] <= first.losses[-1]


@pytest.mark.slow  # many factorizations
def test_restarts_are_never_worse_and_seeds_differ(toy):
    last = [
        neural_nmf(toy.X, (9, 4), restarts=restarts, max_iter=100).losses[-1]
        for restarts in (1, 2, 4, 8)
    ]
    assert (np.diff(last) <= 0).all()
    assert last[0] > last[-1]
    one, same, other = (
        neural_nmf(toy.X, (3,), restarts=1, max_iter=3, rng=rng)
        for rng in (7, np.random.default_rng(7), 8)
    )
    assert one.S[0].tobytes() == same.S[0].tobytes()
    assert not np.allclose(one.S[0], other.S[0])


def test_the_callback_hears_of_all_starts_and_inputs_are_left_alone(toy):
    heard, X = [], toy.X.copy()
    found = neural_nmf(
        X, (5, 2), restarts=3, max_iter=4, tol=0,
        callback=lambda *call: heard.append(call),
    )  # fmt: skip
    assert [number for number, _ in heard] == list(range(1, 13))
    runs = np.reshape([loss for _, loss in heard], (3, 4))
    np.testing.assert_array_equal(found.losses, runs[runs[:, -1].argmin()])
    assert (X == toy.X).all()


def test_all_labels_of_a_kind_give_the_same(toy):
    topics = toy.labels[0]
    one_hot = np.equal.outer(np.arange(9), topics).astype(float)
    options = {"restarts": 1, "max_iter": 5}
    one = neural_nmf(toy.X, (9,), labels=np.where(toy.known, topics, -1), **options)
    for labels in (topics, one_hot, np.where(toy.known, one_hot, np.nan)):
        other = neural_nmf(
            toy.X, (9,), labels=labels, label_mask=toy.known, **options
        )  # fmt: skip
        assert other.B.tobytes() == one.B.tobytes()


# --- edges --------------------------------------------------------------------------


@pytest.mark.parametrize("ranks", [(3,), (3, 2)])
def test_zeros_are_modelled_by_zeros_with_a_loss(ranks):
    found = neural_nmf(np.zeros((5, 6)), ranks, labels=np.zeros(6, int))
    assert len(found.losses) >= 1
    assert found.losses[-1] == 3  # of six columns' labels
    assert all((s == 0).all() for s in found.S)


def test_a_start_that_is_exact_stays_so(rng):
    start = Layers([rng.random((6, 3))], [rng.random((3, 8))])
    X = start.product()
    found = neural_nmf(X, (3,), start=start, restarts=1, max_iter=5)
    assert found.error(X) < 1e-6
    assert len(found.losses) >= 1
    any_row = neural_nmf(
        np.ones((1, 8)),
        (2,),
    )
    assert any_row.error(np.ones((1, 8))) < 1e-6


@pytest.mark.parametrize("options", [{"max_iter": 1}, {"tol": 1.0}])
def test_the_shortest_descents_give_losses(toy, options):
    found = neural_nmf(toy.X, (9, 4), restarts=1, **options)
    assert len(found.losses) == (1 if "max_iter" in options else 10)


@pytest.mark.slow  # many factorizations
@pytest.mark.parametrize("label_loss", LABEL_LOSSES)
def test_rows_and_columns_of_zeros_are_no_harm(toy, label_loss):
    X = toy.X.copy()
    X[3], X[:, 7] = 0, 0
    found = neural_nmf(X, (9, 4), labels=toy.labels[1], label_loss=label_loss)
    assert (found.S[0][:, 7] == 0).all()
    assert found.A[0][3].max() < 0.03
    assert np.isfinite(found.product()).all()


def test_a_class_that_is_never_known_is_never_predicted(toy):
    known = np.ones((9, 90), bool)
    known[4] = False
    one_hot = np.equal.outer(np.arange(9), toy.labels[0])
    options = {"labels": one_hot, "label_mask": known, "max_iter": 20}
    found = neural_nmf(toy.X, (9,), **options)
    assert (found.B[4] == 0).all()
    with pytest.raises(ParameterError, match="needs a column whose labels are all"):
        neural_nmf(toy.X, (9,), label_loss="cross-entropy", **options)


# --- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ranks": ()}, "ranks must be the number of components of each layer"),
        ({"ranks": 2.0}, r"such as \[32, 8, 3\], got 2.0"),
        ({"ranks": (3, 0)}, "rank must be at least 1, got 0"),
        ({"X": np.ones(5)}, r"X must be a matrix, got shape \(5,\)"),
        ({"X": np.ones((0, 5))}, r"X must be a matrix, got shape \(0, 5\)"),
        ({"X": -np.ones((5, 6))}, "finite and non-negative, .* from -1.0 to -1.0"),
        ({"X": np.full((5, 6), np.nan)}, "X must be finite and non-negative"),
        ({"X": np.full((5, 6), np.inf)}, "X must be finite and non-negative"),
        ({"labels": [0, 1]}, r"labels must be \(n_classes, 6\)"),
        ({"labels": np.full(6, -1)}, "labels need 1 to 10000 classes, got 0"),
        (
            {"labels": np.zeros(6, int), "label_mask": np.ones(5, bool)},
            r"label_mask must be booleans of shape \(6,\) or \(1, 6\)",
        ),
        ({"label_weight": -1}, "label_weight must be at least 0, got -1"),
        ({"loss": "kl"}, "loss must be one of reconstruction, energy, got 'kl'"),
        ({"label_loss": "hinge"}, "label_loss must be one of l2, cross-entropy"),
        ({"restarts": 0}, "restarts must be at least 1"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"tol": -1}, "tol must be at least 0"),
        (
            {"start": Layers([np.ones((5, 3))], [np.ones((3, 6))])},
            r"the start needs A of shapes \[\(5, 3\), \(3, 2\)\], got \[\(5, 3\)\]",
        ),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    options = {"X": np.ones((5, 6)), "ranks": (3, 2), **change}
    with pytest.raises(ParameterError, match=message) as raised:
        neural_nmf(**options)
    assert "\n" not in str(raised.value)
