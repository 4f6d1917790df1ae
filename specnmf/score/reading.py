"""Scores from files and into files, of all formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from specnmf.errors import ScoreError, writing
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

#: Bytes allowed before the first tag of XML: spaces and a byte order mark.
_BLANK = b" \t\r\n\xef\xbb\xbf\xff\xfe\x00"


#: The bytes of a file that show its kind: MIDI may follow the header of an old Mac.
_HEAD = 256


def read_score(path: PathLike) -> Score:
    """The score in a file: MIDI, MusicXML, or a table of notes.

    Parameters
    ----------
    path : path
        A file ``.mid``, ``.midi``, ``.kar``, ``.rmi`` (MIDI); ``.musicxml``, ``.xml``,
        ``.mxl`` (MusicXML); ``.csv``, ``.txt`` (table); or a file with another name
        that contains MIDI or MusicXML.

    Returns
    -------
    Score
        The notes in seconds; its ``remarks`` tell what was assumed if the file is
        unclear.

    Raises
    ------
    ScoreError
        If the file is missing, in another format, damaged, too large or without notes.

    Examples
    --------
    >>> import specnmf
    >>> score = specnmf.read_score("audio_examples/chorale/chorale.mid")
    >>> score
    Score(77 notes, 4 parts, 12.8 s)
    >>> score.parts
    ('bass', 'tenor', 'alto', 'soprano')
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower()) or _reader_by_content(path)
    return reader(path)


def _reader_by_content(path: Path) -> Callable[[PathLike], Score]:
    try:
        if not path.is_file():  # a pipe may never end
            return read_csv
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return read_csv  # its error names the fault of the path
    if b"MThd" in head or head[8:12] == b"RMID":
        return read_midi
    if head.startswith(b"PK\x03\x04") or head.lstrip(_BLANK).startswith(b"<"):
        return read_musicxml
    raise ScoreError(
        f"{path}: expected a score: MIDI (.mid), MusicXML (.musicxml, .mxl) or a "
        "table of notes (.csv)"
    )


def write_score(path: PathLike, score: Score) -> None:
    """Write a score as MIDI or as a table of notes; the suffix of the path decides.

    Parameters
    ----------
    path : path
        A file ``.mid`` or ``.midi``, or ``.csv``.
    score : Score
        The notes. MIDI keeps times to the millisecond, with one track per part; a table
        keeps six decimals of a second, and leaves out staves and percussion.

    Raises
    ------
    ScoreError
        If the path has another suffix.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import specnmf
    >>> score = specnmf.Score([specnmf.Note(0.0, 0.5, 60, part="flute")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "flute.csv")
    ...     specnmf.write_score(path, score)
    ...     print(path.read_text().strip())
    start,duration,pitch,velocity,label
    0.000000,0.500000,60,80,flute
    """
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise ScoreError(f"{path}: expected a file that ends in .mid or .csv")
    with writing(path):
        _WRITERS[path.suffix.lower()](path, score)
