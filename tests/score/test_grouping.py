"""Stems: parts, hands, pitches, notes and groups of them, and safe file names."""

import csv
import string
import unicodedata

import pytest
from conftest import ROOT
from hypothesis import example, given
from hypothesis import strategies as st

from specnmf import ParameterError
from specnmf.score.grouping import safe_names, stem_labels, stem_order
from specnmf.score.notes import Note, Score
from specnmf.score.options import parse_groups

HIGH, LOW = 72, 48


def duo(*names, pitches=(HIGH, LOW)):
    """Two notes in each part, the parts one after another."""
    return Score(
        Note(2 * k + n, 1, pitch + n, part=name)
        for k, (name, pitch) in enumerate(zip(names, pitches, strict=True))
        for n in range(2)
    )


def stems(score, by, **options):
    """The stem of each part, or its stems."""
    found = {}
    labels = stem_labels(score, by, **options)
    for note, label in zip(score.notes, labels, strict=True):
        found.setdefault(note.part, []).append(label)
    return {
        part: set(own) if len(set(own)) > 1 else own[0] for part, own in found.items()
    }


def listed(path):
    with path.open(encoding="utf-8", newline="") as file:
        first = file.readline()
        rows = csv.reader(file, delimiter=";" if ";" in first else ",")
        notes = (
            Note(float(t), float(d), int(p), part=part) for t, d, p, _, part in rows
        )
        return Score(notes)


def test_a_part_is_a_stem():
    score = Score(
        [Note(0, 1, 60, part="alto"), Note(1, 1, 50), Note(2, 1, 9, part="x")]
    )
    assert stem_labels(score) == stem_labels(score, "part") == ("alto", "part", "x")


def test_a_part_without_a_name_is_no_other_part():
    score = Score([Note(0, 1, 60, part="part"), Note(1, 1, 60)])
    assert stem_labels(score) == ("part", "part 2")


def test_a_pitch_is_a_stem_and_so_is_a_drum():
    notes = [Note(0, 1, 61), Note(1, 1, 60, part="a"), Note(2, 1, 60, part="b")]
    notes += [Note(3, 1, 38, part="b", percussion=True), Note(4, 1, 38, part="b")]
    labels = stem_labels(Score(notes), "pitch")
    assert labels == ("C#4", "C4", "C4", "snare", "D2")


def test_a_note_is_a_stem_numbered_in_order_of_time():
    notes = [Note(3, 1, 60), Note(1, 1, 61, part="violin")]
    notes += [Note(2, 1, 38, part="drums", percussion=True)]
    labels = stem_labels(Score(notes), "note")
    assert labels == ("0001_C#4_violin", "0002_snare_drums", "0003_C4")


def test_numbers_have_as_many_digits_as_are_needed():
    labels = stem_labels(Score([Note(0, 1, 60)] * 10_000), "note")
    assert labels[0] == "00001_C4"
    assert labels[-1] == "10000_C4"
    assert list(labels) == sorted(set(labels))


def test_hands_are_told_by_staves():
    notes = [Note(t, 1, 60, part="Piano", staff=1 + t % 2) for t in range(4)]
    assert stem_labels(Score(notes), "hand") == ("right", "left") * 2
    notes.append(Note(9, 1, 60, part="Piano", staff=3))
    assert stem_labels(Score(notes), "hand")[-1] == "left"
    notes[-1] = Note(9, 1, HIGH, part="Piano")
    assert stem_labels(Score(notes), "hand")[-1] == "right"


def test_a_part_on_one_staff_is_split_by_pitch():
    notes = [Note(t, 1, pitch, staff=1) for t, pitch in enumerate((LOW, HIGH))]
    assert stem_labels(Score(notes), "hand") == ("left", "right")


@pytest.mark.parametrize(
    ("right", "left"),
    [
        ("right", "left"),
        ("right_hand", "left_hand"),
        ("Right Hand", "Left Hand"),
        ("RH", "LH"),
        ("rh", "lh"),
        ("R.H.", "L.H."),
        ("Piano (RH)", "Piano (LH)"),
        ("piano right", "piano left"),
        ("main droite", "main gauche"),
        ("m.d.", "m.g."),
        ("rechte Hand", "linke Hand"),
        ("mano destra", "mano sinistra"),
        ("rechts", "links"),
        ("treble", "bass"),
        ("Piano, treble clef", "Piano, bass clef"),
        ("upper staff", "lower staff"),
        ("Piano R", "Piano L"),
    ],
)
def test_hands_are_told_by_names(right, left):
    assert stems(duo(right, left), "hand") == {right: "right", left: "left"}
    # whatever they play
    crossed = stems(duo(right, left, pitches=(LOW, HIGH)), "hand")
    assert crossed == {right: "right", left: "left"}


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ("Piano", "Piano 2"),
        ("Piano 2", "Piano 1"),
        ("Acoustic Grand Piano", "Acoustic Grand Piano 2"),
        ("Track 2", "Track 1"),
        ("", "Track 2"),
        ("Staff-1", "Staff-2"),
        ("Flute 1", "Flute 2"),
    ],
)
def test_of_two_parts_of_one_instrument_the_higher_is_the_right_hand(upper, lower):
    assert stems(duo(upper, lower), "hand") == {upper: "right", lower: "left"}


def test_other_instruments_keep_their_names():
    score = duo("Voice", "Piano RH", "Piano LH", pitches=(60, HIGH, LOW))
    hands = {"Voice": "Voice", "Piano RH": "right", "Piano LH": "left"}
    assert stems(score, "hand") == hands
    score = duo("Voice", "Piano", "Piano 2", pitches=(60, HIGH, LOW))
    hands = {"Voice": "Voice", "Piano": "right", "Piano 2": "left"}
    assert stems(score, "hand") == hands
    score = duo("violin", "Klavier", pitches=(60, 59))
    hands = {"violin": "violin", "Klavier": {"left", "right"}}
    assert stems(score, "hand") == hands


def test_a_pair_in_a_larger_ensemble_is_no_keyboard():
    quartet = duo("Violin 1", "Violin 2", "Piano", "Cello", pitches=(80, 70, 59, 40))
    hands = stems(quartet, "hand")
    assert hands.pop("Piano") == {"left", "right"}
    assert hands == {name: name for name in hands}


def test_two_keyboards_are_told_apart():
    notes = [
        Note(t, 1, 60, part=part, staff=staff)
        for t, (part, staff) in enumerate(
            [("Piano 1", 1), ("Piano 1", 2), ("Piano 2", 1), ("Piano 2", 2)]
        )
    ]
    notes += [Note(5, 1, 60, part="organ"), Note(6, 1, 59, part="organ")]
    assert stem_labels(Score(notes), "hand") == (
        "piano 1 right", "piano 1 left", "piano 2 right", "piano 2 left",
        "organ right", "organ left",
    )  # fmt: skip


def test_a_choir_s_bass_is_no_left_hand():
    choir = duo(
        "voice", "treble", "alto", "bass", "piano", pitches=(70, 72, 65, 50, 59)
    )
    hands = stems(choir, "hand")
    assert hands.pop("piano") == {"left", "right"}
    assert hands == {name: name for name in hands}


def test_without_a_keyboard_all_is_split_by_pitch():
    fugue = duo("Soprano", "Alto", "Bass", pitches=(HIGH, 59, LOW))
    hands = {"Soprano": "right", "Alto": {"left", "right"}, "Bass": "left"}
    assert stems(fugue, "hand") == hands
    assert stems(fugue, "hand", split=LOW)["Bass"] == "right"
    assert stems(fugue, "hand", split=61)["Alto"] == "left"


def test_percussion_has_no_hands():
    drum = Note(0, 1, HIGH, part="drums right", percussion=True)
    score = Score([drum, Note(1, 1, LOW)])
    assert stem_labels(score, "hand") == ("drums right", "left")
    assert stem_labels(Score([drum]), "hand") == ("drums right",)


def test_the_hands_of_the_bundled_prelude_are_found():
    score = listed(ROOT / "audio_examples" / "chopin_op28_4" / "chopin_op28_4.csv")
    hands = {"right_hand": "right", "left_hand": "left"}
    assert stems(score, "hand") == hands


def test_hands_of_the_shared_scores(shared_data):
    fugue = listed(next((shared_data / "bach_bwv846").glob("*.csv")))
    assert stems(fugue, "part").keys() == {"Soprano", "Alto", "Tenor", "Basso"}
    assert set(stem_labels(fugue, "hand")) == {"left", "right"}
    for folder in ("chopin_op10_3", "schubert_d911_11"):
        piano = listed(next((shared_data / folder).glob("*.csv")))
        assert stems(piano, "hand") == {"piano": {"left", "right"}}


@given(
    notes=st.lists(
        st.builds(
            Note,
            start=st.integers(0, 9),
            duration=st.just(1),
            pitch=st.integers(0, 127),
            velocity=st.just(80),
            part=st.sampled_from(["", "Piano", "piano 2", "rh", "x", "RESIDUAL"]),
            percussion=st.booleans(),
            staff=st.integers(0, 3),
        ),
        max_size=8,
    ),
    by=st.sampled_from(["part", "hand", "pitch", "note"]),
)
def test_every_note_has_a_label_and_every_label_a_file(notes, by):
    score = Score(notes)
    labels = stem_labels(score, by)
    assert len(labels) == len(notes)
    assert all(labels)
    assert set(stem_order(score, labels, by=by)) == set(labels)
    names = safe_names(labels)
    assert len(set(names.values())) == len(set(labels))


def test_stems_come_in_order_of_their_first_notes_and_pitches_rise():
    notes = [Note(0, 1, 36, percussion=True), Note(1, 1, 62), Note(2, 1, 48)]
    notes += [Note(3, 1, 62, part="b"), Note(4, 1, 60)]
    score = Score(notes)
    assert stem_order(score, stem_labels(score), by="part") == ("part", "b")
    labels = stem_labels(score, "pitch")
    assert stem_order(score, labels, by="pitch") == ("C3", "C4", "D4", "kick")
    assert stem_order(Score(()), (), by="pitch") == ()


def quartet(**options):
    score = duo("Violin 1", "Violin 2", "Viola", "Cello", pitches=(80, 75, 65, 50))
    return tuple(stems(score, "part", **options).values())


def test_groups_join_labels():
    groups = {"high": ["Violin 1", "Violin 2"], "low": ["Viola", "Cello"]}
    assert quartet(groups=groups) == ("high", "high", "low", "low")
    groups = {"strings": ["violin 2", "VIOLA"]}
    assert quartet(groups=groups) == ("Violin 1", "strings", "strings", "Cello")
    assert quartet(groups={}) == ("Violin 1", "Violin 2", "Viola", "Cello")


def test_groups_take_patterns_and_names_go_first():
    assert quartet(groups={"violins": ["violin*"]})[:2] == ("violins", "violins")
    groups = {"rest": ["*"], "first": ["Violin 1"], "others": ["vio*"]}
    assert quartet(groups=groups) == ("first", "others", "others", "rest")
    groups = {"a": ["viol?"], "b": ["*[12]"]}
    assert quartet(groups=groups) == ("b", "b", "a", "Cello")


def test_a_name_with_a_pattern_s_characters_is_found_as_it_is():
    score = duo("a[1]", "a1")
    assert stems(score, "part", groups={"x": ["a[1]"], "y": ["*"]}) == {
        "a[1]": "x", "a1": "x",
    }  # fmt: skip


def test_groups_join_hands_pitches_and_notes():
    score = duo("Piano", "Voice", pitches=(59, 64))
    groups = {"accompaniment": ["left", "right"]}
    assert set(stem_labels(score, "hand", groups=groups)) == {"accompaniment", "Voice"}
    groups = {"low": ["B3", "C4"]}
    assert stem_labels(score, "pitch", groups=groups) == ("low", "low", "E4", "F4")
    groups = {"all": ["*_Piano"]}
    assert stem_labels(score, "note", groups=groups)[:2] == ("all", "all")


def test_a_group_may_be_called_like_its_member():
    groups = {"Viola": ["Viola", "Cello"]}
    assert quartet(groups=groups)[2:] == ("Viola", "Viola")


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            {"winds": ["oboe"]},
            "group winds: no stem matches 'oboe'; the stems are "
            "Violin 1, Violin 2, Viola, Cello",
        ),
        (
            {"a": ["viola"], "b": ["Viola", "cello"]},
            "Viola is in the groups a and b; keep it in one",
        ),
        ({"a": ["vio*"], "b": ["*a"]}, "Viola is in the groups a and b"),
        ({"a": ["*"], "b": ["*"]}, "Violin 1 is in the groups a and b"),
        (
            {"Viola": ["Cello"]},
            "group Viola has the name of a stem that is not in it; add Viola",
        ),
    ],
)
def test_groups_that_do_not_fit_are_refused(groups, message):
    with pytest.raises(ParameterError, match=message):
        quartet(groups=groups)


def test_an_error_lists_a_few_of_many_labels():
    score = Score(Note(t, 1, 60) for t in range(50))
    with pytest.raises(ParameterError, match=r"0012_C4 and 38 more$"):
        stem_labels(score, "note", groups={"a": ["b"]})


@given(st.text("[]!-^&~|a*?:\\", min_size=1))
def test_any_text_is_a_pattern(pattern):
    score = duo("a", pattern)
    assert stem_labels(score, groups={"x": [pattern]})[-1] == "x"


def test_a_pattern_of_many_stars_takes_no_time():
    score = duo("a" * 200, "b")
    with pytest.raises(ParameterError, match="no stem matches"):
        stem_labels(score, groups={"x": ["*a" * 100 + "*c"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "voice"}, "by must be one of part, hand, pitch, note, got 'voice'"),
        (
            {"by": "hand", "split": 129},
            "split must be a MIDI pitch from 0 to 128, got 129",
        ),
        (
            {"by": "hand", "split": -1},
            "split must be a MIDI pitch from 0 to 128, got -1",
        ),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        stem_labels(Score(()), **options)


def test_groups_are_parsed_from_texts_and_tables():
    parsed = {"strings": ("violin", "viola"), "rest": ("*",)}
    assert parse_groups(["strings=violin, viola", "rest=*"]) == parsed
    assert parse_groups(["strings=violin", "rest=*", " strings =viola"]) == parsed
    assert parse_groups({"strings": ["violin", "viola"], "rest": "*"}) == parsed
    assert parse_groups({"a": ["b, c"]}) == {"a": ("b, c",)}
    assert parse_groups(["a=b=c"]) == {"a": ("b=c",)}
    assert parse_groups([]) == parse_groups({}) == {}


@pytest.mark.parametrize(
    "groups",
    [
        ["strings"], ["=violin"], ["strings="], ["strings=violin,,viola"], [""],
        {"strings": []}, {"strings": 3}, {"strings": [3]}, {"": ["a"]}, {"a": {"b": 1}},
        {"a": None}, {"a": b"bc"},
    ],
)  # fmt: skip
def test_groups_of_another_form_are_refused(groups):
    with pytest.raises(ParameterError, match="a group must be NAME=STEM,STEM such as"):
        parse_groups(groups)


@given(
    st.lists(
        st.text(string.ascii_lowercase + string.digits + "-_#", min_size=1, max_size=9)
        .filter(lambda name: name.upper() not in DEVICES)
    )
)  # fmt: skip
def test_ordinary_names_stay(labels):
    assert safe_names(labels) == {label: label for label in labels}


DEVICES = {"CON", "PRN", "AUX", "NUL"} | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in range(10)
}

nasty = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from('./\\:*?"<>| ~\0\n\t\x7f\u202e\u00a0\u2028é\u0301ßſK'),
    ),
    max_size=40,
)


@given(st.lists(nasty))
@example(["con", "CON", "Con.wav", "nul ", "_con"])
@example(["violin", "Violin", "violin_2", "VIOLIN"])
@example(["é", "e\u0301", "É"])
@example(["a/b", "a\\b", "a_b"])
@example(["x" * 300, "X" * 300, "é" * 300, "\U0001f3bb" * 300])
@example(["\ud800", "\udcff", "\ufffe"])
@example(["NUL" + " " * 98 + "x"])
def test_names_are_safe_everywhere(labels):
    names = safe_names(labels)
    assert list(names) == list(dict.fromkeys(labels))
    for name in names.values():
        assert 1 <= len(name.encode()) <= 100
        assert name == unicodedata.normalize("NFC", name)
        assert not set(name) & set('/\\:*?"<>|')
        assert all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in name)
        assert name == name.strip(" ").rstrip(".")
        assert not name.startswith(".")
        assert name.split(".")[0].strip().upper() not in DEVICES
    alike = {unicodedata.normalize("NFC", name).casefold() for name in names.values()}
    assert len(alike) == len(names)


@given(st.lists(nasty, unique=True))
def test_safe_names_are_safe(labels):
    names = safe_names(labels).values()
    assert safe_names(names) == {name: name for name in names}


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("C#4", "C#4"),
        ("Violin I", "Violin I"),
        ("Flügel", "Flügel"),
        ("ヴァイオリン", "ヴァイオリン"),
        ("", "part"),
        ("..", "part"),
        (".hidden", "hidden"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\temp", "C__temp"),
        ("a\0b\nc", "a_b_c"),
        ("right-to-left \u202e", "right-to-left _"),
        ("cut \ud800 short", "cut _ short"),
        ("non\u00a0breaking", "non breaking"),
        ("Dr. ", "Dr"),
        ("nul", "_nul"),
        ("Aux.left", "_Aux.left"),
        ("nul .left", "_nul .left"),
        ("COM³", "_COM³"),
        ("auxiliary", "auxiliary"),
        ("e\u0301", "é"),
    ],
)
def test_what_is_not_safe_is_replaced(label, name):
    assert safe_names([label]) == {label: name}


def test_names_that_a_file_system_confuses_are_numbered():
    labels = ["Violin", "violin", "violin_2", "VIOLIN", "violin"]
    assert list(safe_names(labels).values()) == [
        "Violin", "violin_3", "violin_2", "VIOLIN_4",
    ]  # fmt: skip
    assert safe_names(["a/b", "a_b"]) == {"a/b": "a_b_2", "a_b": "a_b"}
    assert safe_names(["", "part"]) == {"": "part_2", "part": "part"}


def test_long_names_are_cut_between_characters():
    names = safe_names(["x" * 101, "é" * 51, "x" * 100, "\U0001f3bb" * 26])
    assert [len(name) for name in names.values()] == [100, 50, 100, 25]
    assert names["x" * 101] == "x" * 98 + "_2"


def test_a_crowd_of_names_alike_is_numbered_in_no_time():
    labels = [f"{'x' * 100}{k}" for k in range(20_000)]
    assert safe_names(labels)[labels[-1]].endswith("_20000")
