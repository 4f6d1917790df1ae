"""Which sources are written."""

import pytest

from specnmf import ParameterError
from specnmf.output.options import OutputOptions, parse_names
from specnmf.output.selection import Group, left_out, select

STEMS = [Group(("violin I", "Violin II", "viola", "3", "kick_drum"))]
LAYERS = [
    Group(("component_01", "component_02", "component_03"), "layer_1"),
    Group(("component_01", "component_02"), "layer_2"),
]


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ((), [0, 1, 2, 3, 4]),
        (("viola",), [2]),
        (("VIOLA", "Violin i"), [0, 2]),
        (("violin*",), [0, 1]),
        (("v?ola", "viola", "*a"), [2]),
        (("1", "5"), [0, 4]),
        (("3",), [3]),  # the name goes before the number
        (("kick/drum",), [4]),  # as labels may be called
        (("[vk]i*",), [0, 1, 2, 4]),
        (("*",), [0, 1, 2, 3, 4]),
    ],
)
def test_sources_are_chosen_by_name_pattern_or_number(only, chosen):
    assert select(STEMS, only) == [chosen]
    rest = [STEMS[0].names[n] for n in range(5) if n not in chosen]
    assert left_out(STEMS, [chosen]) == rest


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        (("2",), [[1], [1]]),
        (("3",), [[2], []]),
        (("component_02",), [[1], [1]]),
        (("layer_2/component_01",), [[], [0]]),
        (("layer_2/1", "Layer_1/03"), [[2], [0]]),
        (("layer_2/*",), [[], [0, 1]]),
    ],
)
def test_of_several_groups_one_may_be_named(only, chosen):
    assert select(LAYERS, only) == chosen


def test_what_is_left_out_is_named_with_its_group():
    assert left_out(LAYERS, [[0, 1, 2], [0]]) == ["layer_2/component_02"]


@pytest.mark.parametrize("wrong", ["cello", "0", "6", "-1", "layer_3/1", "²", "1/", ""])
def test_what_there_is_not_is_an_error_that_lists_what_there_is(wrong):
    message = "the sources are violin I, Violin II, viola, 3, kick_drum$"
    with pytest.raises(ParameterError, match=message) as caught:
        select(STEMS, ("viola", wrong))
    assert str(caught.value).startswith(f"only: no source matches {wrong!r}")


def test_of_very_many_sources_some_are_listed():
    many = [Group([f"note {n}" for n in range(100)])]
    with pytest.raises(ParameterError, match="note 23 and 76 more$"):
        select(many, ["x"])


def test_names_come_with_commas_or_alone():
    assert parse_names(["a, b", "c"]) == ("a", "b", "c")
    assert parse_names("1,3") == ("1", "3")
    for empty in (["a,"], [""], ["a", " "]):
        with pytest.raises(ParameterError, match="got an empty name"):
            parse_names(empty)
    assert OutputOptions(only=parse_names("a")).only == ("a",)
