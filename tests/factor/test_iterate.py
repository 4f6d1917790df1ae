"""The loop that all solvers share, and callbacks of several runs."""

import pytest

from specnmf.factor.iterate import Counted, iterate


class Costs:
    """A solver whose costs are known beforehand."""

    def __init__(self, *costs):
        self.cost, *self.rest = costs

    def step(self):
        self.cost = self.rest.pop(0)
        return self.cost


@pytest.mark.parametrize(
    ("costs", "tol", "expected"),
    [
        ((9, 5, 3, 2), 0, [5, 3]),  # as many as it may
        ((9, 0, -1), 0, [0]),  # there is no less
        ((9, 9, 3), 0, [9]),  # no step helps
        ((100, 98, 50), 0.02, [98]),  # too little
        ((100, 97, 50), 0.02, [97, 50]),
    ],
)
def test_the_loop_ends_when_there_is_no_more_to_be_had(costs, tol, expected):
    heard = []
    losses = iterate(
        Costs(*costs), max_iter=2, tol=tol, stop="cost",
        callback=lambda *call: heard.append(call),
    )  # fmt: skip
    assert losses == expected
    assert heard == list(enumerate(expected, start=1))


def test_iterations_of_several_runs_are_counted_together():
    heard = []
    counted = Counted(lambda *call: heard.append(call))
    for iteration, loss in ((1, 5.0), (2, 4.0), (1, 8.0), (2, 7.0)):
        counted(iteration, loss)
    assert heard == [(1, 5.0), (2, 4.0), (3, 8.0), (4, 7.0)]


def test_runs_are_counted_though_nobody_listens():
    counted = Counted(None)
    counted(1, 2.0)
    counted(1, 3.0)
    assert counted.count == 2
