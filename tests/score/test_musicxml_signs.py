"""MusicXML signs: barlines and jumps, by what sounds, is drawn, or is only said."""

import pytest
from documents import (
    BACKWARD,
    FORWARD,
    REPEAT,
    TIE_BACK,
    TIE_ON,
    attributes,
    barline,
    document,
    note,
    sound,
    spans,
)

from specnmf.score.musicxml_signs import passes

MUSIC = [note(f"{step}4", 4) for step in "CDEFGAB"]
LETTERS = dict(zip((60, 62, 64, 65, 67, 69, 71), "abcdefg", strict=True))


def words(text, sign=""):
    shown = f"<direction-type>{sign}</direction-type>" if sign else ""
    said = f"<direction-type><words>{text}</words></direction-type>" if text else ""
    return f"<direction>{shown}{said}</direction>"


def ending(number, kind, inside=""):
    return f'<ending number="{number}" type="{kind}"/>{inside}'


@pytest.fixture
def played(read):
    """The measures played, as letters, and the remarks, from what is added to each."""

    def played(*added, parts=1):
        measures = []
        for music, own in zip(MUSIC, added, strict=False):
            before, after = own if isinstance(own, tuple) else ("", own)
            measures.append(before + music + after)
        silent = ["<note><rest/><duration>48</duration></note>"] * len(measures)
        score = read(document(measures, *[silent] * (parts - 1)))
        return "".join(LETTERS[n.pitch] for n in score.notes), score.remarks

    return played


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (("", barline(FORWARD, "right"), REPEAT, ""), "abccd"),  # for the next measure
        (("", "", (barline(BACKWARD, "left"), ""), ""), "ababcd"),  # of that before
        (((barline(FORWARD), ""), barline(BACKWARD)), "abab"),  # by where it stands
        (("", barline(ending("1", "stop", BACKWARD)),
          (barline(ending("2", "start")), barline(ending("2", "stop")))), "abac"),
        (("", (sound(**{"forward-repeat": "yes"}), ""), REPEAT), "abcbc"),
        (("", "", sound(dacapo="yes"), ""), "abcabcd"),
        ((sound(segno="A"), sound(segno="B"), sound(dalsegno="B"), sound(dalsegno="A")),
         "abcbcdabcd"),
    ],
)  # fmt: skip
def test_signs_are_those_of_the_measures_that_they_bound(played, added, expected):
    assert played(*added)[0] == expected
    assert played(*added, parts=3)[0] == expected


def test_an_empty_number_of_an_ending_is_what_it_says():
    assert passes("") == passes(" , ") == passes("0") == frozenset()
    assert passes("1, 2") == passes("1.2.") == passes("1-2") == {1, 2}
    assert passes("1000000000000") == frozenset()


FINE, SEGNO, CODA = words("Fine"), words("", "<segno/>"), words("", "<coda/>")


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (("", FINE, words("D.C. al Fine")), "abcab"),
        (("", FINE, words("Da Capo\n al  fine.")), "abcab"),
        (("", words("FINE."), words("D. C.")), "abcab"),
        (("", (SEGNO, FINE), words("D.S. al Fine")), "abcb"),
        (("", (SEGNO, ""), FINE, words("Dal Segno al Fine"), ""), "abcdbce"),
        (((SEGNO, ""), words("To Coda"), words("D.S. al Coda"), (CODA, "")), "abcabd"),
        (("", (CODA, ""), words("D.C. al Coda"), (CODA, "")), "abcabd"),
        (("", FINE, sound(dacapo="yes")), "abcab"),  # the end is only said
        (("", (SEGNO, ""), sound(dalsegno="yes")), "abcbc"),  # the sign is only drawn
    ],
)
def test_words_alone_are_obeyed_where_they_are_plain(played, added, expected):
    assert played(*added) == (expected, ())


@pytest.mark.parametrize(
    "text",
    ["Menuetto D.C.", "D.C.", "D.S. al Fine", "D.C. al Coda", "Da Capo senza replica"],
)
def test_words_that_lead_nowhere_are_named(played, text):
    found, remarks = played("", "", words(text))
    assert found == "abc"
    assert remarks[0].startswith(f"{text!r} in measure 3 is ignored")


def test_a_da_capo_in_the_middle_is_not_followed_by_words_alone(played):
    found, (remark,) = played("", FINE, words("D.C. al Fine"), "", "")
    assert found == "abcde"
    assert remark.startswith("'D.C. al Fine' in measure 3 is ignored")


def test_words_that_only_look_like_jumps_are_none(played):
    assert played(words("ad lib. dscant"), words("Codetta"), "") == ("abc", ())


def test_a_measure_that_is_never_played_is_named(played):
    found, remarks = played("", sound(tocoda="x"), sound(dacapo="yes"), "",
                            (sound(coda="x"), ""))  # fmt: skip
    assert found == "abcabe"
    assert remarks == ("measure 4: never played, by the repeat signs",)


def test_a_tie_into_a_second_ending_does_not_come_from_the_first(read):
    first = barline(ending("1", "start"), "left") + note("G4", 4, TIE_ON)
    second = barline(ending("2", "start"), "left") + note("G4", 4, TIE_BACK)
    end = barline(ending("1", "stop", BACKWARD), "right")
    score = read(document([note("C4", 4), first + end, second]))
    assert spans(score) == [(0, 2, 60), (2, 4, 67), (4, 6, 60), (6, 8, 67)]


def test_a_repeat_of_three_times_is_played_so_often(read):
    thrice = barline('<repeat direction="backward" times="3"/>')
    assert len(read(document([attributes(""), note("C4", 4) + thrice])).notes) == 3
