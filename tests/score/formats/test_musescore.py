"""MuseScore files, against what MuseScore itself exports where it is installed."""

import io
import shutil
import subprocess
import zipfile

import pytest

from specnmf.errors import ScoreError
from specnmf.score.reading import read_score

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<museScore version="{version}"><Score>'
PART = (
    '<Part><Staff id="1"/><trackName>Violin</trackName>'
    "<Instrument><longName>Violin</longName></Instrument></Part>"
)
PIANO = (
    '<Part><Staff id="1"/><Staff id="2"/><Instrument><longName>Piano</longName>'
    "</Instrument></Part>"
)
TIME = "<TimeSig><sigN>4</sigN><sigD>4</sigD></TimeSig>"


def chord(pitch, kind="quarter", *, inside="", note=""):
    return (
        f"<Chord>{inside}<durationType>{kind}</durationType>"
        f"<Note>{note}<pitch>{pitch}</pitch></Note></Chord>"
    )


def rest(kind="quarter"):
    return f"<Rest><durationType>{kind}</durationType></Rest>"


def measure(*voices, inside="", attributes=""):
    own = "".join(f"<voice>{voice}</voice>" for voice in voices)
    return f"<Measure{attributes}>{inside}{own}</Measure>"


def mscx(*measures, part=PART, version="4.20", staves=None):
    staves = staves or [measures]
    music = "".join(
        f'<Staff id="{k}">{"".join(own)}</Staff>' for k, own in enumerate(staves, 1)
    )
    return f"{HEAD.format(version=version)}{part}{music}</Score></museScore>"


@pytest.fixture
def read(tmp_path):
    def read(document, name="score.mscx"):
        path = tmp_path / name
        data = document if isinstance(document, bytes) else document.encode()
        path.write_bytes(data)
        return read_score(path)

    return read


def heard(score):
    return [(n.start, n.duration, n.pitch) for n in score.notes]


def four(first):
    return "".join(chord(first + k) for k in range(4))


def test_notes_follow_one_another(read):
    score = read(mscx(measure(TIME + four(60))))
    assert heard(score) == [(0.5 * k, 0.5, 60 + k) for k in range(4)]
    assert score.parts == ("Violin",)
    assert score.remarks == ()


def test_a_part_has_the_name_in_the_mixer_if_there_is_none_on_the_page(read):
    part = PART.replace("<longName>Violin</longName>", "")
    part = part.replace("Violin", "Fiddle")
    assert read(mscx(measure(TIME + four(60)), part=part)).parts == ("Fiddle",)


def test_parts_of_one_name_are_numbered(read):
    part = PART + PART.replace('id="1"', 'id="2"')
    own = [measure(TIME + four(60))]
    score = read(mscx(part=part, staves=[own, own]))
    assert set(score.parts) == {"Violin", "Violin 2"}


def test_the_staves_of_a_piano_are_numbered(read):
    own = [measure(TIME + four(60))], [measure(TIME + four(40))]
    score = read(mscx(part=PIANO, staves=own))
    assert {(n.pitch >= 60, n.staff) for n in score.notes} == {(True, 1), (False, 2)}


def test_staves_without_an_id_are_numbered_through(read):
    part = PIANO.replace(' id="1"', "").replace(' id="2"', "")
    own = [measure(TIME + four(60))], [measure(TIME + four(40))]
    assert len(read(mscx(part=part, staves=own)).notes) == 8


def test_a_chord_on_the_other_staff_belongs_to_that(read):
    own = chord(50, "whole", inside="<move>1</move>")
    score = read(mscx(part=PIANO, staves=[[measure(TIME + own)], [measure()]]))
    assert [n.staff for n in score.notes] == [2]


def test_dots_and_tuplets_last_as_they_should(read):
    triplet = (
        "<Tuplet><normalNotes>2</normalNotes><actualNotes>3</actualNotes></Tuplet>"
        + 3 * chord(60, "eighth")
        + "<endTuplet/>"
    )
    dotted = chord(62, inside="<dots>1</dots>") + chord(64, "eighth")
    score = read(mscx(measure(TIME + triplet + dotted + rest())))
    assert [n.duration for n in score.notes] == pytest.approx(
        [1 / 6] * 3 + [0.75, 0.25]
    )
    assert [n.start for n in score.notes][3:] == pytest.approx([0.5, 1.25])


def test_tied_notes_are_one(read):
    on = '<Spanner type="Tie"><Tie/><next><location/></next></Spanner>'
    back = '<Spanner type="Tie"><prev><location/></prev></Spanner>'
    first = rest("half") + rest() + chord(60, note=on)
    score = read(mscx(measure(TIME + first), measure(chord(60, "half", note=back))))
    assert heard(score) == [(1.5, 1.5, 60)]


def test_grace_notes_sound_before_the_beat(read):
    music = rest() + chord(62, "eighth", inside="<acciaccatura/>") + chord(60)
    score = read(mscx(measure(TIME + music)))
    assert heard(score) == [
        (pytest.approx(0.4), pytest.approx(0.1), 62),
        (0.5, 0.5, 60),
    ]


def test_grace_notes_after_a_chord_sound_at_its_end_in_the_order_of_playing(read):
    after = "<grace16after/>"
    music = chord(65, "16th", inside=after) + chord(64, "16th", inside=after)
    score = read(mscx(measure(TIME + music + chord(60))))
    assert [(n.pitch, n.start) for n in score.notes] == [
        (60, 0.0),
        (64, pytest.approx(0.3)),
        (65, pytest.approx(0.4)),
    ]


def test_a_tempo_holds_from_its_place_on(read):
    tempo = "<Tempo><tempo>1</tempo></Tempo>"
    score = read(mscx(measure(TIME + chord(60) + chord(61) + tempo + chord(62))))
    assert heard(score) == [(0.0, 0.5, 60), (0.5, 0.5, 61), (1.0, 1.0, 62)]


def test_lines_of_octaves_move_the_notes_under_them(read):
    line = (
        '<Spanner type="Ottava"><Ottava><subtype>{}</subtype></Ottava><next><location>'
        "<fractions>1/2</fractions></location></next></Spanner>"
    )
    up, down = line.format("8va"), line.format("15mb")
    music = up + chord(60) + chord(61) + down + chord(62) + chord(63)
    score = read(mscx(measure(TIME + music)))
    assert [n.pitch for n in score.notes] == [72, 73, 38, 39]


def test_a_line_of_octaves_may_end_in_a_later_measure(read):
    line = (
        '<Spanner type="Ottava"><Ottava><subtype>8vb</subtype></Ottava><next><location>'
        "<measures>1</measures><fractions>-3/4</fractions></location></next></Spanner>"
    )
    music = rest("half") + rest() + line + chord(60)
    score = read(mscx(measure(TIME + music), measure(four(60))))
    assert [n.pitch for n in score.notes] == [48, 60, 61, 62, 63]


def test_repeats_are_played(read):
    score = read(
        mscx(
            measure(TIME + chord(60, "whole"), inside="<startRepeat/>"),
            measure(chord(62, "whole"), inside="<endRepeat>3</endRepeat>"),
            measure(chord(64, "whole")),
        )
    )
    assert [n.pitch for n in score.notes] == [60, 62] * 3 + [64]


def test_endings_are_played_in_their_passes(read):
    volta = (
        '<Spanner type="Volta"><Volta><endings>{}</endings></Volta><next><location>'
        "<measures>1</measures></location></next></Spanner>"
    )
    end = "<endRepeat>2</endRepeat>"
    score = read(
        mscx(
            measure(TIME + chord(60, "whole")),
            measure(volta.format("1") + chord(62, "whole"), inside=end),
            measure(volta.format("2") + chord(64, "whole")),
        )
    )
    assert [n.pitch for n in score.notes] == [60, 62, 60, 64]
    assert score.remarks == ()


def jump(to, until, on=""):
    return (
        f"<Jump><jumpTo>{to}</jumpTo><playUntil>{until}</playUntil>"
        f"<continueAt>{on}</continueAt></Jump>"
    )


def marker(name):
    return f"<Marker><label>{name}</label></Marker>"


@pytest.mark.parametrize(
    ("marks", "pitches"),
    [
        (["", marker("fine"), jump("start", "fine")], [60, 61, 62, 60, 61]),
        (["", "", jump("start", "end")], [60, 61, 62, 60, 61, 62]),
        (["", marker("segno"), jump("segno", "end")], [60, 61, 62, 61, 62]),
        (
            [marker("coda"), jump("start", "coda", "codab"), marker("codab")],
            [60, 61, 60, 62],
        ),
    ],
    ids=["al fine", "da capo", "dal segno", "al coda"],
)
def test_jumps_are_followed(read, marks, pitches):
    measures = [
        measure((TIME if k == 0 else "") + chord(60 + k, "whole"), inside=own)
        for k, own in enumerate(marks)
    ]
    assert [n.pitch for n in read(mscx(*measures)).notes] == pitches


@pytest.mark.parametrize("tag", ["RepeatMeasure", "MeasureRepeat"])
def test_a_measure_may_repeat_the_one_before(read, tag):
    sign = f"<{tag}><durationType>measure</durationType></{tag}>"
    score = read(mscx(measure(TIME + four(60)), measure(sign)))
    assert [n.pitch for n in score.notes] == [60, 61, 62, 63] * 2


def test_two_measures_may_be_repeated_together(read):
    sign = (
        "<MeasureRepeat><subtype>2</subtype><durationType>measure</durationType>"
        "</MeasureRepeat>"
    )
    score = read(
        mscx(measure(TIME + four(60)), measure(four(70)), measure(sign), measure(""))
    )
    assert [n.pitch for n in score.notes] == [60, 61, 62, 63, 70, 71, 72, 73] * 2


def test_a_long_rest_that_stands_for_measures_is_not_one(read):
    long = "<multiMeasureRest>2</multiMeasureRest>"
    silent = "<Rest><durationType>measure</durationType></Rest>"
    score = read(
        mscx(
            measure(TIME + silent, inside=long, attributes=' len="8/4"'),
            measure(TIME + silent),
            measure(silent),
            measure(four(60)),
        )
    )
    assert score.notes[0].start == 4.0


def test_an_upbeat_is_as_long_as_it_says(read):
    upbeat = measure(TIME + chord(59), attributes=' len="1/4"')
    assert heard(read(mscx(upbeat, measure(four(60)))))[1][0] == 0.5


def test_other_voices_begin_with_the_measure_or_where_they_are_moved(read):
    moved = "<location><fractions>1/4</fractions></location>" + chord(40)
    score = read(mscx(measure(TIME + four(60), moved)))
    assert [n.start for n in score.notes if n.pitch == 40] == [0.5]


def test_drums_are_percussion(read):
    part = PART.replace("<Instrument>", "<Instrument><useDrumset>1</useDrumset>")
    score = read(mscx(measure(TIME + four(36)), part=part))
    assert all(note.percussion for note in score.notes)


def test_notes_set_not_to_play_are_left_out_with_all_they_are_tied_to(read):
    on = '<Spanner type="Tie"><next><location/></next></Spanner><play>0</play>'
    back = '<Spanner type="Tie"><prev><location/></prev></Spanner>'
    music = chord(60, note=on) + chord(60, note=back) + chord(62)
    score = read(mscx(measure(TIME + music)))
    assert [n.pitch for n in score.notes] == [62]
    assert score.remarks == ("Violin: left out: 1 note set not to play",)


def test_packed_scores_are_read(read):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Excerpts/part.mscx", "<museScore/>")
        archive.writestr("score.mscx", mscx(measure(TIME + four(60))))
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="score_style.mss"/>'
            '<rootfile full-path="score.mscx"/></rootfiles></container>',
        )
    assert len(read(packed.getvalue(), "score.mscz").notes) == 4


def test_a_packed_score_without_a_score_is_refused(read):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(ScoreError, match="holds no MuseScore file"):
        read(packed.getvalue(), "score.mscz")


def test_old_versions_are_refused_with_what_to_do(read):
    with pytest.raises(ScoreError, match=r"version 2\.06\); open it in MuseScore 3"):
        read(mscx(measure(TIME + four(60)), version="2.06"))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("<mei/>", "expected a MuseScore file, found mei"),
        ('<museScore version="4.0"/>', "holds no score"),
        (mscx(measure(TIME)), "holds no notes"),
        (mscx(measure(TIME + chord(60, "tiny"))), "a note of value 'tiny'"),
        (mscx(measure(TIME + chord(400))), "between 0 and 127, got 400"),
        (mscx(measure("<Tempo><tempo>0</tempo></Tempo>")), "a tempo of 0"),
        (mscx(measure("<Tuplet/>")), "a tuplet of 0"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><museScore/>', "its own XML entities"),
    ],
)
def test_damaged_files_are_refused(read, document, message):
    with pytest.raises(ScoreError, match=message):
        read(document)


SCORE = """<score-partwise version="3.1"><part-list><score-part id="P1">
<part-name>Oboe</part-name></score-part></part-list><part id="P1">
<measure number="1"><attributes><divisions>6</divisions><time><beats>2</beats>
<beat-type>4</beat-type></time></attributes><barline location="left">
<repeat direction="forward"/></barline><direction><direction-type><metronome>
<beat-unit>quarter</beat-unit><per-minute>90</per-minute></metronome></direction-type>
<sound tempo="90"/></direction>{first}{second}</measure>
<measure number="2">{triplet}{last}<barline location="right">
<repeat direction="backward"/></barline></measure></part></score-partwise>"""


def written(step, duration, kind, tie=""):
    tied = f'<notations><tied type="{tie}"/></notations>' if tie else ""
    tie = f'<tie type="{tie}"/>' if tie else ""
    return (
        f"<note><pitch><step>{step}</step><octave>5</octave></pitch>"
        f"<duration>{duration}</duration>{tie}<type>{kind}</type>{tied}</note>"
    )


@pytest.mark.skipif(not shutil.which("mscore3"), reason="MuseScore 3 is not installed")
@pytest.mark.slow  # starts MuseScore
def test_a_score_is_read_as_musescore_exports_it(tmp_path, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    source = tmp_path / "source.musicxml"
    tuplet = (
        "<time-modification><actual-notes>3</actual-notes><normal-notes>2"
        "</normal-notes></time-modification>"
    )
    eighth = written("E", 2, "eighth").replace("</type>", f"</type>{tuplet}")
    source.write_text(
        SCORE.format(
            first=written("C", 6, "quarter"),
            second=written("D", 6, "quarter", "start"),
            triplet=written("D", 6, "quarter", "stop"),
            last=3 * eighth,
        )
    )
    saved, exported = tmp_path / "saved.mscz", tmp_path / "exported.musicxml"
    for target in (saved, exported):
        command = ["mscore3", str(source), "-o", str(target)]
        subprocess.run(command, capture_output=True, check=True, timeout=60)
    ours, theirs = read_score(saved), read_score(exported)
    assert ours.parts == theirs.parts
    assert len(ours.notes) == 10
    expected = [pytest.approx(note, abs=0.002) for note in heard(theirs)]
    assert heard(ours) == expected
