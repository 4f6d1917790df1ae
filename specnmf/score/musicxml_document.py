"""MusicXML documents: what of a file from a stranger is let in, and how much.

Only the elements that say which notes sound when are kept: lyrics and layout, most of
any file, take no memory. No element or attribute leads to another file.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from specnmf.errors import ScoreError
from specnmf.score.loading import label

#: Bytes of a document, and of a packed one; a symphony takes thirty million.
MAX_BYTES, MAX_PACKED_BYTES = 64 << 20, 16 << 20

#: Elements kept, of which a note takes about ten; and how deep any may lie.
MAX_ELEMENTS, MAX_DEPTH = 2_000_000, 64

_KEPT = frozenset(
    (
        *("score-partwise", "part-list", "score-part", "part-name", "part", "measure"),
        *("attributes", "divisions", "transpose", "chromatic", "octave-change"),
        *("note", "pitch", "step", "alter", "octave", "unpitched", "instrument"),
        *("chord", "grace", "cue", "duration", "staff", "tie", "backup", "forward"),
        *("barline", "repeat", "ending", "direction", "sound", "direction-type"),
        *("metronome", "beat-unit", "beat-unit-dot", "per-minute"),
        *("midi-instrument", "midi-unpitched"),
    )
)

_CONTAINER = frozenset(("container", "rootfiles", "rootfile"))

#: What zipfile raises at a damaged or encrypted file.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError),
    *(OSError, RuntimeError, ValueError),
)


def document(data: bytes) -> Element:
    """The ``score-partwise`` of a MusicXML document, packed (``.mxl``) or not.

    Raises ScoreError if it is no such document, defines entities, or is too large.
    """
    root = _tree(_unpacked(data) if data.startswith(b"PK\x03\x04") else data)
    if root.tag != "score-partwise":
        raise ScoreError(
            f"expected MusicXML of the kind score-partwise, found {label(root.tag)}"
        )
    return root


def _unpacked(data: bytes) -> bytes:
    """The document in a packed file, which its container names; read in memory."""
    if len(data) > MAX_PACKED_BYTES:
        raise ScoreError(f"larger than {MAX_PACKED_BYTES >> 20} MB, too much for .mxl")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            container = _tree(_member(archive, "META-INF/container.xml"), _CONTAINER)
            rootfile = container.find(".//rootfile[@full-path]")
            if rootfile is None:
                raise ScoreError("damaged: its container names no document")
            return _member(archive, rootfile.attrib["full-path"])
    except _BROKEN as error:
        raise ScoreError(f"damaged: {label(str(error))}") from error


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    packed = archive.getinfo(name)
    if packed.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ScoreError("packed otherwise than .mxl is, expected deflate")
    with archive.open(packed) as member:
        data = member.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ScoreError(f"unpacks to more than {MAX_BYTES >> 20} MB")
    return data


def _tree(data: bytes, kept: frozenset[str] = _KEPT) -> Element:
    """The root of a document and all below it that is kept."""
    sieve = _Sieve(kept)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = sieve.doctype
    parser.StartElementHandler = sieve.start
    parser.EndElementHandler = sieve.end
    parser.CharacterDataHandler = sieve.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ScoreError(f"no XML, or damaged: {error}") from error
    except (LookupError, ValueError) as error:
        raise ScoreError(f"of an unknown encoding: {label(str(error))}") from error
    return sieve.builder.close()


class _Sieve:
    """Builds a tree of the elements that are kept, within bounds."""

    def __init__(self, kept: frozenset[str]) -> None:
        self.kept = kept
        self.builder = TreeBuilder()
        self.depth = 0
        self.dropped_from = 0
        self.n_elements = 0

    def doctype(self, *declaration: Any) -> None:
        *_, has_internal_subset = declaration
        if has_internal_subset:
            raise ScoreError("defines XML entities of its own, which no score needs")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ScoreError("nested deeper than scores are")
        if self.dropped_from:
            return
        if self.depth > 1 and tag not in self.kept:
            self.dropped_from = self.depth
            return
        self.n_elements += 1
        if self.n_elements > MAX_ELEMENTS:
            raise ScoreError("larger than scores are; export it as MIDI")
        self.builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        if not self.dropped_from:
            self.builder.end(tag)
        elif self.dropped_from == self.depth:
            self.dropped_from = 0
        self.depth -= 1

    def text(self, text: str) -> None:
        if not self.dropped_from:
            self.builder.data(text)
