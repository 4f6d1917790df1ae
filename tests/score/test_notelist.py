"""Note lists: every note a row that any reader of CSV understands."""

import csv

import pytest

from specnmf.score.notelist import write_csv
from specnmf.score.notes import Note, Score


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
