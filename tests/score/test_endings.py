"""Endings: what brackets mean that are too short, wrongly numbered or left out."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specnmf.score.endings import named, settle
from specnmf.score.musicxml_signs import passes
from specnmf.score.repeats import RepeatMarks, order


def bracket(text):
    """What an ending is called: its number, or its number and its text."""
    number, _, own = text.partition("=")
    return passes(number), passes(own)


def marks(*measures):
    """Marks from words: |: and :| a repeat, x3 its times, [1 and 1] an ending."""
    found = []
    for words in measures:
        mark = RepeatMarks()
        for word in words.split():
            if word == "|:":
                mark.forward = True
            elif word == ":|":
                mark.backward = max(2, mark.backward)
            elif word.startswith("x"):
                mark.backward = int(word[1:])
            elif word == "DC":
                mark.dacapo = True
            elif word.startswith("["):
                mark.begins = bracket(word[1:])
            elif word.endswith("]"):
                mark.ends = bracket(word[:-1])
        found.append(mark)
    return found


def played(*measures):
    found = marks(*measures)
    remarks = settle(found, [str(k) for k in range(1, len(found) + 1)])
    return "".join("abcdefghij"[k] for k in order(found)), remarks


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        (["", "[1 1] :|", "[2 2]", ""], "abacd"),
        (["", "[1", "1] :|", "[2", "2]", ""], "abcadef"),
        (["", "[1,2 1,2] :|", "[3 3]", ""], "ababacd"),
        (["", "[1-3 1-3] :|", "[4 4]", ""], "abababacd"),
        (["", "[1 1] :|", "[2 2] :|", "[3 3]", ""], "abacade"),
        (["|:", "[1,3 1,3] :|", "[2 2] :|", ""], "abacabd"),
        (["", "[1 1] :|", "[2=2 2]", ""], "abacd"),
        (["", "[1", ":|", "[2", ""], "abcade"),  # never closed
        (["", "[1 1]", "[1 1] :|", "[2 2]", "[2 2]"], "abcade"),  # one a measure
        (["", "[1 1] x3", "[2 2]", ""], "ababacd"),
        (["", "[1 1] x3", ""], "ababac"),
        (["", "[1=1,2 1] :|", "[3 3]"], "ababac"),
        (["|:", "[1 1]", "[2 2]", ":|", ""], "abdacde"),
        (["|:", "[1 1]", "[2 2]", "[3 3]", ":|"], "abeaceade"),
        (["", "[1 1] DC", "[2 2]"], "abac"),  # a jump in place of the repeat
        (["", "[1 1]", ""], "abc"),
        (["|: [1 1] :|", "[2 2]", ""], "abc"),
    ],
)
def test_endings_are_played_in_their_passes(measures, expected):
    assert played(*measures) == (expected, [])


@pytest.mark.parametrize(
    ("measures", "expected", "remark"),
    [
        (["", "] :|", "[2 2]", ""], "abacd", "measure 2: the bracket over an"),
        (
            ["", "", "] :|", "[2 2]", ""],
            "abcabde",
            "measure 3: the bracket over an ending has no",
        ),
        (
            ["", "2] :|", "[2 2]", ""],
            "abacd",
            "measure 2: the bracket over an ending has no beginning",
        ),
        (
            ["", "[1 1]", ":|", "[2 2]", ""],
            "abcade",
            "measure 2: the bracket over an ending is too short",
        ),
        (
            ["|:", "[1 1]", "", "", ":|", "[2 2]"],
            "abcdeaf",
            "measure 2: the bracket over an ending is too short",
        ),
        (
            ["", ":|", "[2 2]", ""],
            "abacd",
            "measure 2: the first ending has no bracket",
        ),
        (
            ["", "", ":|", "[2", "2]", ""],
            "abcabdef",
            "measure 3: the first ending has no bracket",
        ),
        (["", "[ ] :|", "[ ]", ""], "abacd", "measures 2, 3: an ending has no number"),
        (["", "[1 1] :|", "[1 1]", ""], "abacd", "measure 3: an ending has no number"),
        (["", "[ ] :|", "[3 3]", ""], "ababacd", "measure 2: an ending has no number"),
        (
            ["", "[1 1]", "[2 2]", ""],
            "abacd",
            "measure 2: an ending has no repeat sign at its end",
        ),
        (["", "[2 2]", ""], "abc", "measure 2: an ending has no number or a wrong"),
        (["", "[2 2] :|", ""], "abac", "measure 2: an ending has no number"),
        ([":|", "[2 2]", ""], "aabc", "measure 2: an ending has no number"),
        (["|:", "|: :|", ":|", ""], "abbccd", "measure 3: a repeat inside"),
    ],
)
def test_what_brackets_leave_open_is_assumed_with_a_remark(measures, expected, remark):
    found, remarks = played(*measures)
    assert found == expected
    assert remarks[0].startswith(remark)


def test_a_number_that_comes_again_gives_way_to_the_text():
    assert played("", "[1 1] :|", "[1=2 1]", "") == ("abacd", [])


def test_a_gap_in_the_numbers_belongs_to_the_ending_before():
    assert played("", "[1 1] :|", "[3 3]", "") == ("ababacd", [])


def test_an_ending_that_no_pass_reaches_is_played_in_all():
    signs = "[1", "[2", "[1 1]", "", "[1", "[1 :|", "[1"
    found, remarks = played(*signs)
    assert found == "acdefbcdg"
    assert "measure 3: an ending that no pass reaches, played as if it" in remarks[-1]


def test_two_repeats_have_endings_of_their_own():
    first = ("|:", "[1 1] :|", "[2 2]")
    found, remarks = played(*first, *first, "")
    assert found == "abacdedfg"
    assert remarks == []


SIGNS = [":|", "[1", "[2", "[", "1]", "2]", "]"]


@example([[":|", "[1"], [], ["[1"]])
@example([["[1"], [":|", "[2"]])
@example([["[1"], ["[2"], ["|:", ":|"]])
@example([["[1"], ["[2"], ["[1", "1]"], [], ["[1"], ["[1", ":|"], ["[1"]])
@given(st.lists(st.lists(st.sampled_from(SIGNS), max_size=3), max_size=9))
def test_each_measure_is_played_whatever_the_signs(measures):
    found, _ = played(*(" ".join(words) for words in measures))
    assert set(found) == set("abcdefghij"[: len(measures)])


def test_not_too_many_measures_are_named():
    assert named(["7"]) == "measure 7"
    assert named(["7", "8a"]) == "measures 7, 8a"
    assert named(list("123456789"), most=3) == "measures 1, 2, 3 and 6 more"
