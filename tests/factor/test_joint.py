"""Joint majorisation: the EM algorithm, a bound that holds, and fewer iterations."""

import numpy as np
import pytest
import reference

from specnmf import nmf, starts
from specnmf.factor import joint
from specnmf.factor.joint import JointMajorisation
from specnmf.factor.kernels.joint import beyond, relaxed
from specnmf.parallel import workers


@pytest.fixture
def V(rng):
    return rng.random((40, 4)) ** 2 @ rng.random((4, 60)) ** 2 + 0.1


def solver_for(V, start, mapper, beta):
    return JointMajorisation(
        np.ascontiguousarray(V.T),
        np.ascontiguousarray(start.W.T),
        start.H,
        beta=beta,
        learned=np.ones(start.n_components, bool),
        mapper=mapper,
    )


def joint_update(V, W, H, beta):
    """Marmin, Goulart and Févotte 2023: both factors from one WH."""
    P = W @ H
    if beta == 1:  # with templates of sum 1, EM (Shashanka, Raj and Smaragdis 2008)
        W, H = W / W.sum(axis=0), H * W.sum(axis=0)[:, None]
        updated = W * ((V / P) @ H.T)
        return updated / updated.sum(axis=0), H * (W.T @ (V / P))
    new = H * np.sqrt((W.T @ (V / P**2)) / (W.T @ (1 / P)))
    ratio = ((V / P**2) @ (H**2 / new).T) / ((1 / P) @ new.T)
    return W * np.sqrt(ratio), new


@pytest.mark.parametrize("beta", [0, 1])
def test_plain_updates_follow_the_reference(V, beta, monkeypatch):
    monkeypatch.setitem(joint.EXCESS, beta, 0.0)
    start = starts.random(V, 4, rng=3)
    with workers(1) as mapper:
        solver = solver_for(V, start, mapper, beta)
        W, H = start.W, start.H
        for _ in range(5):
            solver.inertia = 1.0  # forgets the momentum
            solver.step()
            W, H = joint_update(V, W, H, beta)
            found = solver.factors()
            np.testing.assert_allclose(found[0].T @ found[1], W @ H, rtol=1e-10)
            expected = reference.beta_divergence(V, W @ H, beta)
            assert solver.cost == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("beta", [0, 1])
def test_it_takes_far_fewer_iterations_than_multiplicative_updates(V, beta):
    start = starts.random(V, 4, rng=3)
    plain = nmf(V, start, beta=beta, solver="mu", max_iter=200, tol=0)
    fast = nmf(V, start, beta=beta, solver="joint", max_iter=120, tol=0)
    assert fast.losses[-1] <= plain.losses[-1]


@pytest.mark.parametrize("beta", [0, 1])
def test_zeros_of_the_start_stay_zero(V, beta, rng):
    start = starts.random(V, 4, rng=3)
    start.W[rng.random(start.W.shape) < 0.3] = 0
    start.H[rng.random(start.H.shape) < 0.3] = 0
    result = nmf(V, start, beta=beta, max_iter=50, tol=0)
    assert (result.W[start.W == 0] == 0).all()
    assert (result.H[start.H == 0] == 0).all()


@pytest.mark.kernels
@pytest.mark.parametrize("beta", [0, 1])
def test_rejected_steps_leave_the_factors_as_they_were(V, beta):
    with workers(1) as mapper:
        solver = solver_for(V, starts.random(V, 3), mapper, beta)
        solver.step()
        before = solver.factors()
        solver.cost = 0.0  # nothing can be better
        assert solver.step() == 0.0
        for now, then in zip(solver.factors(), before, strict=True):
            assert (now == then).all()


@pytest.mark.kernels
@pytest.mark.parametrize("excess", [0.0, 0.075, 0.1])
def test_relaxed_is_nearly_a_power(excess):
    for factor in (0.5, 0.9, 1.0, 1.2, 2.0):
        power = factor ** (1 + 2 * excess)
        assert relaxed(factor, excess) == pytest.approx(power, rel=1e-2)
    assert relaxed(0.0, excess) == 0.0


@pytest.mark.kernels
def test_to_go_beyond_keeps_zeros_and_signs():
    assert beyond(0.0, 1.0, 0.9) == pytest.approx(0.0)
    assert beyond(2.0, 0.0, 0.9) == 2.0
    assert beyond(1.5, 1.0, 0.5) == pytest.approx(1.5 * 1.25)
    assert beyond(1e9, 1e-20, 0.5) == pytest.approx(2e9)
    assert 0 < beyond(1e-9, 1.0, 0.99) < 1e-9
