"""MusicXML parts: units, transpositions, patterns, grace notes and measures."""

import pytest
from documents import (
    COMMON,
    TIE_BACK,
    TIE_ON,
    attributes,
    back,
    barline,
    document,
    grace,
    note,
    rest,
    sound,
    spans,
)

from specnmf.errors import ScoreError
from specnmf.score.musicxml import GRACE

BAR = note("C4", 4)


def pitches(score):
    return [n.pitch for n in score.notes]


# -------------------------------------------------------------------- divisions


def units(divisions):
    return attributes(f"<divisions>{divisions}</divisions>")


def test_divisions_behind_the_first_notes_hold_for_those_too(read):
    first = note("C4", 128 / 12) + note("D4", 128 / 12) + back(256 / 12)
    second = units(64) + note("E3", 256 / 12)
    score = read(document([first + second], units=""))
    assert spans(score) == [(0, 2, 52), (0, 1, 60), (1, 2, 62)]


def test_divisions_of_a_later_measure_hold_for_those_before(read):
    score = read(document([note("C4", 2), units(24) + note("D4", 2)], units=""))
    assert spans(score) == [(0, 0.5, 60), (0.5, 1, 62)]


def test_a_part_without_divisions_has_those_of_another(read):
    text = document([note("C4")], [note("D4")])
    first, second = text.rsplit("<attributes>", 1)
    text = first + second.partition("</attributes>")[2]
    assert spans(read(text)) == [(0, 0.5, 60), (0, 0.5, 62)]


def test_divisions_that_change_hold_for_what_follows(read):
    score = read(document([note("C4") + units(24) + note("D4", 2) + note("E4", 2)]))
    assert spans(score) == [(0, 0.5, 60), (0.5, 1, 62), (1, 1.5, 64)]


# --------------------------------------------------------------- transpositions


def transpose(chromatic, staff="", more=""):
    number = f' number="{staff}"' if staff else ""
    return f"<transpose{number}><chromatic>{chromatic}</chromatic>{more}</transpose>"


def test_a_transposition_with_a_number_is_that_staffs(read):
    staves = note("D4", 1, "<staff>1</staff>") + note("C3", 1, "<staff>2</staff>")
    one = attributes(transpose(-2, "1"))
    two = attributes(transpose(-2, "1") + transpose(12, "2"))
    assert pitches(read(document([one + staves]))) == [60, 48]
    assert pitches(read(document([two + staves]))) == [60, 60]
    every = attributes(transpose(-2))
    assert pitches(read(document([every + staves]))) == [60, 46]
    assert pitches(read(document([one + staves, every + staves])))[2:] == [60, 46]
    assert pitches(read(document([one + note("D4")]))) == [60]  # no staff is the first


def test_what_is_doubled_sounds_in_two_octaves(read):
    lower, higher = "<double/>", '<double above="yes"/>'
    assert pitches(read(document([attributes(transpose(0, "", lower)) + BAR]))) == [
        48,
        60,
    ]
    assert pitches(read(document([attributes(transpose(0, "", higher)) + BAR]))) == [
        60,
        72,
    ]


def test_quarter_tones_are_read_with_a_remark(read):
    score = read(document([note("C0.54") + note("D4")]))
    assert score.remarks == ("part 0: 1 quarter tones, read as the nearest semitone",)


# ------------------------------------------------------------------------ tempo


def moved(offset, **where):
    values = "".join(f' {name}="{value}"' for name, value in where.items())
    return f"<offset{values}>{12 * offset}</offset>"


FAST = '<sound tempo="240"/>'


@pytest.mark.parametrize(
    ("mark", "second"),
    [
        (f"<direction>{moved(2)}{FAST}</direction>", 1),
        (f"<direction>{moved(2, sound='yes')}{FAST}</direction>", 1.5),
        (f"<sound tempo='240'>{moved(3)}</sound>", 1.75),
        (f"<direction><sound tempo='240'>{moved(2)}</sound></direction>", 1.5),
    ],
)
def test_an_offset_that_sounds_moves_a_tempo(read, mark, second):
    score = read(document([COMMON + mark + BAR, note("D4", 4)]))
    assert score.notes[1].start == pytest.approx(second)


def test_an_offset_may_lead_into_another_measure(read):
    late = f"<direction>{moved(6, sound='yes')}{FAST}</direction>"
    early = f"<direction>{moved(-2, sound='yes')}{FAST}</direction>"
    music = [note("C4", 4), note("D4", 2) + note("E4", 2), note("F4", 4)]
    assert spans(read(document([late + music[0], *music[1:]]))) == [
        (0, 2, 60), (2, 3, 62), (3, 3.5, 64), (3.5, 4.5, 65),
    ]  # fmt: skip
    assert spans(read(document([*music[:2], early + music[2]])))[2] == (3, 3.5, 64)


def test_of_tempi_at_one_place_that_which_sounds_counts(read):
    shown = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit>"
        "<per-minute>30</per-minute></metronome></direction-type></direction>"
    )
    for marks in (sound(tempo=60) + shown, shown + sound(tempo=60)):
        assert spans(read(document([marks + note("C4")]))) == [(0, 1, 60)]
    first, other = sound(tempo=60) + note("C4"), sound(tempo=90) + note("D4")
    assert read(document([first], [other])).duration == pytest.approx(1)


# --------------------------------------------------------------------- measures


def test_a_rest_longer_than_its_time_signature_is_cut(read):
    music = [COMMON + BAR, rest(6), note("D4", 4)]
    assert spans(read(document(music)))[1] == (4, 6, 62)
    held = [COMMON + BAR, note("E4", 4, TIE_ON), note("E4", 4, TIE_BACK)]
    assert spans(read(document(music, held)))[-2:] == [(2, 6, 64), (4, 6, 62)]


def test_a_measure_without_metre_or_with_longer_notes_keeps_its_rests(read):
    assert spans(read(document([rest(6), note("C4")]))) == [(3, 3.5, 60)]
    free = attributes("<time><senza-misura/></time>")
    assert spans(read(document([COMMON + BAR, free + rest(6), note("D4")])))[1][0] == 5
    cadenza = [COMMON + "".join(note("C5", 2) for _ in range(9)), note("D5", 4)]
    others = [COMMON + rest(4), note("C4", 4)]
    assert spans(read(document(cadenza, others, others)))[-1] == (9, 11, 74)


@pytest.mark.parametrize(
    "empty",
    ["", '<note><rest measure="yes"/></note>', barline(""), COMMON, back(3)],
)
def test_an_empty_measure_lasts_a_whole_one(read, empty):
    assert spans(read(document([COMMON + BAR, empty, BAR])))[1] == (4, 6, 60)
    waltz = COMMON.replace(">4</beats", ">3</beats")
    music = [waltz + note("C4", 3), empty.replace(COMMON, waltz), note("D4", 3)]
    assert spans(read(document(music, music)))[-1] == (3, 4.5, 62)


def test_an_empty_measure_without_a_metre_is_as_long_as_that_before(read):
    assert spans(read(document([note("C4", 3), "", BAR])))[1][0] == 3
    assert spans(read(document(["", BAR])))[0][0] == 2


def test_a_pickup_is_as_long_as_its_notes(read):
    assert spans(read(document([COMMON + note("G4"), BAR])))[1][0] == 0.5
    text = document([COMMON + note("G4"), BAR], [rest(4), BAR])
    assert spans(read(text))[1][0] == 2  # as long as most parts say
    pickup = text.replace('number="1"', 'number="0" implicit="yes"')
    assert spans(read(pickup))[1][0] == 0.5


def test_ties_hold_over_a_measure_that_a_part_miscounts(read):
    right = [COMMON + BAR, note("D4", 4), note("E4", 4)]
    for wrong in (3.5, 4.5):
        part = [COMMON + BAR, note("G3", wrong, TIE_ON), note("G3", 4, TIE_BACK)]
        assert (2, 6, 55) in spans(read(document(right, right, part)))


def test_a_tie_holds_through_the_same_pitch_in_another_voice(read):
    voices = note("C4", 4, TIE_ON) + back(4) + note("C4") + rest(3)
    score = read(document([voices, note("C4", 4, TIE_BACK)]))
    assert spans(score) == [(0, 0.5, 60), (0, 4, 60)]


def test_a_tie_that_is_only_drawn_is_one(read):
    drawn = "<notations><tied type='{}'/></notations>"
    music = [
        note("C4", 1, drawn.format(kind)) for kind in ("start", "continue", "stop")
    ]
    assert spans(read(document(music))) == [(0, 1.5, 60)]
    assert (
        len(read(document([note("C4", 1, drawn.format("let-ring")), BAR])).notes) == 2
    )


# --------------------------------------------------------------------- patterns


def style(inside, staff=""):
    number = f' number="{staff}"' if staff else ""
    return attributes(f"<measure-style{number}>{inside}</measure-style>")


def test_a_sign_repeats_measures_until_it_ends(read):
    begin = style('<measure-repeat type="start">2</measure-repeat>')
    end = style('<measure-repeat type="stop"/>')
    music = [note("C4", 4), note("D4", 4), begin + rest(4), "", rest(4), end + rest(4)]
    score = read(document([COMMON + music[0], *music[1:], note("E4", 4)]))
    assert spans(score) == [
        (0, 2, 60), (2, 4, 62), (4, 6, 60), (6, 8, 62), (8, 10, 60), (12, 14, 64),
    ]  # fmt: skip


def test_a_sign_on_one_staff_repeats_that(read):
    staff = "<staff>{}</staff>".format
    both = note("C5", 4, staff(1)) + back(4) + note("C3", 4, staff(2))
    begin = style('<measure-repeat type="start">1</measure-repeat>', "2")
    score = read(document([both, begin + note("D5", 4, staff(1))]))
    assert pitches(score) == [48, 72, 48, 74]


def test_notes_under_a_sign_are_played_as_they_are(read):
    begin = style('<measure-repeat type="start">1</measure-repeat>')
    assert pitches(read(document([BAR, begin + note("D4", 4)]))) == [60, 62]


def test_a_sign_that_repeats_a_beat_is_remarked_upon(read):
    begin = style('<beat-repeat type="start"/>')
    (remark,) = read(document([BAR, begin + rest(4)])).remarks
    assert remark == "part 0: 1 signs that repeat a beat, not played"


# ---------------------------------------------------------------------- details


def test_grace_notes_sound_in_turn_and_chords_of_them_together(read):
    chord = grace("D4") + grace("F4", "<grace/><chord/>")
    score = read(document([note("C4", 2) + chord + grace("E4") + note("G4", 2)]))
    beat = 1 - 2 * GRACE
    assert spans(score) == [
        (0, 1, 60), (beat, beat + GRACE, 62), (beat, beat + GRACE, 65),
        (beat + GRACE, 1, 64), (1, 2, 67),
    ]  # fmt: skip


def test_grace_notes_at_the_end_sound_before_the_next_measure(read):
    score = read(document([note("C4", 2) + grace("D4"), note("E4", 2)]))
    assert spans(score)[1] == (1 - GRACE, 1, 62)


def test_a_run_of_grace_notes_is_played_faster_and_none_before_the_beginning(read):
    run = "".join(grace(f"{step}4") for step in "CDEFGABCDE")
    score = read(document([note("C3", 4) + run + note("C3", 4)]))
    starts = [n.start for n in score.notes if n.pitch > 50]
    assert starts == pytest.approx([1.5 + 0.05 * k for k in range(10)])
    first = read(document([grace("C4") + grace("D4") + note("E4")]))
    assert spans(first)[:2] == [(0, GRACE, 60), (0, 0.5, 64)]


@pytest.mark.parametrize(
    ("look", "quarters"),
    [
        ("<type>half</type>", 2),
        ("<type>quarter</type><dot/>", 1.5),
        ("<type>quarter</type><time-modification><actual-notes>3</actual-notes>"
         "<normal-notes>2</normal-notes></time-modification>", 2 / 3),
    ],
)  # fmt: skip
def test_a_note_without_a_duration_lasts_as_it_looks(read, look, quarters):
    first = note("C4", 1, look).replace("<duration>12</duration>", "")
    score = read(document([first + note("D4")]))
    assert score.notes[1].start == pytest.approx(quarters / 2)


def test_a_backup_goes_no_further_than_the_beginning(read):
    for far in (back(9), "<backup/>"):
        score = read(document([note("C4", 2) + far + note("E4", 2)]))
        assert spans(score) == [(0, 1, 60), (0, 1, 64)]


# ----------------------------------------------------------- numbers beyond all bounds


@pytest.mark.parametrize("beats", ["9" * 5000, "4+" + "9" * 5000, "-4", "4x", "٤"])
def test_beats_of_any_text_are_read(read, beats):
    time = f"<time><beats>{beats}</beats><beat-type>4</beat-type></time>"
    assert pitches(read(document([attributes(time) + BAR]))) == [60]


@pytest.mark.parametrize("number", ["9" * 5000, "x", ""])
def test_staves_of_any_number_are_read(read, number):
    moved = f'<transpose number="{number}"><chromatic>2</chromatic></transpose>'
    assert pitches(read(document([attributes(moved) + BAR]))) in ([60], [62])


def test_a_note_that_ends_after_all_music_is_an_error(read):
    endless = note("C4", 1e307, TIE_ON) + note("C4", 1, TIE_BACK)
    with pytest.raises(ScoreError, match="damaged: a note ends .* after the start"):
        read(document([endless]))
