"""What a browser sends, read and checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import Note, ParameterError, Region
from specnmf.studio.messages import (
    COLUMNS,
    note_of,
    read_message,
    regions_of,
    revision_of,
    rows_of,
)

ROW = {"start": [0.5], "end": [1.0], "pitch": [60], "stem": [0]}

texts = st.sampled_from(["", "a", "name", "start", "REST", "\ud800", "\0\n", "9" * 99])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner),
    max_leaves=8,
)


def rows(**changes):
    return rows_of({"notes": {**ROW, **changes}}, 2)


def test_a_note_is_a_row_with_defaults():
    (row,) = rows()
    assert note_of(row, "flute") == Note(0.5, 0.5, 60, velocity=80, part="flute")


def test_all_of_a_note_is_read():
    more = {"velocity": [9], "confidence": [0.5], "cents": [-20], "percussion": [1]}
    (row,) = rows(**more)
    note = note_of(row, "")
    assert note == Note(0.5, 0.5, 60, 9, "", True, cents=-20, confidence=0.5)


@pytest.mark.parametrize(
    "changes",
    [
        {"start": [-1]},
        {"start": [1.0]},
        {"end": [1e9]},
        {"pitch": [60.5]},
        {"pitch": [128]},
        {"pitch": [True]},
        {"stem": [2]},
        {"stem": [-2]},
        {"stem": [0.5]},
        {"velocity": [0]},
        {"velocity": [1e300]},
        {"cents": [101]},
        {"confidence": [1.1]},
        {"start": ["0"]},
        {"start": [None]},
        {"start": [10**400]},
        {"start": 0.5},
        {"end": []},
        {"pitch": None},
    ],
)
def test_what_is_no_note_is_refused(changes):
    with pytest.raises(ParameterError):
        rows(**changes)


def test_regions_are_in_order_and_rest_is_small():
    told = [
        {"name": "b", "start": 2, "end": 3},
        {"name": " REST\n", "start": 0.5, "end": 1},
    ]
    expected = (Region(0.5, 1.0, "rest"), Region(2.0, 3.0, "b"))
    assert regions_of({"regions": told}) == expected


@pytest.mark.parametrize(
    "region",
    [
        None,
        {"name": "a", "start": 0},
        {"name": "", "start": 0, "end": 1},
        {"name": "a", "start": 1, "end": 1},
        {"name": "a", "start": -1, "end": 1},
        {"name": 5, "start": 0, "end": 1},
        {"name": "a", "start": True, "end": 2},
    ],
)
def test_what_is_no_region_is_refused(region):
    with pytest.raises(ParameterError):
        regions_of({"regions": [region]})


def test_there_are_not_too_many_names():
    told = [{"name": f"{n}", "start": n, "end": n + 1} for n in range(65)]
    with pytest.raises(ParameterError, match="names"):
        regions_of({"regions": told})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(ParameterError):
        read_message(body)


@pytest.mark.parametrize("revision", [None, True, 1.0, "1", [], {}])
def test_a_revision_is_a_whole_number(revision):
    with pytest.raises(ParameterError, match="revision"):
        revision_of({"revision": revision})


@pytest.mark.slow  # many examples
@given(st.dictionaries(st.sampled_from([*COLUMNS, "more"]), values))
def test_whatever_notes_are_they_are_read_or_refused(columns):
    try:
        found = rows_of({"notes": columns}, 2)
    except ParameterError:
        return
    assert all(0 <= note_of(row, "").pitch <= 127 for row in found)


@given(values)
def test_whatever_regions_are_they_are_read_or_refused(regions):
    try:
        found = regions_of({"regions": regions})
    except ParameterError:
        return
    assert all(region.end > region.start for region in found)
