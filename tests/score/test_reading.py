"""Scores from files of any kind, and one line of error from any other."""

import io
import os
import zipfile

import pytest

from specnmf import OutputError, ScoreError
from specnmf.score import loading
from specnmf.score.notes import Note, Score
from specnmf.score.reading import read_score, write_score

SCORE = Score(
    [
        Note(0, 1, 60, 64, "Flute"),
        Note(0.5, 1, 67, 64, "Flute"),
        Note(1, 0.5, 36, 90, "drums", percussion=True),
    ]
)

XML = """<?xml version="1.0"?><score-partwise><part-list>
<score-part id="P1"><part-name>Flute</part-name></score-part></part-list>
<part id="P1"><measure><attributes><divisions>2</divisions></attributes>
<sound tempo="90"/>
<note><grace/><pitch><step>D</step><octave>4</octave></pitch></note>
<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration>
<tie type="start"/></note></measure><measure>
<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration>
<tie type="stop"/></note>
<barline><repeat direction="backward" times="3"/></barline>
</measure></part></score-partwise>"""


def examples(folder):
    """A small file of each kind: its name and its bytes."""
    for name in ("score.mid", "score.csv"):
        write_score(folder / name, SCORE)
        yield name, (folder / name).read_bytes()
    yield "score.musicxml", XML.encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        container = '<container><rootfiles><rootfile full-path="a.xml"/></rootfiles>'
        archive.writestr("META-INF/container.xml", container + "</container>")
        archive.writestr("a.xml", XML)
    yield "score.mxl", packed.getvalue()


@pytest.mark.parametrize("name", ["score.mid", "SCORE.MIDI", "score.csv", "Score.CSV"])
def test_what_was_written_is_read(tmp_path, name):
    write_score(tmp_path / name, SCORE)
    back = read_score(str(tmp_path / name))
    assert back.parts == SCORE.parts
    for note, twin in zip(back.notes, SCORE.notes, strict=True):
        assert note[:2] == pytest.approx(twin[:2], abs=1e-3)
        assert note[2:5] == twin[2:5]
        assert note.percussion == (twin.percussion and "csv" not in name.lower())


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("score.mid", ["a.MID", "a.midi", "a.Kar", "a.rmi", "a.smf", "a"]),
        ("score.csv", ["a.txt", "a.CSV"]),
        ("score.musicxml", ["a.xml", "a.MusicXML", "a.mscx", "a"]),
        ("score.mxl", ["a.mxl", "a.xml", "a.zip", "a"]),
    ],
)
def test_a_kind_is_known_by_the_name_or_the_content(tmp_path, kind, names):
    data = dict(examples(tmp_path))[kind]
    for name in names:
        (tmp_path / name).write_bytes(data)
        assert read_score(tmp_path / name).parts[0] == "Flute"


def test_a_byte_order_mark_does_not_hide_a_document(tmp_path):
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "score").write_bytes(XML.encode(encoding))
        assert len(read_score(tmp_path / "score").notes) == 6


@pytest.mark.parametrize("name", ["song.wav", "song.pdf", "song"])
def test_what_is_no_score_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    with pytest.raises(ScoreError, match=f"{name}: expected a score: MIDI"):
        read_score(tmp_path / name)


@pytest.mark.parametrize("name", ["score.mid", "score.csv", "score.musicxml", "score"])
def test_what_cannot_be_read_is_refused(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(ScoreError, match=f"{name}: no such file$"):
        read_score(path)
    path.write_bytes(b"")
    with pytest.raises(ScoreError, match=f"{name}: (empty, )?expected a score"):
        read_score(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ScoreError, match=f"{name}: not a file, expected a score"):
        read_score(path)
    path.rmdir()
    os.mkfifo(path)  # which nobody writes to
    with pytest.raises(ScoreError, match=f"{name}: not a file, expected a score"):
        read_score(path)


def test_a_path_that_no_file_has_is_refused(tmp_path):
    with pytest.raises(ScoreError, match="cannot be opened"):
        read_score(tmp_path / "a\x00b.mid")


@pytest.mark.parametrize("name", ["score.xml", "score.txt", "score"])
def test_a_score_is_written_as_midi_or_csv_only(tmp_path, name):
    with pytest.raises(
        ScoreError, match=f"{name}: expected a file that ends in .mid or .csv"
    ):
        write_score(tmp_path / name, SCORE)
    assert not (tmp_path / name).exists()


def test_more_notes_than_a_day_can_hold_are_refused(tmp_path, monkeypatch):
    write_score(tmp_path / "score.mid", SCORE)
    monkeypatch.setattr(loading, "MAX_NOTES", 2)
    with pytest.raises(ScoreError, match="score.mid: holds more than 2 notes"):
        read_score(tmp_path / "score.mid")


@pytest.mark.parametrize(
    "name", ["score.mid", "score.csv", "score.musicxml", "score.mxl"]
)
def test_too_large_a_file_is_refused_unread(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        file.write(b"PK\x03\x04" if name.endswith("mxl") else b"MThd")
        os.truncate(file.fileno(), 64 << 20 | 1)
    with pytest.raises(ScoreError, match=f"{name}: larger than .* MB, the limit for"):
        read_score(tmp_path / name)


def mutated(data, rng):
    """The bytes with some changed, cut, repeated or put in."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(len(data) + 1))
        length = int(rng.integers(1, 12))
        kind = rng.integers(5)
        if kind == 0:
            data[place : place + length] = rng.bytes(length)
        elif kind == 1:
            del data[place : place + length]
        elif kind == 2:
            data[place:place] = data[place : place + length] * int(rng.integers(1, 9))
        elif kind == 3:
            data[place:place] = rng.choice(
                [b"\xff" * 9, b"\x00" * 9, b"<", b";", b"9e9"]
            )
        elif place > 0:
            del data[place:]
    return bytes(data)


def refusal(path):
    """What a file is refused with, or nothing."""
    try:
        read_score(path)
    except ScoreError as error:
        return str(error)
    return ""


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path, rng):
    refusals = []
    for name, data in list(examples(tmp_path)):
        path = tmp_path / f"damaged_{name}"
        for _ in range(250):
            path.write_bytes(mutated(data, rng))
            refusals.append(refusal(path))
    refusals = list(filter(None, refusals))
    assert 250 < len(refusals) < 1000
    assert all(f"{tmp_path}/damaged_score" in text for text in refusals)
    assert all(text.isprintable() for text in refusals)


@pytest.mark.parametrize("name", ["a.mid", "a.csv"])
def test_a_place_where_no_score_can_be_written_is_an_error(tmp_path, name):
    score = Score([Note(0.0, 1.0, 60)])
    with pytest.raises(OutputError, match=f"{name}: cannot .*no folder .*none, make"):
        write_score(tmp_path / "none" / name, score)
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match=f"{name}: cannot be written"):
        write_score(tmp_path / name, score)
