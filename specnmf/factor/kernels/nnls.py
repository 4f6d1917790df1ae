"""The inner loops of non-negative least squares, one column after another.

A column asks for x >= 0 with y = Gx - c >= 0 and x_i y_i = 0, in double precision,
where G has a diagonal of ones, or zero for an empty component. The passive set holds
the components that may be positive, where y is zero; elsewhere x is zero.

``factor`` holds the Cholesky factor of G on the passive set, below its diagonal, and
``order`` the components of its rows, then -1. Rows of the components with which both
the last set and the next begin are kept: neighbouring frames have much the same notes.
``vectors`` has the reciprocals of the diagonal, room, the minimiser for the passive
set, its gradient, and, where components enter singly, the point reached and its
gradient.

Loops stand where NumPy's expressions would do: those take seconds to compile.
"""

import numpy as np

from specnmf.factor.kernels.divergences import FAST
from specnmf.jit import njit

#: A component depends on others if the square of its part outside their span is
#: below this share of its own, which the rounding of G can make up. It stays zero.
LEAST_PIVOT = 1e-13

#: A gradient is negative if it is so by this share of the column's largest product.
TOLERANCE = 1e-12

#: Exchanges that may go by without fewer infeasible components than ever before.
PATIENCE = 3

#: The active-set method ends after so many solves for each component.
MOST_SOLVES = 10


@njit(cache=True, nogil=True, error_model="numpy")
def _list_passive(passive, order):
    """List the passive set in ``order``; return where it changed, and its size."""
    changed, size = -1, 0
    for i in range(passive.shape[0]):
        if passive[i]:
            if changed < 0 and order[size] != i:
                changed = size
            order[size] = i
            size += 1
    for i in range(size, order.shape[0]):
        order[i] = -1
    return changed if changed >= 0 else size, size


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _factorize(gram, order, first, size, factor, inverse):
    """Compute the rows of the Cholesky factor from ``first`` on.

    A dependent component gets a zero for its reciprocal, which makes its part of
    the solution zero as well.
    """
    for i in range(first, size):
        component = order[i]
        pivot = gram[component, component]
        for j in range(i):
            entry = gram[component, order[j]]
            for m in range(j):
                entry -= factor[i, m] * factor[j, m]
            entry *= inverse[j]
            factor[i, j] = entry
            pivot -= entry * entry
        inverse[i] = 1 / np.sqrt(pivot) if pivot > LEAST_PIVOT else 0.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _substitute(factor, inverse, order, size, c, z):
    """Solve L Lᵀ z = c for the listed components, forwards, then backwards."""
    for i in range(size):
        rest = c[order[i]]
        for j in range(i):
            rest -= factor[i, j] * z[j]
        z[i] = rest * inverse[i]
    for i in range(size - 1, -1, -1):
        known = z[i] * inverse[i]
        z[i] = known
        for j in range(i):
            z[j] -= factor[i, j] * known


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _solve_passive(gram, c, passive, factor, order, vectors):
    """Minimise over the passive set, which loses the components that depend."""
    inverse, z, x, y = vectors[0], vectors[1], vectors[2], vectors[3]
    first, size = _list_passive(passive, order)
    _factorize(gram, order, first, size, factor, inverse)
    _substitute(factor, inverse, order, size, c, z)
    for i in range(c.shape[0]):
        x[i], y[i] = 0.0, -c[i]
    for j in range(size):
        component, weight = order[j], z[j]
        for i in range(c.shape[0]):
            y[i] += gram[component, i] * weight
    for j in range(size):
        x[order[j]], y[order[j]] = z[j], 0.0
        passive[order[j]] = inverse[j] > 0


@njit(cache=True, nogil=True, error_model="numpy")
def _exchange(x, y, free, tolerance, passive):
    """Move infeasible components to the other set; return how many there were."""
    count = 0
    for i in range(x.shape[0]):
        if x[i] < 0 or (free[i] and y[i] < -tolerance):
            passive[i] = not passive[i]
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _pivot_blocks(gram, c, free, passive, tolerance, factor, order, vectors):
    """Exchange all infeasible components until none is left; return whether so."""
    x, y = vectors[2], vectors[3]
    fewest, patience = x.shape[0] + 1, PATIENCE
    while patience >= 0:
        _solve_passive(gram, c, passive, factor, order, vectors)
        count = _exchange(x, y, free, tolerance, passive)
        if count == 0:
            return True
        patience = PATIENCE if count < fewest else patience - 1
        fewest = min(fewest, count)
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _step(x, target, passive):
    """Go from x >= 0 towards the target until a component reaches zero.

    Such components leave the passive set. Return whether the target was reached.
    """
    length = 1.0
    for i in range(x.shape[0]):
        if passive[i] and target[i] <= 0:
            length = min(length, x[i] / (x[i] - target[i]) if x[i] > 0 else 0.0)
    reached = True
    for i in range(x.shape[0]):
        blocks = passive[i] and target[i] <= 0
        if blocks and (x[i] <= 0 or x[i] / (x[i] - target[i]) <= length):
            passive[i], reached, x[i] = False, False, 0.0
        else:
            part = max(0.0, x[i] + length * (target[i] - x[i]))
            x[i] = target[i] if length == 1 else part
    return reached


@njit(cache=True, nogil=True, error_model="numpy")
def _steepest(y, free, tolerance):
    """The component with the most negative gradient, or -1."""
    steepest, least = -1, -tolerance
    for i in range(y.shape[0]):
        if y[i] < least and free[i]:
            steepest, least = i, y[i]
    return steepest


@njit(cache=True, nogil=True, error_model="numpy")
def _copy(source, target):
    for i in range(source.shape[0]):
        target[i] = source[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _mark_positive(x, passive):
    for i in range(x.shape[0]):
        passive[i] = x[i] > 0


@njit(cache=True, nogil=True, error_model="numpy")
def _activate_singly(gram, c, free, passive, tolerance, factor, order, vectors):
    """Let components enter one at a time, so that the cost falls with each.

    One that would enter below zero depends on the others, up to rounding, and may
    try again only after another has entered.
    """
    best, y, x, slope = vectors[2], vectors[3], vectors[4], vectors[5]
    for i in range(x.shape[0]):
        x[i] = 0.0
    entered = -1
    for _ in range(MOST_SOLVES * x.shape[0]):
        _solve_passive(gram, c, passive, factor, order, vectors)
        if entered >= 0 and best[entered] <= 0:
            _mark_positive(x, passive)
            slope[entered] = 0.0
        elif _step(x, best, passive):
            _copy(y, slope)
        else:
            entered = -1
            continue
        entered = _steepest(slope, free, tolerance)
        if entered < 0:
            return
        passive[entered] = True
    _mark_positive(x, passive)


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_column(gram, c, free, passive, factor, order, vectors, x):
    largest = 0.0
    for i in range(c.shape[0]):
        passive[i] = passive[i] and free[i]
        largest = max(largest, abs(c[i]))
    tolerance = TOLERANCE * largest
    if _pivot_blocks(gram, c, free, passive, tolerance, factor, order, vectors):
        _copy(vectors[2], x)
    else:
        _activate_singly(gram, c, free, passive, tolerance, factor, order, vectors)
        _copy(vectors[4], x)


@njit(cache=True, nogil=True, error_model="numpy")
def solve_supports(gram, products, passive, work, X):
    """Fill X (n_columns, n_components) with the minimisers over each column's set.

    They are zero elsewhere, and of any sign within.
    """
    factor, order, vectors = work
    for t in range(X.shape[0]):
        _solve_passive(gram, products[t], passive[t], factor, order, vectors)
        _copy(vectors[2], X[t])


@njit(cache=True, nogil=True, error_model="numpy")
def solve_columns(gram, products, free, passive, warm, work, X):
    """Fill X (n_columns, n_components) with the solutions, ``passive`` with their sets.

    A column starts at its own passive set if ``warm``, else at its neighbour's.
    ``work`` is (factor, order, vectors).
    """
    factor, order, vectors = work
    for t in range(X.shape[0]):
        c, own = products[t], passive[t]
        if not warm:
            for i in range(X.shape[1]):
                own[i] = passive[t - 1, i] if t else c[i] > 0
        _solve_column(gram, c, free[t], own, factor, order, vectors, X[t])
