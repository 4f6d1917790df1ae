"""Scope: a band above a background is factorised, and all adds up."""

import numpy as np
import pytest

from specnmf import Factorization, Grid, Settings
from specnmf.methods.components.scope import Scope, components_of, left_out

GRID = Grid(sr=8000, n_samples=8000, n_fft=32, hop_length=8)  # 17 bins of 250 Hz


@pytest.fixture
def V(rng):
    return np.asfortranarray(rng.gamma(1, 1, (17, 400)).astype(np.float32))


def scope(V, whiten=0.0, **options):
    return Scope.of(V, GRID, Settings(**options), whiten=whiten)


def factors(seen, rng, k=2):
    W = rng.uniform(0.1, 1, (len(seen), k)).astype(np.float32)
    return Factorization(W, rng.uniform(size=(k, seen.shape[1])).astype(np.float32))


def test_each_bin_is_lowered_by_its_percentile(V):
    found = scope(V, whiten=30.0)
    levels = np.percentile(V, 30, axis=1).astype(np.float32)
    np.testing.assert_allclose(found.background, levels, rtol=1e-6)
    np.testing.assert_allclose(
        found.seen(V), np.maximum(V - levels[:, None], 0), rtol=1e-6
    )
    assert (found.seen(V) == 0).mean() == pytest.approx(0.3, abs=0.01)


def test_only_the_band_is_seen(V):
    found = scope(V, fmin=1000.0, fmax=2000.0)
    np.testing.assert_array_equal(found.seen(V), V[4:9])
    assert found.names == ("outside",)


def test_without_options_v_itself_is_seen(V, rng):
    found = scope(V)
    assert found.seen(V) is V
    own = factors(V, rng)
    assert found.completed(own) is own


def test_the_completed_model_has_the_energy_of_what_was_left_out(V, rng):
    found = scope(V, fmin=1000.0, fmax=2000.0, whiten=50.0)
    seen = found.seen(V)
    own = factors(seen, rng)
    whole = found.completed(own)
    assert whole.labels == (*own.labels, "background", "outside")
    P = whole.W @ whole.H
    np.testing.assert_allclose(
        P[4:9], own.W @ own.H + found.background[4:9, None], 1e-5
    )
    beyond = np.r_[0:4, 9:17]
    np.testing.assert_allclose((P[beyond] ** 2).sum(), (V[beyond] ** 2).sum(), 1e-5)
    assert not whole.W[beyond, :3].any()
    assert not whole.W[4:9, 3].any()
    back = components_of(whole)
    np.testing.assert_array_equal(back.W, found.placed(own.W))
    np.testing.assert_array_equal(back.H, own.H)


def test_v_silenced_is_completed_alike(V, rng):
    found = scope(V, fmin=1000.0, fmax=2000.0)
    silenced = found.silenced(V)
    np.testing.assert_array_equal(silenced[4:9], V[4:9])
    assert not silenced[:4].any()
    assert not silenced[9:].any()
    whole = found.completed(factors(silenced, rng))
    assert whole.labels[2:] == ("outside",)
    assert not whole.W[:4, :2].any()
    assert scope(V).silenced(V) is V


def test_every_bin_outside_the_band_has_a_model_in_silence():
    found = scope(np.zeros((17, 50), np.float32), fmin=1000.0)
    assert (found.outside[:4] > 0).all()
    assert not found.outside[4:].any()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("component_01",), ()),
        (("a", "outside"), ("outside",)),
        (("a", "background"), ("background",)),
        (("a", "background", "outside"), ("background", "outside")),
        (("outside", "a"), ()),
        ((), ()),
    ],
)
def test_what_is_left_out_is_told_by_the_last_labels(labels, expected):
    assert left_out(labels) == expected


@pytest.mark.parametrize(("last", "expected"), [(1.0, 1), (2.0, 2)])
def test_a_sound_called_outside_is_a_component(last, expected):
    H = np.array([[0.0, 1.0, 3.0], [1.0, 1.0, last]])
    own = components_of(Factorization(np.ones((4, 2)), H, labels=("a", "outside")))
    assert own.n_components == expected
