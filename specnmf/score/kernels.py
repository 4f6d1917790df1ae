"""The inner loops of the alignment.

Features lie frame by frame (``n_frames, n_dimensions``). The grid of a score's frames
(rows) by a recording's (columns) is kept only inside a band: row i from column
``first[i]`` to before ``last[i]``, one row after the other in a flat array.

At each cell a path is in one of three states: it matches the two frames, it leaves
out rows, or, perhaps after rows, it leaves out columns.
"""

import numpy as np

from specnmf.jit import njit

MATCHED, ROWS_OUT, COLUMNS_OUT = range(3)

#: A cell's byte. Its low bits say how a match is reached; ``DIAGONAL + state`` is a
#: diagonal step from that state, ``DIAGONAL`` itself from a match.
START, DOWN, RIGHT, DIAGONAL = range(4)
STEP_BITS = 7

#: Its high bits hold the state before a row, or a column, was left out.
ROWS_SHIFT, COLUMNS_SHIFT = 3, 5

#: No NaN reaches these loops; infinity does.
FAST = {"reassoc", "contract", "nsz", "arcp"}


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _dot(x, y):
    total = np.float32(0)
    for k in range(x.shape[0]):
        total += x[k] * y[k]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _squares(X):
    squares = np.empty(X.shape[0], np.float32)
    for i in range(X.shape[0]):
        squares[i] = _dot(X[i], X[i])
    return squares


@njit(cache=True, nogil=True)
def _sums(prices):
    sums = np.zeros(prices.shape[0] + 1)
    for i in range(prices.shape[0]):
        sums[i + 1] = sums[i] + prices[i]
    return sums


@njit(cache=True, nogil=True, error_model="numpy")
def _least(a, b, c):
    if a <= b and a <= c:
        return a, 0
    if b <= c:
        return b, 1
    return c, 2


@njit(cache=True, nogil=True, error_model="numpy")
def fill_steps(X, Y, first, last, weights, begins, skips, steps):
    """Fill in how the best path reaches each cell; return its end.

    ``weights`` are those of a diagonal and of a straight step. ``begins`` says for
    each row, and each column, what it costs to begin there to leave out frames within
    the music, ``skips`` what it costs to leave it out.
    """
    diagonal, straight = weights
    begin_rows, begin_columns = begins
    skip_rows, skip_columns = skips
    rows_before, columns_before = _sums(skip_rows), _sums(skip_columns)
    n, m = X.shape[0], Y.shape[0]
    rows_squared, columns_squared = _squares(X), _squares(Y)
    width = np.max(last - first)
    # a column beside the band on either side, where no path ever is
    above = np.full((3, width + 2), np.inf)
    now = np.full((3, width + 2), np.inf)
    best, end_row, end_column = np.inf, 0, 0
    shift, cell = 0, 0
    for i in range(n):
        if i:
            shift = first[i] - first[i - 1]
        now[:, 0] = np.inf
        n_above = last[i - 1] - first[i - 1] if i else 0
        for j in range(first[i], last[i]):
            k = j - first[i] + 1
            up = min(k + shift, n_above + 1)
            slant = min(k + shift - 1, n_above + 1)
            squared = 0.5 * (rows_squared[i] + columns_squared[j])
            cost = max(0.0, squared - _dot(X[i], Y[j]))

            origin, state = _least(above[0, slant], above[1, slant], above[2, slant])
            least, step = origin + diagonal * cost, DIAGONAL + state
            if above[0, up] + straight * cost < least:
                least, step = above[0, up] + straight * cost, DOWN
            if now[0, k - 1] + straight * cost < least:
                least, step = now[0, k - 1] + straight * cost, RIGHT
            started = rows_before[i] + columns_before[j] + cost
            if started < least:
                least, step = started, START

            rows, before_row = _least(
                above[0, up] + begin_rows[i], above[1, up], np.inf
            )
            columns, before_column = _least(
                now[0, k - 1] + begin_columns[j], now[1, k - 1], now[2, k - 1]
            )
            now[0, k] = least
            now[1, k], now[2, k] = rows + skip_rows[i], columns + skip_columns[j]
            steps[cell] = (
                step | before_row << ROWS_SHIFT | before_column << COLUMNS_SHIFT
            )
            cell += 1
            rows_left = rows_before[n] - rows_before[i + 1]
            ended = least + rows_left + columns_before[m] - columns_before[j + 1]
            if ended < best:
                best, end_row, end_column = ended, i, j
        now[:, last[i] - first[i] + 1] = np.inf
        now, above = above, now
    return end_row, end_column


@njit(cache=True, nogil=True)
def trace(steps, starts, first, row, column, path):
    """Fill in, from its end backwards, the cells that a path matches; count them.

    Row i's steps begin at ``starts[i]``. What is left out shows as a jump.
    """
    n, state = 0, MATCHED
    while True:
        byte = steps[starts[row] + column - first[row]]
        if state == ROWS_OUT:
            row, state = row - 1, byte >> ROWS_SHIFT & 3
        elif state == COLUMNS_OUT:
            column, state = column - 1, byte >> COLUMNS_SHIFT & 3
        else:
            path[n, 0], path[n, 1] = row, column
            n += 1
            step = byte & STEP_BITS
            if step == START:
                return n
            if step != RIGHT:
                row -= 1
            if step != DOWN:
                column -= 1
            if step >= DIAGONAL:
                state = step - DIAGONAL
