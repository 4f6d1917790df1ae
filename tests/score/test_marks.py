"""Marks: regions as frames, in a recording or an excerpt of it."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import ScoreError
from specnmf.score.marks import bounded, frames_of, mark, runs
from specnmf.score.regions import Region

TIMES = np.arange(11) / 10  # a frame each tenth of a second, to 1 s


def marks(*regions, times=TIMES, duration=1.0, **options):
    return mark([Region(*r) for r in regions], times, duration=duration, **options)


def rows(found):
    return {
        name: np.flatnonzero(row).tolist()
        for name, row in zip(found.names, found.heard, strict=True)
    }


@given(
    st.lists(st.tuples(*[st.floats(0, 1.2)] * 2, st.sampled_from("abc")), max_size=8)
)
def test_a_frame_is_heard_if_its_centre_lies_in_a_region(triples):
    regions = [Region(min(a, b), max(a, b), name) for a, b, name in triples]
    found = frames_of(regions, ("a", "b", "c"), TIMES)
    for row, name in enumerate("abc"):
        own = [region for region in regions if region.name == name]
        expected = [any(r.start <= t < r.end for r in own) for t in TIMES]
        assert found.heard[row].tolist() == expected
    assert found.annotated.tolist() == found.heard.any(axis=0).tolist()


def test_what_is_not_marked_beside_a_mark_is_absent_and_elsewhere_unknown():
    found = marks((0.05, 0.35, "piano"), (0.25, 0.45, "violin"), (0.75, 0.95, "rest"))
    assert rows(found) == {"piano": [1, 2, 3], "violin": [3, 4]}
    assert np.flatnonzero(found.annotated).tolist() == [1, 2, 3, 4, 8, 9]
    assert found.remarks == ()


def test_sounds_are_in_order_of_first_appearance():
    found = marks((0.5, 0.7, "a"), (0.1, 0.2, "c"), (0.3, 0.4, "b"), (0.8, 0.9, "c"))
    assert found.names == ("c", "b", "a")


@pytest.mark.parametrize("rest", ["rest", "REST", "Rest"])
def test_rest_in_any_case_is_no_sound(rest):
    found = marks((0.0, 0.2, rest), (0.5, 0.7, "piano"))
    assert found.names == ("piano",)
    assert found.annotated[:2].all()
    assert found.remarks == ()


def test_names_that_differ_in_case_or_accents_encoding_are_one_sound():
    found = marks((0, 0.2, "Flo\u0308te"), (0.5, 0.7, "FLÖTE"), (0.8, 0.9, "Flöte"))
    assert rows(found) == {"Flo\u0308te": [0, 1, 5, 6, 8]}
    (remark,) = found.remarks
    assert remark.endswith("are treated as one sound, Flo\u0308te")
    assert "and FLÖTE" in remark


def test_a_sound_that_overlaps_itself_is_joined_with_a_remark():
    found = marks((0.1, 0.35, "piano"), (0.3, 0.5, "piano"), (0.15, 0.2, "piano"))
    assert rows(found) == {"piano": [1, 2, 3, 4]}
    assert found.remarks == (
        "regions of piano overlap (0.1 to 0.35 s and 0.15 to 0.2 s): joined",
    )


def test_regions_that_touch_neither_overlap_nor_contradict():
    found = marks((0, 0.2, "piano"), (0.2, 0.4, "piano"), (0.4, 0.6, "rest"))
    assert rows(found) == {"piano": [0, 1, 2, 3]}
    assert found.remarks == ()


def test_a_region_that_goes_on_after_the_end_is_cut_with_a_remark():
    found = marks((0.75, 1.5, "piano"))
    assert rows(found) == {"piano": [8, 9]}
    (remark,) = found.remarks
    assert remark == (
        "piano from 0.75 to 1.5 s cut: goes beyond the end of the recording at 1 s"
    )
    assert marks((0.75, 1.005, "piano")).remarks == ()


def test_regions_after_the_end_are_left_out_with_a_remark():
    found = marks((0, 0.2, "piano"), (3, 4, "piano"), (5.5, 6, "horn"))
    assert found.names == ("piano",)
    assert found.remarks == (
        "piano from 3 to 4 s and 1 more left out: after the end of the recording at "
        "1 s",
        "horn is not marked in any frame of the excerpt: left out",
    )


def test_an_excerpt_has_the_regions_that_lie_in_it_on_its_clock():
    regions = (4.0, 5.25, "piano"), (5.55, 9.0, "violin"), (20, 21, "horn")
    found = marks(*regions, start=5.0, ends=False)
    assert rows(found) == {"piano": [0, 1, 2], "violin": [6, 7, 8, 9]}
    (remark,) = found.remarks
    assert remark.startswith("horn is not marked in any frame")


def test_a_region_between_two_frames_leaves_its_sound_out():
    found = marks((0.11, 0.19, "click"), (0.5, 0.7, "piano"))
    assert rows(found) == {"piano": [5, 6]}
    assert not found.annotated[1:3].any()
    assert found.remarks == (
        "click is not marked in any frame of the excerpt: left out",
    )


@pytest.mark.parametrize(
    ("regions", "options", "message"),
    [
        ([(0, 1, "rest")], {}, "only rest is marked; mark where a sound is heard"),
        ([(0.2, 0.6, "piano"), (0.1, 0.3, "REST")], {}, "piano is marked from 0.2 to "
         "0.6 s, and rest, where no sound is heard, from 0.1 to 0.3 s; shorten one"),
        ([(0.1, 0.9, "rest"), (0.2, 0.3, "a")], {}, "from 0.1 to 0.9 s; shorten one"),
        ([(9, 9.5, "rest"), (9.4, 10, "a"), (0, 1, "a")], {}, "from 9 to 9.5 s"),
        ([(1, 2, "a"), (7, 8, "b")], {}, "all regions are after the end of the "
         "recording at 1 s; do they belong to another recording?"),
        ([(0, 1, "a"), (7, 8, "b")], {"start": 3.0, "ends": False}, "no sound is "
         "marked from 3 to 4 s; mark one, or choose another excerpt"),
        ([(0, 1, "a"), (3, 4, "rest")], {"start": 3.0}, "no sound is marked from 3"),
        ([(0.11, 0.19, "a")], {}, "all regions are shorter than a frame"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(regions, options, message):
    with pytest.raises(ScoreError, match=re.escape(message)):
        marks(*regions, **options)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_runs_mark_the_frames_that_they_are_made_of(active):
    times = np.arange(len(active)) * 512 / 44100
    found = runs(np.array([active]), ["a"], times, duration=len(active) * 512 / 44100)
    again = frames_of(found, ["a"], times)
    assert again.heard[0].tolist() == active
    assert len(found) == sum(np.diff([0, *active]) == 1)


def test_runs_begin_and_end_between_frames_but_not_outside_the_recording():
    active = np.array([[1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0], [0] * 10 + [1]], bool)
    found = runs(active, ["a", "b"], TIMES, duration=1.02)
    assert [region.name for region in found] == ["a", "a", "b"]
    np.testing.assert_allclose(
        [region[:2] for region in found], [(0, 0.15), (0.75, 0.85), (0.95, 1.02)]
    )


def test_a_recording_of_one_frame_has_runs_as_well():
    found = runs(np.array([[True]]), ["a"], np.zeros(1), duration=0.3, start=5.0)
    assert found == (Region(5.0, 5.3, "a"),)


def test_bounds_belong_to_a_sound_whatever_its_spelling():
    regions = [Region(0, 1, "Bird"), Region(2, 3, "bird"), Region(3, 4, "cow")]
    marks = mark(regions, np.arange(0, 5, 0.5), duration=5.0)
    found = bounded(marks, {"bird": (100, 200), "Bird": (150, 300), "dog": (1, 2)})
    assert found.bounds == {"Bird": (100, 300)}
