"""ABC notation, against abc2midi where it is installed."""

import shutil
import subprocess

import pytest

from specnmf.errors import ScoreError
from specnmf.score.formats import abc_fields
from specnmf.score.reading import read_score

HEAD = "X:1\nT:A tune\nM:4/4\nL:1/4\nQ:1/4=120\nK:{}\n"


@pytest.fixture
def tune(read):
    """The score of some lines in a key."""

    def tune(music, key="C"):
        return read(HEAD.format(key) + music + "\n", "tune.abc")

    return tune


def pitches(score):
    return [note.pitch for note in score.notes]


def spans(score):
    return [(note.start, note.duration) for note in score.notes]


def test_letters_are_pitches_from_middle_c(tune):
    assert pitches(tune("C, C c c' c''")) == [48, 60, 72, 84, 96]


def test_the_key_and_accidentals_alter_notes_to_the_barline(tune):
    score = tune("F =F F ^C | F C _B, B,", key="D")
    assert pitches(score) == [66, 65, 65, 61, 66, 61, 58, 58]


def test_accidentals_hold_in_all_octaves_or_as_the_tune_says(tune):
    assert pitches(tune("^F f F2")) == [66, 78, 66]
    one = "%%propagate-accidentals octave\n^F f F2"
    assert pitches(tune(one)) == [66, 77, 66]
    none = "%%propagate-accidentals not\n^F f F2"
    assert pitches(tune(none)) == [66, 77, 65]


@pytest.mark.parametrize(
    ("name", "alterations"),
    [
        ("C", {}),
        ("G", {"F": 1}),
        ("Bb", {"B": -1, "E": -1}),
        ("Am", {}),
        ("F#m", {"F": 1, "C": 1, "G": 1}),
        ("E minor", {"F": 1}),
        ("Ador", {"F": 1}),
        ("D Mix", {"F": 1}),
        ("G phrygian",
         {"B": -1, "E": -1, "A": -1}),
        ("F lyd", {}),
        ("C locrian", {"B": -1, "E": -1, "A": -1, "D": -1, "G": -1}),
        ("D ^g =c", {"F": 1, "C": 0, "G": 1}),
        ("D exp _b", {"B": -1}),
        ("Hp", {"F": 1, "C": 1}),
        ("HP", {}),
        ("none", {}),
    ],
)  # fmt: skip
def test_keys_alter_their_letters(name, alterations):
    assert abc_fields.key(name) == alterations


def test_lengths_are_fractions_of_the_unit(tune):
    score = tune("C2 C/ C/2 C3/2 C// C/4")
    assert [round(n.duration / 0.5, 6) for n in score.notes] == [
        *(2, 0.5, 0.5, 1.5, 0.25, 0.25)
    ]


def test_the_unit_follows_the_metre_if_none_is_given(read):
    for metre, duration in (("4/4", 0.25), ("2/4", 0.125), ("6/8", 0.25), ("C|", 0.25)):
        score = read(f"X:1\nM:{metre}\nK:C\nC\n", "tune.abc")
        assert score.notes[0].duration == pytest.approx(duration)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("1/4=90", 90),
        ("3/8=60", 90),
        ('"Allegro" 1/2=60', 120),
        ("120", 60),
        ("1/4 1/8=80", 120),
        ("Andante", None),
    ],
)
def test_tempi_count_quarter_notes(text, rate):
    assert abc_fields.tempo(text, 1 / 8) == rate


def test_broken_rhythm_moves_the_time_between_two_notes(tune):
    assert spans(tune("C>D E<F G>>A")) == [
        *((0.0, 0.75), (0.75, 0.25), (1.0, 0.25), (1.25, 0.75)),
        *((2.0, 0.875), (2.875, 0.125)),
    ]


@pytest.mark.parametrize(
    ("music", "quarters"),
    [("(3CDE", 2 / 3), ("(2CD", 1.5), ("(4CDEF", 0.75), ("(5:4:5CDEFG", 0.8)],
)
def test_tuplets_share_their_time(tune, music, quarters):
    durations = [n.duration for n in tune(music + " z").notes]
    assert durations == pytest.approx([quarters / 2] * len(durations))


def test_chords_sound_together(tune):
    score = tune("[CEG]2 [C2E2]/")
    assert pitches(score) == [60, 64, 67, 60, 64]
    assert [n.duration for n in score.notes] == [1.0] * 3 + [0.5] * 2


def test_tied_notes_are_one_over_the_barline_as_well(tune):
    score = tune("z2 C ^F- | F [CE]- [CE] z")
    assert spans(score)[1:] == [(1.5, 1.0), (2.5, 1.0), (2.5, 1.0)]
    assert pitches(score) == [60, 66, 60, 64]


def test_grace_notes_sound_before_the_beat(tune):
    score = tune("z {de}C z2")
    assert [n.start for n in score.notes] == pytest.approx([0.3, 0.4, 0.5])
    assert [n.duration for n in score.notes] == pytest.approx([0.1, 0.1, 0.5])


def test_repeats_and_endings_are_played(tune):
    assert pitches(tune("C4 |: D4 :| E4 |]")) == [60, 62, 62, 64]
    assert pitches(tune("|: C4 |1 D4 :|2 E4 |] F4")) == [60, 62, 60, 64, 65]
    assert pitches(tune("C4 :: D4 :|")) == [60, 60, 62, 62]
    assert pitches(tune("|:: C4 ::|")) == [60, 60, 60]
    assert pitches(tune("|: C4 [1,3 D4 :| [2 E4 :|")) == [60, 62, 60, 64, 60, 62]


def test_an_upbeat_is_as_long_as_its_notes(tune):
    assert spans(tune("C | D4 | E4"))[1] == (0.5, 2.0)


def test_long_rests_are_measures(tune):
    assert tune("Z2 | C4").notes[0].start == 4.0


def test_voices_are_parts_that_sound_together(read):
    text = HEAD.format("C").replace("K:", 'V:1 name="Flute"\nV:2 clef=bass\nK:')
    score = read(f"{text}V:1\nC4 | D4\nV:2\nE,4 | F,4\n", "tune.abc")
    assert score.parts == ("2", "Flute")
    assert [(n.start, n.pitch) for n in score.notes] == [
        (0.0, 52), (0.0, 60), (2.0, 53), (2.0, 62),
    ]  # fmt: skip


def test_voices_may_change_within_a_line(tune):
    score = tune("[V:1] C4 | [V:2] E4 | [V:1] D4 | [V:2] F4 |")
    assert [(n.start, n.pitch) for n in score.notes] == [
        (0.0, 60), (0.0, 64), (2.0, 62), (2.0, 65),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "pitch"),
    [("transpose=-2", 58), ("octave=-1", 48), ("clef=treble-8", 48), ("treble+8", 60)],
)
def test_transposing_voices_sound_as_they_say(read, settings, pitch):
    text = HEAD.format("C").replace("K:", f"V:1 {settings}\nK:")
    assert pitches(read(f"{text}V:1\nC4\n", "tune.abc")) == [pitch]


def test_an_overlay_begins_with_the_measure(tune):
    assert sorted(spans(tune("C4 & E2 E2 |"))) == [(0.0, 1.0), (0.0, 2.0), (1.0, 1.0)]


def test_fields_in_a_line_hold_from_there(tune):
    score = tune("C [L:1/8] C [Q:1/4=60] C2 [K:D] F")
    assert spans(score) == [(0.0, 0.5), (0.5, 0.25), (0.75, 1.0), (1.75, 0.5)]
    assert pitches(score) == [60, 60, 60, 66]


def test_drums_are_percussion(read):
    text = HEAD.format("C").replace("K:", "V:1 clef=perc\nK:")
    score = read(f"{text}V:1\nC,,4\n", "tune.abc")
    assert [(n.pitch, n.percussion) for n in score.notes] == [(36, True)]


def test_lines_may_go_on_and_hold_comments(tune):
    score = tune("C D \\\nE F | % the end\nG4")
    assert pitches(score) == [60, 62, 64, 65, 67]


def test_decorations_and_words_are_left_out(tune):
    score = tune('"^slow" !trill!C ~D .E TF | w: no\nw: words here\n+fermata+ G4')
    assert score.remarks == ()
    assert pitches(score) == [60, 62, 64, 65, 67]


def test_what_is_not_played_is_said(tune, read):
    assert tune('"Am"C "G7"D').remarks == ("not played: 2 chord symbols",)
    assert tune("^/C D").remarks == ("1 microtone, read as the nearest semitone",)
    two = HEAD.format("C") + "C4\n\n" + HEAD.format("C") + "D4\n"
    score = read(two, "tune.abc")
    assert score.remarks == ("holds 2 tunes: the first is read",)
    assert pitches(score) == [60]
    ordered = HEAD.format("C").replace("K:", "P:AAB\nK:") + "C4\n"
    assert read(ordered, "tune.abc").remarks == (
        "not played: the order of its parts (P:)",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("some words\n", "expected ABC notation, found no field X: or K:"),
        ("X:1\nK:C\n", "holds no notes"),
        ("X:1\nK:C\nZ999999 C\n", "more than 200000 measures"),
        ("X:1\nK:C\nc''''''\n", "between 0 and 127"),
        ("X:1\nK:C\n" + 10_001 * "C", "a line that is too long for music"),
        ("X:1\nK:C\n" + 600 * (1000 * "z" + "\n"), "larger than tunes are"),
    ],
)
def test_what_is_no_tune_is_refused(read, text, message):
    with pytest.raises(ScoreError, match=message):
        read(text, "tune.abc")


EXAMPLE = """X:7
T:Everything
M:6/8
L:1/8
Q:3/8=80
V:1 name="Fiddle"
V:2 octave=-1
K:Gm
[V:1] |: ^f2 f F2 d | c'3- c'2 z | f3 (2ab | (3abc d2 e2 |1 [GB]3 g2z :|2 a6 |]
[V:2] |: F,6 | x6 | (4FGAB z3 & C6 | C2-C2C2 |1 F6 :|2 G6 |]
[V:1] |: a2 b | [M:4/4][L:1/4] a b> c' d'/d'/ | [K:Ador] f g a b :|
[V:2] |: A3 | [M:4/4][L:1/4] C4 | [K:Ador] F2 G2 :|
"""


@pytest.mark.skipif(not shutil.which("abc2midi"), reason="abc2midi is not installed")
def test_a_tune_sounds_as_abc2midi_plays_it(read, tmp_path):
    ours = read(EXAMPLE, "tune.abc")
    midi = tmp_path / "tune.mid"
    command = ["abc2midi", str(tmp_path / "tune.abc"), "-o", str(midi)]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    theirs = read_score(midi)
    assert len(ours.notes) == len(theirs.notes) == 78

    def rows(score):
        return sorted((n.pitch, n.start) for n in score.notes)

    # it plays the notes of a chord one after the other, within 11 ms
    assert [p for p, _ in rows(ours)] == [p for p, _ in rows(theirs)]
    starts = [start for _, start in rows(theirs)]
    assert [start for _, start in rows(ours)] == pytest.approx(starts, abs=0.012)


def test_a_measure_of_notes_without_length_is_one(read):
    score = read("X:1\nL:1/4\nK:C\n{c} | C4 |\n", "tune.abc")
    assert pitches(score) == [60, 72]


@pytest.mark.parametrize("text", [9000 * "a", 3000 * "[a:", 3000 * "a ="])
def test_long_fields_are_read_quickly(read, text):
    assert len(read(f"X:1\nK:C {text}\nC4\n", "tune.abc").notes) == 1
