"""Compilation is told of while it goes on, and measured."""

import numba
import pytest

from specnmf.tasks.compiling import watched
from specnmf.tasks.stages import Stages


def new_kernel():
    inner = numba.njit(lambda x: x + 1)
    return numba.njit(lambda x: 2 * inner(x))


def test_compilation_is_told_of_once_and_timed():
    told = []
    with watched(told.append) as compilation:
        assert new_kernel()(3) == 8
    assert told == [True, False]
    assert compilation.seconds > 0


def test_what_is_compiled_already_is_not_told_of():
    kernel = new_kernel()
    kernel(3)
    told = []
    with watched(told.append) as compilation:
        kernel(4)
    assert told == []
    assert compilation.seconds == 0


@pytest.mark.parametrize("tell", [None, lambda *call: None])
def test_a_run_reports_it_only_if_there_was_any(tell):
    stages = Stages(tell)
    with stages.compiling():
        pass
    assert "compile" not in stages.seconds
    with stages.compiling():
        new_kernel()(3)
    assert stages.seconds["compile"] >= 0
