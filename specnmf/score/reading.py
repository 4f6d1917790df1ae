"""Scores from files and into files, of whichever kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from specnmf.errors import ScoreError
from specnmf.score.loading import PathLike
from specnmf.score.midi import write_midi
from specnmf.score.midi_reading import read_midi
from specnmf.score.musicxml import read_musicxml
from specnmf.score.notelist import read_csv, write_csv
from specnmf.score.notes import Score

_READERS: dict[str, Callable[[PathLike], Score]] = {
    **dict.fromkeys((".mid", ".midi", ".kar", ".rmi"), read_midi),
    **dict.fromkeys((".csv", ".txt"), read_csv),
    **dict.fromkeys((".musicxml", ".xml", ".mxl"), read_musicxml),
}

_WRITERS: dict[str, Callable[[PathLike, Score], None]] = {
    **dict.fromkeys((".mid", ".midi"), write_midi),
    ".csv": write_csv,
}

#: What may stand before the first tag of an XML file: spaces and a byte order mark.
_BLANK = b" \t\r\n\xef\xbb\xbf\xff\xfe\x00"


#: How much of a file tells its kind: MIDI may stand behind the header of an old Mac.
_HEAD = 256


def read_score(path: PathLike) -> Score:
    """The score in a file: MIDI, MusicXML, or a table of notes.

    Parameters
    ----------
    path : path
        A file ``.mid``, ``.midi``, ``.kar``, ``.rmi``; ``.musicxml``, ``.xml``,
        ``.mxl``; ``.csv``, ``.txt``; or of another name that holds MIDI or MusicXML.

    Raises
    ------
    ScoreError
        If the file is missing, none of these, damaged, too large or without notes.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower()) or _reader_by_content(path)
    return reader(path)


def _reader_by_content(path: Path) -> Callable[[PathLike], Score]:
    try:
        if not path.is_file():  # what is a pipe may never end
            return read_csv
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return read_csv  # which says what is wrong with the path
    if b"MThd" in head or head[8:12] == b"RMID":
        return read_midi
    if head.startswith(b"PK\x03\x04") or head.lstrip(_BLANK).startswith(b"<"):
        return read_musicxml
    raise ScoreError(
        f"{path}: expected a score: MIDI (.mid), MusicXML (.musicxml, .mxl) or a "
        "table of notes (.csv)"
    )


def write_score(path: PathLike, score: Score) -> None:
    """Write a score as MIDI or as a table of notes, as the path ends.

    Parameters
    ----------
    path : path
        A file ``.mid`` or ``.midi``, or ``.csv``.
    score : Score
        What to write; `write_midi` and `write_csv` say what is kept of it.

    Raises
    ------
    ScoreError
        If the path ends otherwise.
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise ScoreError(f"{path}: a score is written as .mid or .csv")
    _WRITERS[path.suffix.lower()](path, score)
