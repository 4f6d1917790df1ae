"""Repeats: the order in which a player goes through the measures."""

import pytest

from specnmf import ScoreError
from specnmf.score.repeats import RepeatMarks, order

#: One letter a measure: what a musician would write above it.
SIGNS = {
    ".": {},
    "[": {"forward": True},
    "]": {"backward": 2},
    ")": {"backward": 3},
    "O": {"forward": True, "backward": 2},
    "S": {"segno": {"one"}},
    "s": {"segno": {"two"}},
    "C": {"coda": {"one"}},
    "c": {"coda": {"two"}},
    "D": {"dacapo": True},
    "d": {"dalsegno": "one"},
    "e": {"dalsegno": "two"},
    "T": {"tocoda": "one"},
    "t": {"tocoda": "two"},
    "F": {"fine": True},
    "}": {"backward": 2, "after_jump": True},
    "E": {"backward": 2, "dacapo": True},
}


#: The passes that a measure is for, as one letter.
PASSES = {" ": (), "1": (1,), "2": (2,), "3": (3,), "a": (1, 2), "b": (1, 3)}


def marks(signs, endings):
    """The marks of measures, from a letter for each and one for its passes."""
    letters = zip(signs, endings.ljust(len(signs)), strict=True)
    return [RepeatMarks(**SIGNS[s], endings=frozenset(PASSES[e])) for s, e in letters]


def played(signs, endings=""):
    return "".join("abcdefghij"[k] for k in order(marks(signs, endings)))


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ("...", "abc"),
        ("", ""),
        (".].", "ababc"),  # a repeat without a beginning
        (".[].", "abcbcd"),
        (".].].", "ababcdcde"),
        ("O.", "aab"),
        ("[)", "ababab"),
        ("[..", "abc"),  # one without an end
        ("[][]", "ababcdcd"),
        ("[[].].", "abcbcdedef"),  # repeats are not nested
    ],
)
def test_repeats_are_played(signs, expected):
    assert played(signs) == expected


@pytest.mark.parametrize(
    ("signs", "endings", "expected"),
    [
        ("[.]..", "  12 ", "abcabde"),
        ("[..]..", "  112 ", "abcdabef"),
        ("..]...", "  12  ", "abcabdef"),
        ("[.].", "  1 ", "abcabd"),  # a first ending only
        ("[.]..].", "  1", "abcabdefdefg"),  # behind which another repeat begins
        ("[.]..", "  a3 ", "abcabcabde"),
        ("[.]]..", "  b2  ", "abcabdabcef"),
        ("[.]][.].", "  12  1 ", "abcabdefgefh"),
        ("[.][.]", "  122 ", "abcabdefdef"),  # a repeat that begins in an ending
        ("[...].", " 12  ", "abdeacdef"),  # endings in the middle of a repeat
    ],
)
def test_endings_are_played_in_their_passes(signs, endings, expected):
    assert played(signs, endings) == expected


@pytest.mark.parametrize(
    ("signs", "endings", "expected"),
    [
        ("..D", "", "abcabc"),
        (".F.D", "", "abcdab"),
        (".F.D..", "", "abcdabef"),  # a movement follows
        (".S.d", "", "abcdbcd"),
        (".T.DC.", "", "abcdabef"),
        (".STd.C.", "", "abcdbcfg"),
        ("[]D", "", "ababcabc"),  # no repeats after a jump
        ("[.].D", "  12 ", "abcabdeabde"),  # but the last endings
        ("d.", "", "aab"),  # to a segno that is missing: from the beginning
        ("T.D", "", "abcabc"),  # to a coda that is missing: on
        ("D.D", "", "aabc"),
        ("..E", "", "abcabcabc"),  # a repeat, then the jump
        ("[D]F", "", "abcababcd"),  # in the last pass of its repeat
        ("[}D", "", "ababcababc"),  # a repeat that is played after a jump
        ("[.}.D", "  12 ", "abcabdeabcabde"),
        ("Sd[].", "", "ababcdcde"),  # a repeat behind the jump
        ("S.TdC[].", "", "abcdabcefgfgh"),  # and behind the coda
        ("S.ds.e", "", "abcabcdefdef"),  # each segno has its own jump
        ("s.S.e", "", "abcdeabcde"),
        ("S.TtdcC", "", "abcdeabcg"),  # and each coda
    ],
)
def test_jumps_are_followed_once(signs, endings, expected):
    assert played(signs, endings) == expected


def test_an_endless_score_is_refused():
    with pytest.raises(ScoreError, match="more than 200000 measures"):
        order([RepeatMarks(), RepeatMarks(backward=10**9)])
