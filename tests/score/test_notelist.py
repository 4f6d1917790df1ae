"""Note lists: every note a row that any reader of CSV understands."""

import csv
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specnmf import ScoreError
from specnmf.score.notelist import read_csv, write_csv
from specnmf.score.notes import Note, Score


@pytest.fixture
def read(tmp_path):
    def read(text):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "notes.csv").write_bytes(data)
        return read_csv(tmp_path / "notes.csv")

    return read


def written(tmp_path, *notes):
    write_csv(tmp_path / "notes.csv", Score(notes))
    return (tmp_path / "notes.csv").read_bytes().decode("utf-8")


def test_a_note_is_a_row_under_the_header(tmp_path):
    text = written(tmp_path, Note(0.1 + 0.2, 1 / 3, 69, 100, "flute"))
    assert text == (
        "start,duration,pitch,velocity,label\n0.300000,0.333333,69,100,flute\n"
    )


def test_rows_are_in_order_of_time(tmp_path):
    text = written(tmp_path, Note(2, 1, 60), Note(1, 1, 61), Note(1, 1, 59))
    pitches = [row["pitch"] for row in csv.DictReader(text.splitlines())]
    assert pitches == ["59", "61", "60"]


@pytest.mark.parametrize(
    "part", ["Sopran, Chor", 'the "lead"', "two\nlines", "Flöte 笛", "", "a;b"]
)
def test_labels_survive_quoting(tmp_path, part):
    write_csv(tmp_path / "notes.csv", Score([Note(0, 1, 60, part=part)]))
    with (tmp_path / "notes.csv").open(newline="", encoding="utf-8") as file:
        assert [row["label"] for row in csv.DictReader(file)] == [part]


def test_a_name_that_no_encoding_has_is_written_all_the_same(tmp_path):
    assert "a?b" in written(tmp_path, Note(0, 1, 60, part="a\udc80b"))


def test_long_recordings_keep_their_six_decimals(tmp_path):
    assert "86399.123457,0.000001," in written(tmp_path, Note(86399.1234567, 1e-6, 60))


def test_an_empty_score_is_a_header(tmp_path):
    assert written(tmp_path) == "start,duration,pitch,velocity,label\n"


def test_a_path_may_be_text(tmp_path):
    write_csv(str(tmp_path / "notes.csv"), Score(()))
    assert (tmp_path / "notes.csv").is_file()


def test_heard_notes_have_cents_and_confidence(tmp_path):
    text = written(
        tmp_path, Note(0, 1, 60, cents=-12.34), Note(1, 1, 62, confidence=2 / 3)
    )
    assert text.splitlines() == [
        "start,duration,pitch,velocity,label,cents,confidence",
        "0.000000,1.000000,60,80,,-12.3,1.000",
        "1.000000,1.000000,62,80,,0.0,0.667",
    ]


# --------------------------------------------------------------------- reading


def test_real_lists_are_those_that_libfmp_reads(shared_data):
    c1 = pytest.importorskip("libfmp.c1")
    paths = sorted(shared_data.glob("*/*.csv"))
    assert len(paths) == 3
    for path in paths:
        rows = c1.csv_to_list(str(path))
        rows.sort(key=lambda row: (row[0], row[2], row[4]))
        share = 1 if max(row[3] for row in rows) > 1 else 127
        for note, row in zip(read_csv(path).notes, rows, strict=True):
            start, duration, pitch, velocity, part = row
            # pandas may be off by the last bit
            assert note[:2] == pytest.approx((start, duration), rel=1e-15)
            assert note[2:5] == (pitch, max(1, round(share * velocity)), part)


def test_what_libfmp_writes_is_read(tmp_path):
    c1 = pytest.importorskip("libfmp.c1")
    rows = [[0.25, 1.5, 60, 0.5, "Violin I"], [1, 2, 62, 1.0, "Flöte"]]
    c1.list_to_csv(rows, str(tmp_path / "notes.csv"))
    first, second = read_csv(tmp_path / "notes.csv").notes
    assert first == Note(0.25, 1.5, 60, 64, "Violin I")
    assert second == Note(1, 2, 62, 127, "Flöte")


seconds = st.integers(0, 10**9).map(lambda microseconds: microseconds / 1e6)
labels = st.sampled_from(["", "piano", 'the "lead"', "a;b", "Flöte, 笛", "1,5"])
notes = st.tuples(
    seconds, seconds, st.integers(0, 127), st.integers(1, 127), labels
).map(lambda values: Note(*values))


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(notes, min_size=1))
def test_what_was_written_is_read_to_the_microsecond(tmp_path, notes):
    score = Score(notes)
    write_csv(tmp_path / "notes.csv", score)
    assert read_csv(tmp_path / "notes.csv") == score


@pytest.mark.parametrize(
    "text",
    [
        "start,duration,pitch,velocity,label\n1.5,0.25,60,64,piano\n",
        "Start;Duration;Pitch;Velocity;Label\n1.5;0.25;60;64;piano\n",
        '"Start";"Duration";"Pitch";"Velocity";"Instrument"\n1.5;.25;60;64;"piano"\n',
        "ONSET\tEND\tPITCH\tVelocity\tTrack\r\n1.5\t1.75\t60.0\t64\tpiano\r\n",
        "start;end;pitch;velocity;part\n1,5;1,75;60;64,0;piano\n",
        "id,label,velocity,pitch,duration,start\n7,piano,64,60,0.25,1.5,too,many\n",
        "\ufeffstart , duration, pitch,velocity, voice\n 1.5, 0.25, 60 , 64, piano\n",
        "start,duration,end,pitch,velocity,label\n1.5,0.25,1.75,60,64,piano\n\n,,,,,\n",
        "\nsep=;\n# by hand\nstart;duration;pitch;velocity;label\n1,5;0,25;60;64;piano",
        "# onset,offset,pitch,velocity,label\n1.5,1.75,60,64,piano\n",
        'start,duration,pitch,velocity,label\n"1,5","0,25",60,64,piano\n',
        "start_time_s,end_time_s,pitch_midi,velocity,label,bend\n1.5,1.75,60,64,piano,0,1",
        "OnsetTime\tOffsetTime\tMidiPitch\tVelocity\tPart\n1.5\t1.75\t60\t64\tpiano\n",
        "Onset (sec),Length [s],MIDI note,velocity,track\n0:01.5,0:00.25,60,64,piano\n",
    ],
)
def test_columns_are_found_by_their_names(read, text):
    assert read(text).notes == (Note(1.5, 0.25, 60, 64, "piano"),)


def test_columns_that_a_note_can_do_without_may_be_missing(read):
    assert read("pitch,start,duration\n60,1,2").notes == (Note(1, 2, 60, 80, ""),)


@pytest.mark.parametrize(
    ("text", "velocities"),
    [
        ("start,duration,pitch,velocity\n0,1,60,0.5\n1,1,60,1", [64, 127]),
        ("start;duration;pitch;velocity\n0;1;60;1\n1;1;60;1", [127, 127]),
        ("start,duration,pitch,velocity\n0,1,60,1\n1,1,60,1", [1, 1]),
        ("start;duration;pitch;velocity\n0;1;60;1\n1;1;60;2", [1, 2]),
        ("start;duration;pitch;velocity\n0;1;60;0\n1;1;60;100", [1, 100]),
    ],
)
def test_velocities_up_to_one_are_shares(read, text, velocities):
    assert [note.velocity for note in read(text).notes] == velocities


def test_percussion_may_be_told(read):
    rows = "0,1,36,yes\n1,1,60,no\n2,1,62,\n3,1,38,TRUE\n4,1,38,1\n"
    score = read("start,duration,pitch,percussion\n" + rows)
    assert [note.percussion for note in score.notes] == [True, False, False, True, True]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]
)
def test_text_is_read_in_its_encoding(read, encoding):
    score = read("start,duration,pitch,label\n0,1,60,Flöte\n".encode(encoding))
    assert score.parts == ("Flöte",)
    guessed = ("not UTF-8, read as Latin-1",) if encoding == "latin-1" else ()
    assert score.remarks == guessed


def test_a_table_in_an_older_encoding_is_read_and_told(read):
    score = read("start;duration;pitch;label\n0;1;60;ピアノ\n".encode("cp932"))
    assert score.parts == ("ピアノ",)
    assert score.remarks == ("not UTF-8, read as Shift-JIS",)


@pytest.mark.parametrize(
    ("values", "pitches", "unit"),
    [
        (["60", "62"], [60, 62], "MIDI pitches"),
        (["261.626", "41.2"], [60, 28], "frequencies in Hz"),
        (["440", "110"], [69, 45], "frequencies in Hz"),
    ],
)
def test_values_of_sonic_visualiser_are_told_by_their_size(read, values, pitches, unit):
    rows = "".join(f"{k},{v},0.5,1,\n" for k, v in enumerate(values))
    score = read("TIME,VALUE,DURATION,LEVEL,LABEL\n" + rows)
    assert [note[:4] for note in score.notes] == [
        (k, 0.5, pitch, 127) for k, pitch in enumerate(pitches)
    ]
    assert score.remarks == (f"its values are read as {unit}",)


@pytest.mark.parametrize(
    "text",
    [
        "0.325079365,209.301,0.301859410,0.488372,\n1.0,110,1,1,\n",
        "0.325079365\t209.301\t0.301859410\t0.488372\t\n",
        "0.325079365,209.301,0.301859410\n",
    ],
)
def test_notes_of_sonic_visualiser_may_lack_titles(read, text):
    note = read(text).notes[0]
    assert note[:3] == (0.325079365, 0.30185941, 56)
    assert note.velocity == (62 if text.count("0.4") else 80)


def test_frequencies_are_rounded_to_semitones(read):
    score = read("onset,offset,Frequency (Hz)\n0,1,440\n1,2,269\n")
    assert [note.pitch for note in score.notes] == [69, 60]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,note\n0,60\n", "expected columns start, duration (or end) and pitch, "
         "found time, note"),
        ("0,1,60\n", "found no column names but 0, 1, 60; name the columns in a first "
         "line, such as start,duration,pitch"),
        ("0.5 0.9 261.6\n", "found 0.5 0.9 261.6"),
        ("start (ms),end (ms),pitch\n0,1,60\n", "found start (ms), end (ms), pitch"),
        ("onset_beat,duration_beat,pitch\n0,1,60\n", "expected columns start"),
        ("start,end,start,pitch\n0,1,2,60\n", "2 columns are named 'start'; rename"),
        ("start,duration,end,pitch\n0,1,2,60\n", "line 2: starts at 0 s and lasts 1 s, "
         "but ends at 2 s"),
        ("start,duration,pitch\n0,5,0,4,60\n", "line 2: has more cells than the table "
         "has columns; put names and numbers that contain commas in quotes"),
        ("start;duration;pitch\n1.5;2;60\n1,250;2;60\n", "line 3: some numbers have "
         "commas and others points"),
        ("start,end,frequency\n0,1,0\n", "line 2: a frequency must be above 0 Hz, "
         "got 0"),
        ("time,value,duration,level,label\n0,60.5,1,1,\n", "its values may be "
         "frequencies or MIDI pitches; name their column frequency, or round them"),
        ("time,value,duration,level,label\n0,60,1,2,\n", "line 2: level must lie "
         "between 0 and 1, got 2"),
        ("start,duration,pitch\n00:00:02:00,1,60", "start must be a number"),
        ("\n\n", "found none"),
        ("start,pitch\n0,60", "found start, pitch"),
        ("start,duration,pitch\n", "holds no notes"),
        ("start,duration,pitch\n0,1,60\n\n0,x,60", "line 4: duration must be a number, "
         "got 'x'"),
        ("start,duration,pitch\n0,1", "line 2: pitch must be a number, got ''"),
        ("start,duration,pitch\n0,1,H4", "line 2: pitch must be a number, got 'H4'"),
        ("start,duration,pitch\n0,1,60.5", "line 2: a MIDI pitch must be a whole "
         "number, got 60.5"),
        ("start,duration,pitch\n0,1,nan", "line 2: a MIDI pitch must be a whole"),
        ("start,duration,pitch\n0,1,1e99", "line 2: a MIDI pitch lies between"),
        ("start,duration,pitch\n0,1,inf", "line 2: a MIDI pitch must be a whole"),
        ("start,duration,pitch\ninf,1,60", "line 2: a note's start must be 0 s or "),
        ("start,end,pitch\n2,1,60", "line 2: a note's duration must be 0 s or more, "
         "got -1"),
        ("start,duration,pitch,velocity\n0,1,60,128", "line 2: velocity must "
         "lie between 0 and 127, got 128"),
        ("start,duration,pitch,velocity\n0,1,60,nan", "velocity must lie between"),
        ("start,duration,pitch\n0,999999,60", "lasts 278 hours, expected at "
         "most a day"),
        (b"\xff\xfe\x00", "damaged text in UTF-16"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "found no text"),
        (b"\x00\x01\x02\x03\n", "found none"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_in_one_line(read, text, message):
    with pytest.raises(ScoreError, match=re.escape(message)) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.slow  # large files
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("7" * 200_000, "line 3: too long for tables of notes"),
        ("\n" * 2_000_000, "line 2000001: too long for tables of notes"),
        ('"' + "1234567\n" * 20_000, "not a table (field larger than field limit"),
    ],
    ids=["a long line", "many lines", "a long cell"],
)
def test_endless_lists_are_refused(read, more, message):
    with pytest.raises(ScoreError, match=re.escape(message)):
        read("start,duration,pitch\n0,1,60\n" + more)


def test_what_was_heard_comes_back(tmp_path, rng):
    notes = [
        Note(0.25 * k, 0.2, 60 + k % 5, 90, "voice_1", cents=c, confidence=p)
        for k, (c, p) in enumerate(
            zip(rng.uniform(-50, 50, 30), rng.uniform(0, 1, 30), strict=True)
        )
    ]
    write_csv(tmp_path / "notes.csv", Score(notes))
    back = read_csv(tmp_path / "notes.csv")
    for note, other in zip(notes, back.notes, strict=True):
        assert other._replace(cents=0, confidence=1) == note._replace(
            cents=0, confidence=1
        )
        assert other.cents == pytest.approx(note.cents, abs=0.051)
        assert other.confidence == pytest.approx(note.confidence, abs=0.00051)
    write_csv(tmp_path / "again.csv", back)
    assert (tmp_path / "again.csv").read_bytes() == (
        tmp_path / "notes.csv"
    ).read_bytes()


def test_notes_added_by_hand_are_certain_and_in_tune(read):
    score = read(
        "start,duration,pitch,cents,confidence\n0,1,60,-7.5,.4\n1,1,62,,\n2,1,64, , \n"
    )
    heard, *added = score.notes
    assert (heard.cents, heard.confidence) == (-7.5, 0.4)
    assert [(note.cents, note.confidence) for note in added] == [(0, 1), (0, 1)]


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("confidence", "1.5", "confidence must lie between 0 and 1, got 1.5"),
        ("confidence", "-0.1", "confidence must lie between 0 and 1, got -0.1"),
        ("confidence", "nan", "confidence must lie between 0 and 1, got nan"),
        ("confidence", "high", "confidence must be a number, got 'high'"),
        ("cents", "101", "cents must lie between -100 and 100, got 101"),
        ("cents", "inf", "cents must lie between -100 and 100, got inf"),
        ("cents", "flat", "cents must be a number, got 'flat'"),
    ],
)
def test_cents_and_confidence_out_of_range_are_refused(read, column, cell, said):
    with pytest.raises(ScoreError, match=f"line 2: {re.escape(said)}"):
        read(f"start,duration,pitch,{column}\n0,1,60,{cell}\n")


def heard(score):
    return [(note.start, note.duration, note.pitch) for note in score.notes]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("0.5\t1.5\t60\n1\t2\t61\n2\t3\t62\n3\t4\t63\n", "end, pitch"),
        ("0.5 1.5 261.63\n1 2 277.2\n2 3 293.7\n3 4 311.1\n", "end, frequency"),
        ("0.5,1,60\n1,1,61\n2,1,62\n3,1,63\n", "duration, pitch"),
        ("0,5;1;C4\n1;1;C#4\n2;1;D4\n3;1;Eb4\n", "duration, pitch"),
        ("# onset, pitch\n0.5 60 1\n1 61 1\n2 62 1.0\n3 63 1.00001\n", ""),
        ("0.5 60 1 80\n1 61 1 80\n2 62 1 80\n3 63 1.0000001 80\n",
         "pitch, duration, velocity"),
        ("0.5\t1.5\t60\t80\n1\t2\t61\t80\n2\t3\t62\t9\n3\t4\t63\t9\n",
         "end, pitch, velocity"),
        ("0.5\t1.5\t60\toboe\n1\t2\t61\toboe\n2\t3\t62\ta b\n3\t4\t63\tc\n",
         "end, pitch, label"),
    ],
)  # fmt: skip
def test_the_columns_of_a_table_without_names_follow_from_its_numbers(
    read, text, title
):
    score = read(text)
    assert heard(score) == [
        pytest.approx(note, abs=1e-4)
        for note in [(0.5, 1, 60), (1, 1, 61), (2, 1, 62), (3, 1, 63)]
    ]
    assert f"has no column names, read as start, {title}" in score.remarks[0]


def test_velocities_and_labels_of_such_tables_are_read(read):
    rows = [f"{k}\t{k + 0.5}\t60\t{{}}\n" for k in range(5)]
    assert read("".join(rows).format(1, 2, 3, 4, 127)).notes[-1].velocity == 127
    assert read("".join(rows).format(*"abcde")).parts == tuple("abcde")


@pytest.mark.parametrize(
    "text",
    [
        "0.5\t1.5\t60\n1\t2\t61\n",  # ends or durations
        "3,1,60\n2,1,61\n1,1,62\n",  # not in order of time
        "0,1,60.5\n1,0.5,61.5\n",  # pitches or frequencies
        "60,0.5,1\n60,1.5,2\n61,2.5,3\n",  # pitches first
        "0,1,60,80,1\n1,0.5,60,80,1\n",  # more than is known
        "0,1,60\n1,0.5,61,80\n",  # rows of several lengths
        "0,1,X\n1,0.5,Y\n",  # no notes
    ],
)
def test_a_table_without_names_that_may_mean_several_things_is_refused(read, text):
    with pytest.raises(ScoreError, match="found no column names but"):
        read(text)


@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        ("C4", 60), ("C#4", 61), ("Db4", 61), ("B♭3", 58), ("F♯5", 78), ("a4", 69),
        ("C-1", 0), ("Gs2", 44), ("Fx4", 67), ("Abb4", 67), ("B#3", 60), ("Cb4", 59),
    ],
)  # fmt: skip
def test_notes_may_have_names(read, name, pitch):
    score = read(f"start,end,note\n0,1,{name}\n")
    assert [note.pitch for note in score.notes] == [pitch]
    assert score.remarks == ("its notes have names, with C4 as middle C",)


def test_tables_of_musicnet_count_samples_and_name_programs(read):
    titles = "start_time,end_time,instrument,note,start_beat,end_beat,note_value"
    score = read(f"{titles}\n44100,66150,41,67,0,1,Quarter\n88200,99999,1,48,1,2,x\n")
    assert heard(score)[0] == (1.0, 0.5, 67)
    assert score.parts == ("Violin", "Acoustic Grand Piano")
    assert score.remarks == ("its times are samples at 44100 Hz, as in MusicNet",)


def test_tables_of_basic_pitch_have_bends_behind_their_columns(read):
    titles = "start_time_s,end_time_s,pitch_midi,velocity,pitch_bend"
    score = read(f"{titles}\n0.5,1.25,60,81,0,1,1,0\n1.25,1.5,62,90,0\n")
    assert heard(score) == [(0.5, 0.75, 60), (1.25, 0.25, 62)]
    assert [note.velocity for note in score.notes] == [81, 90]


def test_tables_of_maps_are_separated_by_tabs(read):
    score = read("OnsetTime\tOffsetTime\tMidiPitch\n0.5\t0.75\t60\n\n1\t1.5\t62\n")
    assert heard(score) == [(0.5, 0.25, 60), (1.0, 0.5, 62)]


def test_lists_of_recordings_are_no_notes(read):
    titles = "canonical_composer,canonical_title,split,year,midi_filename,duration"
    with pytest.raises(ScoreError, match="expected columns start, duration"):
        read(f"{titles}\nAlban Berg,Sonata,train,2018,a.midi,698.6\n")
