"""Eight float32 numbers at a time, in a vector register of compiled kernels.

Numba vectorises loops, but not their bodies: for short rows, whose sums shall stay in
registers, kernels use these functions. Without compilation they are plain NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_item_pointer, unpack_tuple
from numba.extending import lower_builtin, models, register_model, type_callable
from numpy.typing import NDArray

#: Numbers in a vector.
WIDTH = 8

Float32 = NDArray[np.float32]

_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)

#: A product and a sum may become one instruction, and sums have any order.
_FLAGS = ("contract", "nsz", "reassoc")


class _Eight(types.Type):
    """The type of a vector in compiled code."""

    def __init__(self) -> None:
        super().__init__(name="specnmf_eight")


_EIGHT = _Eight()


@register_model(_Eight)
class _EightModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def zeros() -> Float32:
    """A vector of zeros."""
    return np.zeros(WIDTH, np.float32)


def load(array: Float32, first: tuple[int, ...]) -> Float32:
    """Eight numbers of a row from an index on; nothing checks that they are there."""
    *row, place = first
    there: Float32 = array[tuple(row)][place : place + WIDTH]
    return there.copy()


def number(array: Float32, place: int) -> np.float32:
    """A number of a row; nothing checks that it is there."""
    return np.float32(array[place])


def store(array: Float32, first: tuple[int, ...], vector: Float32) -> None:
    """Write a vector to a row from an index on."""
    *row, place = first
    array[tuple(row)][place : place + WIDTH] = vector


def plus(vector: Float32, scale: np.float32, other: Float32) -> Float32:
    """A vector, plus ``scale`` times another."""
    return vector + scale * other


def product(vector: Float32, other: Float32) -> Float32:
    """The products of two vectors' numbers."""
    return vector * other


def add(vector: Float32, other: Float32) -> Float32:
    """The sums of two vectors' numbers."""
    return vector + other


def subtract(vector: Float32, other: Float32) -> Float32:
    """The differences of two vectors' numbers."""
    return vector - other


def scaled(vector: Float32, scale: np.float32) -> Float32:
    """``scale`` times a vector."""
    return vector * scale


def fused(vector: Float32, one: Float32, other: Float32) -> Float32:
    """A vector, plus the products of two others' numbers."""
    return vector + one * other


def store_columns(
    array: Float32, first: tuple[int, ...], rows: tuple[Float32, ...]
) -> None:
    """Write the columns of eight vectors, one after the other, from an index on."""
    *row, place = first
    numbers = np.stack(rows, axis=1).ravel()
    array[tuple(row)][place : place + numbers.size] = numbers


def apart(one: Float32, other: Float32) -> tuple[Float32, Float32]:
    """The numbers at even places of two vectors, and those at odd places."""
    both = np.concatenate([one, other])
    return both[::2], both[1::2]


def backwards(vector: Float32) -> Float32:
    """A vector's numbers, the last first."""
    return vector[::-1]


def total(vector: Float32) -> np.float32:
    """The sum of a vector's numbers."""
    return np.float32(vector.sum())


# --- the same for the compiler ----------------------------------------------------

_Lower = Callable[[Any, Any, Any, Any], Any]
_lowered: Callable[..., Callable[[_Lower], _Lower]] = lower_builtin


# Arrays are indexed here, for each view of a part of them would be counted.


@type_callable(zeros)
def _type_zeros(context: Any) -> Any:
    return lambda: _EIGHT


@type_callable(load)
def _type_load(context: Any) -> Any:
    return lambda array, first: _EIGHT


@type_callable(number)
def _type_number(context: Any) -> Any:
    return lambda array, place: types.float32


@type_callable(store)
def _type_store(context: Any) -> Any:
    return lambda array, first, vector: types.none


@type_callable(plus)
def _type_plus(context: Any) -> Any:
    return lambda vector, scale, other: _EIGHT


@type_callable(product)
def _type_product(context: Any) -> Any:
    return lambda vector, other: _EIGHT


@type_callable(add)
def _type_add(context: Any) -> Any:
    return lambda vector, other: _EIGHT


@type_callable(subtract)
def _type_subtract(context: Any) -> Any:
    return lambda vector, other: _EIGHT


@type_callable(scaled)
def _type_scaled(context: Any) -> Any:
    return lambda vector, scale: _EIGHT


@type_callable(fused)
def _type_fused(context: Any) -> Any:
    return lambda vector, one, other: _EIGHT


@type_callable(store_columns)
def _type_store_columns(context: Any) -> Any:
    return lambda array, first, rows: types.none


@type_callable(apart)
def _type_apart(context: Any) -> Any:
    return lambda one, other: types.UniTuple(_EIGHT, 2)


@type_callable(backwards)
def _type_backwards(context: Any) -> Any:
    return lambda vector: _EIGHT


@type_callable(total)
def _type_total(context: Any) -> Any:
    return lambda vector: types.float32


@_lowered(zeros)
def _lower_zeros(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return ir.Constant(_VECTOR, [0.0] * WIDTH)


@_lowered(load, types.Array, types.BaseTuple)
def _lower_load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    place = _place(context, builder, signature.args, args)
    return builder.load(place, align=4)


@_lowered(number, types.Array, types.Integer)
def _lower_number(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    kind, index = signature.args
    array = context.make_array(kind)(context, builder, args[0])
    place = context.cast(builder, args[1], index, types.intp)
    return builder.load(get_item_pointer(context, builder, kind, array, [place]))


@_lowered(store, types.Array, types.BaseTuple, _EIGHT)
def _lower_store(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    place = _place(context, builder, signature.args, args)
    builder.store(args[2], place, align=4)
    return context.get_dummy_value()


@_lowered(plus, _EIGHT, types.float32, _EIGHT)
def _lower_plus(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    vector, scale, other = args
    more = builder.fmul(_spread(builder, scale), other, flags=_FLAGS)
    return builder.fadd(vector, more, flags=_FLAGS)


@_lowered(product, _EIGHT, _EIGHT)
def _lower_product(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.fmul(*args, flags=_FLAGS)


@_lowered(add, _EIGHT, _EIGHT)
def _lower_add(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.fadd(*args, flags=_FLAGS)


@_lowered(subtract, _EIGHT, _EIGHT)
def _lower_subtract(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.fsub(*args, flags=_FLAGS)


@_lowered(scaled, _EIGHT, types.float32)
def _lower_scaled(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.fmul(args[0], _spread(builder, args[1]), flags=_FLAGS)


@_lowered(fused, _EIGHT, _EIGHT, _EIGHT)
def _lower_fused(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    more = builder.fmul(args[1], args[2], flags=_FLAGS)
    return builder.fadd(args[0], more, flags=_FLAGS)


@_lowered(store_columns, types.Array, types.BaseTuple, types.BaseTuple)
def _lower_store_columns(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    rows = unpack_tuple(builder, args[2])
    for step in (1, 2):  # within halves; these are stored apart
        rows = _exchanged(builder, rows, step)
    place = _place(context, builder, signature.args, args)
    half = ir.VectorType(ir.FloatType(), WIDTH // 2)
    halves = builder.bitcast(place, half.as_pointer())
    for i, row in enumerate(rows):
        for part in range(2):
            lanes = range(part * WIDTH // 2, (part + 1) * WIDTH // 2)
            column = i % 4 + 4 * part
            to = builder.gep(halves, [ir.Constant(ir.IntType(64), 2 * column + i // 4)])
            builder.store(_shuffled(builder, row, row, lanes), to, align=4)
    return context.get_dummy_value()


@_lowered(apart, _EIGHT, _EIGHT)
def _lower_apart(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    one, other = args
    parts = [_shuffled(builder, one, other, range(i, 2 * WIDTH, 2)) for i in range(2)]
    return context.make_tuple(builder, signature.return_type, parts)


@_lowered(backwards, _EIGHT)
def _lower_backwards(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _shuffled(builder, args[0], args[0], range(WIDTH - 1, -1, -1))


@_lowered(total, _EIGHT)
def _lower_total(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    single = ir.FloatType()
    kind = ir.FunctionType(single, [single, _VECTOR])
    name = f"llvm.vector.reduce.fadd.v{WIDTH}f32"
    add_up = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(add_up, [ir.Constant(single, 0.0), args[0]], fastmath=_FLAGS)


def _spread(builder: Any, scale: Any) -> Any:
    """A number, eight times."""
    lane = ir.Constant(ir.IntType(32), 0)
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scale, lane)
    return _shuffled(builder, one, one, [0] * WIDTH)


def _exchanged(builder: Any, rows: list[Any], step: int) -> list[Any]:
    """Rows ``step`` apart, whose numbers beside the diagonal change places."""
    upper = [i if not i & step else i - step + WIDTH for i in range(WIDTH)]
    lower = [i + step if not i & step else i + WIDTH for i in range(WIDTH)]
    out = list(rows)
    for i in range(WIDTH):
        if not i & step:
            out[i] = _shuffled(builder, rows[i], rows[i + step], upper)
            out[i + step] = _shuffled(builder, rows[i], rows[i + step], lower)
    return out


def _shuffled(builder: Any, one: Any, other: Any, lanes: Iterable[int]) -> Any:
    """The numbers at some places of two vectors."""
    places = [*lanes]
    kind = ir.VectorType(ir.IntType(32), len(places))
    return builder.shuffle_vector(one, other, ir.Constant(kind, places))


def _place(context: Any, builder: Any, kinds: Any, args: Any) -> Any:
    """A pointer to the first of the numbers."""
    array = context.make_array(kinds[0])(context, builder, args[0])
    indices = [
        context.cast(builder, index, kind, types.intp)
        for index, kind in zip(unpack_tuple(builder, args[1]), kinds[1], strict=True)
    ]
    first = get_item_pointer(context, builder, kinds[0], array, indices)
    return builder.bitcast(first, _VECTOR.as_pointer())
