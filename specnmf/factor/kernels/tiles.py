"""Products of small matrices whose rows fill vector registers.

What the solvers multiply is a block of frames, small enough for a core's own cache,
with a few components. On such shapes a general BLAS spends much of its time
packing, and it knows nothing of the elementwise work in between; these loops are
called from within the kernels that do that work.

A tile is a C-contiguous matrix whose rows begin on a cache line. Its sides are padded
with zeros: the rows to multiples of 4, the columns to multiples of LINE bytes.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.kernels.divergences import FAST
from specnmf.jit import njit

T = TypeVar("T", bound=np.generic)

#: Bytes of a cache line, which the widest vector register fills.
LINE = 64

#: Rows that are worked on at a time: 4 x 4 numbers of one factor stay in registers.
ROWS = 4


@njit(cache=True, nogil=True, error_model="numpy")
def padded(n, multiple):
    """The least multiple of ``multiple`` that is not below n."""
    return (n + multiple - 1) // multiple * multiple


@njit(cache=True, nogil=True, error_model="numpy")
def new_tile(n_rows, n_columns, like):
    """A tile of zeros, of the dtype of ``like``, for so many rows and columns."""
    line = LINE // like.itemsize
    rows, columns = padded(n_rows, ROWS), padded(n_columns, line)
    room = np.zeros(rows * columns + line, like.dtype)
    first = (-(room.ctypes.data // like.itemsize)) % line
    return room[first : first + rows * columns].reshape((rows, columns))


@njit(cache=True, nogil=True, error_model="numpy")
def fill(row, value):
    """Set a row to a value. Written out, for slices take seconds to compile."""
    for j in range(row.size):
        row[j] = value


@njit(cache=True, nogil=True, error_model="numpy")
def copy(row, out):
    """Set the beginning of a row to another row."""
    for j in range(row.size):
        out[j] = row[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def add_product(A, B, C):
    """Add A B to C; A is (n_rows, n), B and C are tiles (n, ·) and (n_rows, ·)."""
    for i in range(0, C.shape[0], 4):
        c0, c1, c2, c3 = C[i], C[i + 1], C[i + 2], C[i + 3]
        for k in range(0, B.shape[0], 4):
            b0, b1, b2, b3 = B[k], B[k + 1], B[k + 2], B[k + 3]
            a00, a01, a02, a03 = A[i, k], A[i, k + 1], A[i, k + 2], A[i, k + 3]
            i1, i2, i3 = i + 1, i + 2, i + 3
            a10, a11, a12, a13 = A[i1, k], A[i1, k + 1], A[i1, k + 2], A[i1, k + 3]
            a20, a21, a22, a23 = A[i2, k], A[i2, k + 1], A[i2, k + 2], A[i2, k + 3]
            a30, a31, a32, a33 = A[i3, k], A[i3, k + 1], A[i3, k + 2], A[i3, k + 3]
            for j in range(C.shape[1]):
                x0, x1, x2, x3 = b0[j], b1[j], b2[j], b3[j]
                c0[j] += a00 * x0 + a01 * x1 + a02 * x2 + a03 * x3
                c1[j] += a10 * x0 + a11 * x1 + a12 * x2 + a13 * x3
                c2[j] += a20 * x0 + a21 * x1 + a22 * x2 + a23 * x3
                c3[j] += a30 * x0 + a31 * x1 + a32 * x2 + a33 * x3


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def set_inner(A, B, C):
    """Set C to A Bᵀ; A and B are tiles, C is (n_rows of A, n_rows of B)."""
    zero = A.dtype.type(0)
    for k in range(0, B.shape[0], 4):
        b0, b1, b2, b3 = B[k], B[k + 1], B[k + 2], B[k + 3]
        for i in range(0, A.shape[0], 4):
            a0, a1, a2, a3 = A[i], A[i + 1], A[i + 2], A[i + 3]
            s00 = s01 = s02 = s03 = zero
            s10 = s11 = s12 = s13 = zero
            s20 = s21 = s22 = s23 = zero
            s30 = s31 = s32 = s33 = zero
            for j in range(A.shape[1]):
                x0, x1, x2, x3 = b0[j], b1[j], b2[j], b3[j]
                y0, y1, y2, y3 = a0[j], a1[j], a2[j], a3[j]
                s00 += y0 * x0
                s01 += y0 * x1
                s02 += y0 * x2
                s03 += y0 * x3
                s10 += y1 * x0
                s11 += y1 * x1
                s12 += y1 * x2
                s13 += y1 * x3
                s20 += y2 * x0
                s21 += y2 * x1
                s22 += y2 * x2
                s23 += y2 * x3
                s30 += y3 * x0
                s31 += y3 * x1
                s32 += y3 * x2
                s33 += y3 * x3
            c0, c1, c2, c3 = C[i], C[i + 1], C[i + 2], C[i + 3]
            c0[k], c0[k + 1], c0[k + 2], c0[k + 3] = s00, s01, s02, s03
            c1[k], c1[k + 1], c1[k + 2], c1[k + 3] = s10, s11, s12, s13
            c2[k], c2[k + 1], c2[k + 2], c2[k + 3] = s20, s21, s22, s23
            c3[k], c3[k + 1], c3[k + 2], c3[k + 3] = s30, s31, s32, s33


@njit(cache=True, nogil=True, error_model="numpy")
def add_up(parts, out):
    """Set ``out`` to the sum of the parts (n, n_rows, n_columns), in their order."""
    for i in range(out.shape[0]):
        fill(out[i], out.dtype.type(0))
        for part in range(parts.shape[0]):
            for j in range(out.shape[1]):
                out[i, j] += parts[part, i, j]


def tile_of(A: NDArray[T]) -> NDArray[T]:
    """A copy of a matrix as a tile, the padding zero."""
    n_rows, n_columns = A.shape
    tile: NDArray[T] = new_tile(n_rows, n_columns, A)
    tile[:n_rows, :n_columns] = A
    return tile


def tiles_like(tile: NDArray[T], n: int) -> NDArray[T]:
    """So many tiles of the shape of one, zero, shape (n, n_rows, n_columns)."""
    n_rows, n_columns = tile.shape
    room: NDArray[T] = new_tile(n * n_rows, n_columns, tile)
    return room.reshape(n, n_rows, n_columns)
