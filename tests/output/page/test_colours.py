import re
from itertools import pairwise

from specnmf.output.page.colours import GREY, colours


def test_every_stem_has_a_colour_of_its_own():
    found = colours([f"stem {n}" for n in range(64)])
    assert all(re.fullmatch("#[0-9a-f]{6}", each) for each in found)
    assert len({*found}) == 64


def test_neighbours_are_told_apart():
    found = colours([f"stem {n}" for n in range(40)])
    split = [[int(each[k : k + 2], 16) for k in (1, 3, 5)] for each in found]
    for one, other in pairwise(split):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 60


def test_what_is_left_over_is_grey_and_takes_no_colour():
    with_rest = colours(["a", "rest", "b"])
    assert with_rest[1] == GREY
    assert [with_rest[0], with_rest[2]] == colours(["a", "b"])


def test_a_colour_stays_whatever_comes_after():
    names = [f"stem {n}" for n in range(20)]
    assert all(colours(names[:n]) == colours(names)[:n] for n in range(20))
