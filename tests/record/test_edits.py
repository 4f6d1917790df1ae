"""Edits as values, and what they make of stems."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import Edits, ParameterError
from specnmf.output.selection import Group
from specnmf.record.edits import MOST_EDITS, read_edits
from specnmf.record.plan import untouched, work_out

STEMS = [Group(("violin", "viola", "cello", "rest"))]
LAYERS = [
    Group(("component_01", "component_02", "component_03"), "layer_1"),
    Group(("component_01", "component_02"), "layer_2"),
]


def plan(groups=STEMS, **edits):
    everything = [range(len(group.names)) for group in groups]
    return work_out(untouched(groups, everything), Edits(**edits))


def names(made, place=0):
    return list(made.groups[place].names)


def members(made, place=0):
    return [stem.members for stem in made.groups[place].stems]


def test_plain_values_come_back_as_they_were():
    edits = Edits(
        merge={"strings": ("violin", "viola")},
        rename={"cello": "bass"},
        drop=["x"],
        gain={"bass": -6.0},
        pan={"bass": 0.5},
        order=("bass",),
        only=("bass",),
        without=("bass",),
    )
    assert Edits.from_plain(edits.to_plain()).to_plain() == edits.to_plain()
    assert Edits().to_plain() == {}
    assert bool(edits)
    assert not Edits()


@pytest.mark.slow  # many examples
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["merge", "gain", "drop", "a"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    )
)
def test_any_json_is_edits_or_one_error(content):
    with suppress(ParameterError):
        edits = read_edits([content])
        assert read_edits([each.to_plain() for each in edits]) == edits


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gain": {"a": float("nan")}}, "gain of a: expected -120 to 40 dB"),
        ({"gain": {"a": True}}, "gain of a: expected"),
        ({"pan": {"a": 1.5}}, r"pan of a: expected -1 to 1 \(left to right\), got 1.5"),
        ({"drop": "abc"}, "drop takes a list of names, got 'abc'"),
        ({"only": [""]}, "only takes names of 1 to 300 characters"),
        ({"merge": {"a": ()}}, "merge a has no stems"),
        ({"rename": {"a": 1}}, "rename a takes names"),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ParameterError, match=message):
        Edits(**values)


def test_lists_of_edits_have_an_end():
    with pytest.raises(ParameterError, match=f"at most {MOST_EDITS}"):
        read_edits([{}] * (MOST_EDITS + 1))
    with pytest.raises(ParameterError, match="at most 100000 names"):
        read_edits([{"drop": ["a"] * 100_001}])


def test_a_merged_stem_takes_the_place_of_its_first_member():
    made = plan(merge={"low": ["cello", "viola"]})
    assert names(made) == ["violin", "low", "rest"]
    assert members(made) == [(0,), (1, 2), (3,)]
    assert made.edits.to_plain() == {"merge": {"low": ["viola", "cello"]}}


def test_a_merged_stem_may_have_the_name_of_a_member():
    assert names(plan(merge={"viola": ["VIOL?"]})) == list(STEMS[0].names)
    made = plan(merge={"viola": ["VIOL?", "viol*"]})
    assert names(made) == ["viola", "cello", "rest"]


def test_names_can_be_exchanged():
    made = plan(rename={"violin": "viola", "viola": "violin"})
    assert names(made) == ["viola", "violin", "cello", "rest"]


@pytest.mark.parametrize(
    ("groups", "kept", "into"),
    [
        (STEMS, ["viola", "cello", "rest"], (0, 3)),
        ([Group(("violin", "viola", "residual"))], ["viola", "residual"], (0, 2)),
        ([Group(("violin", "viola"))], ["viola", "rest"], (0,)),
    ],
)
def test_dropped_stems_go_to_the_rest_there_is(groups, kept, into):
    made = plan(groups, drop=["violin"])
    assert names(made) == kept
    assert members(made)[-1] == into


def test_the_rest_takes_what_is_dropped_by_whatever_name():
    made = plan(rename={"rest": "noise"}, drop=["violin"], gain={"noise": 1})
    assert (names(made)[-1], members(made)[-1]) == ("noise", (0, 3))
    made = plan([Group(("a", "b", "c"))], rename={"a": "rest"}, drop=["c"])
    assert (names(made), members(made)) == (["rest", "b"], [(0, 2), (1,)])


def test_later_edits_go_by_new_names_old_ones_and_numbers():
    made = plan(
        merge={"low": ["2", "3"]},
        rename={"violin": "solo"},
        gain={"LOW": -6, "violin": 3, "4": 1},
        order=["rest", "solo"],
        only=["lo*"],
        without=["1"],
    )
    assert names(made) == ["rest", "solo", "low"]
    assert [stem.gain for stem in made.groups[0].stems] == [1, 3, -6]
    assert made.groups[0].written == {2}
    assert made.groups[0].without == (1,)
    assert made.left_out == ["rest", "solo"]
    assert made.edits.to_plain()["gain"] == {"solo": 3, "low": -6, "rest": 1}


def test_names_in_full_say_the_same_again():
    first = plan(merge={"low": ["2", "3"]}, gain={"4": 1}, order=["4"], drop=["1"])
    assert plan(**first.edits.to_plain()) == first


def test_in_layers_a_name_is_meant_in_each_layer_or_in_one():
    made = plan(LAYERS, merge={"low": ["component_01", "component_02"]})
    assert (names(made), names(made, 1)) == (["low", "component_03"], ["low"])
    made = plan(
        LAYERS,
        merge={"layer_1/low": ["1", "2"]},
        rename={"layer_2/1": "a"},
        gain={"layer_2/a": 2, "layer_1/low": 1},
    )
    assert names(made) == ["low", "component_03"]
    assert names(made, 1) == ["a", "component_02"]
    plain = made.edits.to_plain()
    assert plain["merge"] == {
        "layer_1/low": ["layer_1/component_01", "layer_1/component_02"]
    }
    assert plain["rename"] == {"layer_2/component_01": "a"}
    assert plan(LAYERS, **plain) == made


def test_what_was_not_written_stays_so_until_it_is_asked_for():
    before = untouched(STEMS, [[0, 1]])
    made = work_out(before, Edits(merge={"low": ["viola", "cello"]}))
    assert made.left_out == ["rest"]
    assert work_out(made, Edits(only=["*"])).left_out == []


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (
            {"merge": {"a": ["oboe"]}},
            "merge: no stem matches 'oboe'; the stems are violin",
        ),
        ({"drop": ["9"]}, "drop: no stem matches '9'; the stems are violin, viola"),
        ({"gain": {"oboe": 1}}, "gain: no stem matches 'oboe'; the stems are violin"),
        (
            {"merge": {"a": ["violin", "viola"], "b": ["viola"]}},
            "viola cannot be both merged into a and merged into b",
        ),
        (
            {"merge": {"a": ["violin", "viola"]}, "rename": {"viola": "b"}},
            "viola cannot be both merged into a and renamed b",
        ),
        (
            {"rename": {"viola": "b"}, "drop": ["viola"]},
            "viola cannot be both renamed b and dropped",
        ),
        ({"rename": {"viola": "cello"}}, "two stems would be named cello"),
        ({"rename": {"viola": "Cello"}}, "two stems would be named cello"),
        (
            {"merge": {"cello": ["violin", "viola"]}},
            "two stems would be named cello",
        ),
        (
            {"rename": {"viol*": "a"}},
            "rename takes one stem, but 'viol.' selects violin, viola",
        ),
        (
            {"rename": {"viola": "a/b"}},
            "'a/b' is not a valid file name on every system",
        ),
        (
            {"rename": {"viola": "nul"}},
            "'nul' is not a valid file name on every system",
        ),
        ({"merge": {"../a": ["1", "2"]}}, "'../a' is not a valid file name"),
        ({"drop": ["violin", "viola", "cello"]}, "drop selects all stems"),
        ({"drop": ["rest"]}, "rest cannot be dropped"),
        ({"drop": ["*"]}, "rest cannot be dropped"),
        (
            {"drop": ["viola"], "gain": {"viola": 1}},
            "gain: viola is dropped into rest; use rest",
        ),
        (
            {"merge": {"a": ["violin", "viola"]}, "only": ["viola"]},
            "only: viola is merged into a; use a",
        ),
        ({"gain": {"viola": 1, "viol*": 2}}, "gain has two values for viola"),
    ],
)
def test_contradictions_are_one_line(edits, message):
    with pytest.raises(ParameterError, match=message) as caught:
        plan(**edits)
    assert "\n" not in str(caught.value)


def test_of_a_single_stem_there_is_no_mix_without_it():
    with pytest.raises(ParameterError, match="without a: no other stem to mix"):
        plan([Group(("a",))], without=["a"])


@pytest.mark.parametrize("within", ["", "layer_1"])
def test_a_stem_needs_a_name(within):
    with pytest.raises(ParameterError, match="merge needs the name of a stem"):
        plan([Group(("a", "b"), within)], merge={f"{within}/": ["a", "b"]})


def test_edits_are_told_in_lines():
    edits = Edits(
        merge={"low": ["a", "b"]},
        rename={"c": "d"},
        drop=["e"],
        gain={"low": -6},
        pan={"d": -0.5, "low": 0},
        only=["low", "d"],
    )
    assert list(edits.sentences()) == [
        "low: sum of a and b",
        "c: renamed to d",
        "e: added to the rest",
        "low: gain -6 dB",
        "d: panned 50% to the left",
        "low: panned to the centre",
        "low and d: the only stems written",
    ]
