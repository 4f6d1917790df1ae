"""Flush to zero: numbers too small for full precision count as zero.

Multiplicative updates drive entries of W and H ever closer to zero. Below the least
normal number, 1.2e-38 in float32 and 2.2e-308 in float64, numbers are subnormal: they
have fewer digits, and Intel's processors, some of ARM's too, take up to a hundred times
longer over them. A thread can have zero stand for them, whether they go into an
operation or come out of it: in NumPy, SciPy and the BLAS as in compiled kernels.

Elsewhere than on x86-64 and 64-bit ARM nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import PYFUNCTYPE, c_uint64
from typing import Any

import numpy as np
from llvmlite import binding, ir

#: The processor, as LLVM calls it.
PROCESSOR = binding.get_process_triple().split("-")[0]

#: Bits of a thread's control register: of x86's MXCSR FTZ and DAZ, of ARM's FPCR FZ.
BITS = {"x86_64": 0x8040, "aarch64": 1 << 24, "arm64": 1 << 24}
FLUSH = BITS.get(PROCESSOR, 0)

INTEGER, SHORT, NOTHING = ir.IntType(64), ir.IntType(32), ir.VoidType()

# NumPy looks for the least subnormal number once, and warns where there is none.
for dtype in (np.float32, np.float64, np.longdouble):
    np.finfo(dtype)


@contextmanager
def flush_to_zero(on: bool = True) -> Iterator[None]:
    """Treat subnormal numbers as zero in this thread while inside, or not.

    Do not use it around a ``yield``: it would apply to the caller as well.
    """
    before = exchange(FLUSH if on else 0, FLUSH)
    try:
        yield
    finally:
        exchange(before & FLUSH, FLUSH)


def _compiled() -> Callable[[int, int], int]:
    """``exchange(bits, mask)``: set the register's bits under a mask; return the last.

    No library has such a function for every system, but LLVM knows the registers.
    """
    module = ir.Module()
    kind = ir.FunctionType(INTEGER, [INTEGER, INTEGER])
    function = ir.Function(module, kind, "exchange")
    builder = ir.IRBuilder(function.append_basic_block())
    bits, mask = function.args
    before = _read(builder)
    _write(builder, builder.or_(builder.and_(before, builder.not_(mask)), bits))
    builder.ret(before)
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), machine)
    address = engine.get_function_address("exchange")
    exchange = PYFUNCTYPE(c_uint64, c_uint64, c_uint64)(address)
    exchange.engine = engine  # type: ignore[attr-defined]  # as long as it is called
    return exchange


def _read(builder: Any) -> Any:
    """The control register."""
    if PROCESSOR != "x86_64":
        return _call(builder, INTEGER, "llvm.aarch64.get.fpcr")
    place = builder.alloca(SHORT)
    _call(builder, NOTHING, "llvm.x86.sse.stmxcsr", _untyped(builder, place))
    return builder.zext(builder.load(place), INTEGER)


def _write(builder: Any, value: Any) -> None:
    """Set it."""
    if PROCESSOR != "x86_64":
        _call(builder, NOTHING, "llvm.aarch64.set.fpcr", value)
        return
    place = builder.alloca(SHORT)
    builder.store(builder.trunc(value, SHORT), place)
    _call(builder, NOTHING, "llvm.x86.sse.ldmxcsr", _untyped(builder, place))


def _untyped(builder: Any, place: Any) -> Any:
    return builder.bitcast(place, ir.IntType(8).as_pointer())


def _call(builder: Any, returned: Any, name: str, *args: Any) -> Any:
    """A call of one of LLVM's own functions."""
    kind = ir.FunctionType(returned, [arg.type for arg in args])
    return builder.call(ir.Function(builder.module, kind, name), args)


exchange = _compiled() if FLUSH else lambda bits, mask: 0
