"""ABC notation [1]_: tunes as text, to notes in seconds.

References
----------
.. [1] C. Walshaw, "The abc music standard 2.1", 2011.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from specnmf.errors import ScoreError
from specnmf.score import musicxml, tables
from specnmf.score.formats.abc_tune import TuneReader
from specnmf.score.loading import PathLike, load
from specnmf.score.notes import Note, Score

#: A book of some thousand tunes, and a tune of a symphony, in characters.
MAX_BYTES, MAX_TUNE = 8 << 20, 1 << 19

_EXPECTED = "expected ABC notation"

_FIELD = re.compile(r"[A-Za-z+]:")

#: A tune begins.
_TUNE = re.compile(r"^X:", re.MULTILINE)


def read_abc(path: PathLike) -> Score:
    """The first tune of an ABC file (``.abc``), as it sounds.

    Each voice is a part. Repeats, endings, ties, tuplets, broken rhythm and grace notes
    are played; chord symbols, ornaments, macros and an order of parts are not, and the
    remarks tell. Without a tempo, 120 quarter notes last a minute.

    Raises ScoreError if the file is missing, holds no notes, something else than ABC,
    or is larger than 8 MB.
    """
    remarks: list[str] = []
    notes = partial(_notes, remarks=remarks)
    return load(path, notes, max_bytes=MAX_BYTES, remarks=remarks)


def _notes(data: bytes, *, remarks: list[str]) -> Iterator[Note]:
    text, found = tables.text_of(data, _EXPECTED)
    remarks += found
    reader = TuneReader()
    for line in _lines(_tune(text, remarks)):
        reader.line(line)
    measures, names = reader.finished(remarks)
    yield from musicxml.performed(measures, names, remarks)


def _tune(text: str, remarks: list[str]) -> str:
    """The first tune, from its number on; without one, all of the text."""
    begins = [found.start() for found in _TUNE.finditer(text)]
    if not begins and not re.search(r"^K:", text, re.MULTILINE):
        raise ScoreError(f"{_EXPECTED}, found no field X: or K:")
    if len(begins) > 1:
        remarks.append(f"holds {len(begins)} tunes: the first is read")
        text = text[: begins[1]]
    if len(text) > MAX_TUNE:
        raise ScoreError("larger than tunes are; export it as MIDI")
    return text


def _lines(tune: str) -> Iterator[str]:
    """Yield lines without comments; those that go on are joined."""
    before = ""
    for line in tune.splitlines():
        if line.startswith("%%"):
            yield line
            continue
        plain = re.sub(r"(?<!\\)%.*", "", line).rstrip()
        if plain.endswith("\\") and not _FIELD.match(plain):
            before += plain[:-1]
            continue
        if len(before + plain) > tables.MAX_LINE:
            raise ScoreError("has a line that is too long for music")
        yield before + plain
        before = ""
    yield before
