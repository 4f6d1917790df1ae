"""Regions: label tracks and tables that say where which sound is heard."""

import re
import time

import mir_eval
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specnmf import OutputError, ScoreError
from specnmf.score.regions import (
    MAX_BYTES,
    MAX_REGIONS,
    REST,
    Region,
    load_regions,
    read_regions,
    write_regions,
)


@pytest.fixture
def read(tmp_path):
    def read(text, name="labels.txt"):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(data)
        return read_regions(tmp_path / name)

    return read


#: As Audacity 3.4 exports it, with the spectral selection of the second label.
AUDACITY = (
    "0.500000\t1.250000\tkick\r\n"
    "2.000000\t3.000000\tsnare drum\r\n"
    "\\\t150.000000\t4000.000000\r\n"
)
KICK, SNARE = Region(0.5, 1.25, "kick"), Region(2.0, 3.0, "snare drum")


@pytest.mark.parametrize(
    "text",
    [
        AUDACITY,
        "\ufeff" + AUDACITY,
        AUDACITY.replace(".", ","),
        AUDACITY.replace("\r\n", "\n") + "\n\n",
        "\\\t1\t2\n2\t3\tsnare drum\n0.5\t1.25\tkick",
        "start,end,name\n0.5,1.25,kick\n2,3,snare drum\n",
        "Start;Duration;Label\n0,5;0,75;kick\n2;1;snare drum\n",
        'START\tEND\tNAME\n"0,5"\t1,25\tkick\n2\t3\t snare  drum \n',
        "id,label,colour,offset,onset\n1,kick,red,1.25,.5\n\n2,snare drum,,3.,2,more\n",
        "start,duration,end,name\n0.5,0.75,1.25,kick\n2,1,3,snare drum\n,,,\n",
        # Raven, with two views of a selection
        "Selection\tView\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tAnnotation\n"
        "1\tSpectrogram 1\t0.5\t1.25\t100.0\tkick\n"
        "2\tSpectrogram 1\t2.0\t3.0\t90.0\tsnare drum\n",
        # REAPER, in seconds and in minutes
        "#,Name,Start,End,Length\nR1,kick,0.5,1.25,0.75\nR2,snare drum,2,3,1\n",
        "#,Name,Start,End,Length\nR1,kick,0:00.500,0:01.250,0:00.750\n"
        "R2,snare drum,0:02.000,0:00:03.000,0:01.000\n",
        # Sonic Visualiser, with titles and without
        "TIME,VALUE,DURATION,LABEL\n0.5,3,0.75,kick\n2,1,1,snare drum\n",
        "TIME\tVALUE\tDURATION\tLABEL\n0.5\t3\t0.75\tkick\n2\t1\t1\tsnare drum\n",
        "0.500000000\t3\t0.750000000\tkick\n2.000000000\t1\t1.000000000\tsnare drum\n",
        '0.500000000,3,0.750000000,kick\n2.000000000,1,1.000000000,"snare drum"\n',
        # start, end and duration, of which each tells of the others
        "0.5\t1.25\t0.75\tkick\n2.0\t3.0\t1.0\tsnare drum\n",
        "0.500 1.250 kick\n2.000 3.000 snare drum\n",
        "0:00.5\t0:01.25\tkick\n0:02\t0:03\tsnare drum\n",
    ],
)
def test_tracks_and_tables_are_told_by_their_content(read, text):
    assert read(text) == (KICK, SNARE)
    assert read(text, "labels.csv") == (KICK, SNARE)


@pytest.mark.parametrize(
    ("text", "name"),
    [("0.500000\t1.500000\t2\n", "2"), ("0.500000\t1.500000\t1,5\n", "1,5"),
     ("0\t1\t7\n", "7")],
)  # fmt: skip
def test_a_number_may_be_a_name_where_audacity_wrote_it(read, text, name):
    assert [region.name for region in read(text)] == [name]


@pytest.mark.parametrize(
    ("encoding", "remarks"),
    [
        *((name, ()) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-be")),
        ("latin-1", ("not UTF-8, read as Latin-1",)),
        ("cp1252", ("not UTF-8, read as Latin-1",)),
    ],
)
@pytest.mark.parametrize(
    "parts", ["0.5\t1.25\tflöte\n", "start,end,name\n.5,1.25,flöte"]
)
def test_text_is_read_in_its_encoding(tmp_path, encoding, remarks, parts):
    (tmp_path / "labels.txt").write_bytes(parts.encode(encoding))
    found = load_regions(tmp_path / "labels.txt")
    assert found == ((Region(0.5, 1.25, "flöte"),), remarks)


def test_regions_are_in_order_of_time(read):
    regions = read("3\t4\ta\n1\t2\tb\n1\t1.5\tc\n")
    assert [region.name for region in regions] == ["c", "b", "a"]


def test_names_are_fit_for_a_line(read):
    (region,) = read("0\t1\ta\x1b[31m\x00\tb   c\u2028" + "x" * 5000)
    assert region.name.startswith("a [31m b c x")
    assert len(region.name) == 200
    assert region.name.isprintable()


@pytest.mark.parametrize("name", ["../../x", "..", "CON", "a/b", "=1+1", "rest", "ä"])
def test_any_name_is_kept_as_it_is(read, name):
    assert read(f"0\t1\t{name}\n") == (Region(0.0, 1.0, name),)


def test_rest_is_told_in_any_case(read):
    names = [name for _, _, name in read("0\t1\tREST\n1\t2\tRest \n2\t3\tRests\n")]
    assert names == [REST, REST, "Rests"]


seconds = st.integers(0, 10**9).map(lambda microseconds: microseconds / 1e6)
names = st.sampled_from(
    ["piano", "snare drum", 'the "lead"', "a;b", "Flöte, 笛", "1,5"]
)
regions = st.builds(
    lambda start, length, name: Region(start, round(start + length, 6), name),
    seconds,
    st.floats(1e-5, 1000).map(lambda length: round(length, 6)),
    names,
)


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(regions, min_size=1))
def test_what_was_written_is_read_to_the_microsecond(tmp_path, regions):
    write_regions(tmp_path / "labels.txt", regions)
    assert read_regions(tmp_path / "labels.txt") == tuple(sorted(regions))


def test_a_region_is_written_as_audacity_does(tmp_path):
    write_regions(
        tmp_path / "labels.txt", [Region(2, 3, "b"), Region(0.1 + 0.2, 1, "")]
    )
    text = (tmp_path / "labels.txt").read_bytes().decode()
    assert text == "0.300000\t1.000000\t\n2.000000\t3.000000\tb\n"


def test_mir_eval_reads_what_is_written(tmp_path):
    write_regions(tmp_path / "labels.txt", [SNARE, KICK])
    intervals, labels = mir_eval.io.load_labeled_intervals(
        tmp_path / "labels.txt", "\t"
    )
    assert intervals.tolist() == [[0.5, 1.25], [2.0, 3.0]]
    assert labels == ["kick", "snare drum"]


def test_no_name_breaks_a_line_of_what_is_written(tmp_path):
    write_regions(tmp_path / "labels.txt", [Region(0, 1, "a\tb\nc\udc80")])
    text = (tmp_path / "labels.txt").read_text(encoding="utf-8")
    assert text == "0.000000\t1.000000\ta b c\n"


def test_no_regions_are_an_empty_file(tmp_path):
    write_regions(tmp_path / "labels.txt", ())
    assert (tmp_path / "labels.txt").read_bytes() == b""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("\n\n", "found none"),
        ("piano is heard at 1 s\n", "found piano is heard at 1 s"),
        ("1 2 piano\n", "expected a label track (start, end and name, separated by "
         "tabs)"),
        ("start,end\n1,2\n", "found start, end"),
        ("start,name\n1,piano\n", "found start, name"),
        ("1,2,piano\n", "found no column names but 1, 2, piano; name the columns "
         "in a first line, such as start,end,name"),
        ("1.0,2.0,piano\n", "found no column names but 1.0, 2.0, piano"),
        ("0 3600000 sil\n", "expected a label track"),
        ("0.232\t5\t2.028\tguitar\n3.26\t6\t1.938\trecorder\n", "not a label track of "
         "start, end and name: its third column holds numbers; name the columns in a "
         "first line, such as start,end,name or time,value,duration,name"),
        ("0.5\t0.4\t60\tpiano\n", "its third column holds numbers"),
        ("0.5\t440\t2\n", "its third column holds numbers"),
        ("0.5\t440.0\t2.25\n", "its third column holds numbers"),
        ("0.500000000\t440\tguitar\n", "its second column holds no times"),
        ("time,value,label\n0.5,440,guitar\n", "found time, value, label"),
        ("start (ms),end (ms),name\n0,5,a\n", "found start (ms), end (ms), name"),
        ("start,end,end,name\n0,1,2,a\n", "2 columns are named 'end'; rename one"),
        ("start,end,length,name\n0,1,2,a\n", "line 2: starts at 0 s and lasts 2 s, but "
         "ends at 1 s"),
        ("start,end,name\n0,5,1,5,guitar\n", "line 2: has more cells than the table "
         "has columns; put names and numbers that contain commas in quotes"),
        ("start,end,name\n0.5,1.5,snare, loud\n", "line 2: has more cells than"),
        ("0,5\t1,5\ta\n1.250\t2.5\tb\n", "line 2: some numbers have commas and others "
         "points; use one of them for decimals, and no separator for thousands"),
        ("Marker Name\tIn\tOut\n", "found marker name, in, out"),
        ("name,start,end\na,00:00:00:00,00:00:02:00\n", "start must be a number, got "),
        ("start,end,name\n", "holds no regions"),
        ("\\\t1\t2\n", "found no column names but \\, 1, 2"),
        ("0\t1\ta\nx\t2\tpiano\n", "line 2: start must be a number, got 'x'"),
        ("0\t1\ta\n\n1\n", "line 3: end must be a number, got ''"),
        ("start,end,name\n1,2\n", "line 2: the region from 1 to 2 s needs a name"),
        ("start,end,name\n1.5,2\x00,a\n", "line 2: end must be a number"),
        ("2\t1\tpiano\n", "line 1: ends at 1 s, before it starts at 2 s"),
        ("start,duration,name\n2,-1,a\n", "line 2: duration must be 0 s or more"),
        ("2\t2\tpiano\n", "line 1: 'piano' at 2 s is a point; mark a region with "
         "a start and an end"),
        ("1\t2\t\n", "line 1: the region from 1 to 2 s needs a name"),
        ("1\t2\t \x07\n", "needs a name"),
        ("-1\t2\tpiano\n", "line 1: start must be 0 s or more, got -1"),
        ("nan\t2\tpiano\n", "line 1: start must be 0 s or more, got nan"),
        ("0\tinf\tpiano\n", "line 1: end must be 0 s or more, got inf"),
        ("0\t1e999\tpiano\n", "line 1: end must be 0 s or more, got inf"),
        ("0\t86401\tpiano\n", "line 1: ends at 86401 s, expected at most a day"),
        (b"\xff\xfe0\x00\t\x00", "line 1: end must be a number, got ''"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "found no text"),
        (b"\x00\x01\x02\x03\n", "found none"),
    ],
)  # fmt: skip
def test_what_marks_no_regions_is_refused_in_one_line(read, text, message):
    with pytest.raises(ScoreError, match=re.escape(message)) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    assert "labels.txt: " in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ScoreError, match=r"labels\.txt: no such file"):
        read_regions(tmp_path / "labels.txt")
    with pytest.raises(ScoreError, match="not a file"):
        read_regions(tmp_path)


@pytest.mark.slow  # large files
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\t1\t" + "x" * 20_000, "line 1: too long for lists of regions"),
        ("start,end,name\n0,1," + "7" * 200_000, "line 2: too long for lists"),
        ("0\t1\ta\n" + "\n" * 300_000, "line 200001: too long for lists"),
        ("0\t1\ta\n" * (MAX_REGIONS + 1), "holds more than 100000 regions"),
        ("".join(f"0\t1\t{k}\n" for k in range(65)), "names 65 sounds, expected at "
         "most 64"),
        ('start,end,name\n0,1,"' + "1234567\n" * 20_000, "not a table (field larger"),
    ],
    ids=["a long line", "a long row", "blank lines", "regions", "names", "a long cell"],
)  # fmt: skip
def test_endless_lists_are_refused(read, text, message):
    with pytest.raises(ScoreError, match=re.escape(message)):
        read(text)


def test_ten_million_labels_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "labels.txt"
    with path.open("wb") as file:
        file.truncate(10_000_000 * len("0\t1\ta\n"))
    began = time.process_time()
    with pytest.raises(ScoreError, match=f"larger than {MAX_BYTES >> 20} MB"):
        read_regions(path)
    assert time.process_time() - began < 1


def test_a_place_where_no_labels_can_be_written_is_an_error(tmp_path):
    with pytest.raises(OutputError, match=r"a\.txt: cannot .*no folder .*none, make"):
        write_regions(tmp_path / "none" / "a.txt", [Region(0, 1, "a")])
