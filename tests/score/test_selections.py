"""Selection tables of Raven: each selection once, within its own recording."""

import pytest

from specnmf import ScoreError
from specnmf.score.regions import MAX_REGIONS, Region, load_labels, load_regions
from specnmf.score.selections import Selection, write_selections

#: As Raven Pro 1.6 saves it with two views: each selection is listed twice.
RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\t"
    "High Freq (Hz)\tAnnotation\n"
    "1\tWaveform 1\t1\t0.500000000\t1.250000000\t3800.000\t6100.500\tcricket\n"
    "1\tSpectrogram 1\t1\t0.500000000\t1.250000000\t3800.000\t6100.500\tcricket\n"
    "2\tWaveform 1\t1\t2.000000000\t3.000000000\t5000.000\t9000.000\tbush cricket\n"
    "2\tSpectrogram 1\t1\t2.000000000\t3.000000000\t5000.000\t9000.000\tbush cricket\n"
)
CRICKET, BUSH = Region(0.5, 1.25, "cricket"), Region(2.0, 3.0, "bush cricket")

IGNORED = "low and high frequencies of the selections are ignored"


@pytest.fixture
def load(tmp_path):
    def load(text):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "table.txt").write_bytes(data)
        return load_regions(tmp_path / "table.txt")

    return load


@pytest.mark.parametrize(
    "text",
    [
        RAVEN,
        RAVEN.replace("\n", "\r\n"),
        "\ufeff" + RAVEN,
        RAVEN.encode("utf-16"),  # "Unicode text" of Excel
        RAVEN.replace(".", ","),
        RAVEN.replace(".", ",").replace("\t", ";"),
        RAVEN.replace("\t1\t0", "\t2\t0"),  # of another channel
        RAVEN.replace("Annotation", "Species"),
        RAVEN.replace("Annotation", "Common Name"),
        RAVEN.replace("Annotation", "Call Type"),
        RAVEN.replace("Annotation", "TAGS"),
    ],
)
def test_a_selection_counts_once_whatever_saved_it(load, text):
    assert load(text) == ((CRICKET, BUSH), (IGNORED,))


def test_of_two_columns_the_annotation_names_the_sound(load):
    lines = RAVEN.splitlines()
    wider = [f"{lines[0]}\tSpecies", *(f"{line}\tOrthoptera" for line in lines[1:])]
    assert load("\n".join(wider))[0] == (CRICKET, BUSH)


def test_calls_that_differ_in_name_or_time_are_all_kept(load):
    more = (
        "3\tSpectrogram 1\t1\t0.5\t1.25\t1\t2\tfrog\n"
        "4\tSpectrogram 1\t1\t0.5\t1.5\t1\t2\tcricket\n"
    )
    regions, _ = load(RAVEN + more)
    assert len(regions) == 4


def test_a_table_without_views_keeps_repeated_regions(load):
    assert len(load("start,end,name\n1,2,a\n1,2,a\n")[0]) == 2


@pytest.mark.parametrize(
    ("offset", "later", "remarks"),
    [
        ("0.5", 0.0, (IGNORED,)),
        ("", 0.0, (IGNORED,)),
        ("0.51", 0.0, (IGNORED,)),
        ("0.25", -0.25, ("times are those within the recording, its File Offset",)),
    ],
)
def test_times_are_those_within_the_file(load, offset, later, remarks):
    found, said = load(
        "View\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tAnnotation\tBegin File\t"
        f"File Offset (s)\nSpectrogram 1\t0.5\t1.25\t1\tcricket\tone.wav\t{offset}\n"
    )
    assert found == (Region(0.5 + later, 1.25 + later, "cricket"),)
    assert said[: len(remarks)] == remarks


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "selections.txt"
    selections = [
        Selection(2.0, 3.0, 5000.0, 9000.0, "bush\tcricket"),
        Selection(0.5, 1.25, 3800.0, 6100.5, "cricket"),
    ]
    write_selections(path, selections)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == RAVEN.splitlines()[0]
    assert lines[1] == (
        "1\tSpectrogram 1\t1\t0.500000\t1.250000\t3800.0\t6100.5\tcricket"
    )
    assert load_regions(path)[0] == (CRICKET, BUSH)


def test_without_a_name_column_the_columns_are_listed(load):
    text = "\n".join(line.rpartition("\t")[0] for line in RAVEN.splitlines())
    with pytest.raises(ScoreError, match="found selection, view, channel, begin time"):
        load(text)


def test_a_selection_without_a_name_is_told_by_its_line(load):
    with pytest.raises(ScoreError, match=r"line 2: the region from 0\.5 to 1\.25 s"):
        load(RAVEN.replace("\tcricket", "\t"))


@pytest.mark.parametrize("title", ["Begin File", "Begin Path"])
def test_selections_of_several_recordings_are_refused(load, title):
    rows = "".join(f"{k}\t{k + 1}\tcricket\tC:\\a\\{k}.wav\n" for k in range(5))
    with pytest.raises(ScoreError, match=r"several recordings \(0\.wav, 1\.wav\)"):
        load(f"Begin Time (s)\tEnd Time (s)\tAnnotation\t{title}\n{rows}")


def test_a_file_offset_that_is_no_number_is_ignored(load):
    titles = "Begin Time (s)\tEnd Time (s)\tAnnotation\tFile Offset (s)\n"
    text = f"{titles}0.5\t1.25\ta\tx\n"
    assert load(text)[0] == (Region(0.5, 1.25, "a"),)


@pytest.mark.slow  # a large file
def test_repeated_views_do_not_hide_too_many_regions(load):
    row = "1\tSpectrogram 1\t1\t{:.3f}\t{:.3f}\t1\t2\tcricket\n"
    rows = (row.format(k / 4, k / 4 + 0.2) for k in range(MAX_REGIONS + 1))
    with pytest.raises(ScoreError, match="more than 100000 regions"):
        load(RAVEN.splitlines()[0] + "\n" + "".join(rows))


def bounds_of(folder, text):
    (folder / "table.txt").write_text(text)
    return load_labels(folder / "table.txt").bounds


def test_the_bounds_of_a_name_hold_all_its_selections(tmp_path):
    assert bounds_of(tmp_path, RAVEN) == {
        "cricket": (3800.0, 6100.5),
        "bush cricket": (5000.0, 9000.0),
    }
    text = RAVEN + "3\tSpectrogram 1\t1\t4.0\t5.0\t3700.5\t5000\tcricket\n"
    assert bounds_of(tmp_path, text)["cricket"] == (3700.5, 6100.5)
    assert load_labels(tmp_path / "table.txt").remarks == ()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("100", "", (100.0, float("inf"))),
        ("", "200.5", (0.0, 200.5)),
        ("", "", None),
        ("0", "inf", None),
        ("300", "200", None),
        ("-5", "200", None),
        ("nan", "200", None),
        ("low", "high", None),
    ],
)
def test_a_selection_without_both_bounds_has_those_it_states(
    tmp_path, low, high, expected
):
    text = RAVEN.replace("3800.000\t6100.500", f"{low}\t{high}")
    assert bounds_of(tmp_path, text).get("cricket") == expected


def test_a_table_of_other_programs_has_no_bounds(tmp_path):
    assert bounds_of(tmp_path, "start,end,name\n1,2,a\n") == {}
