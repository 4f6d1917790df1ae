"""MusicXML documents: the parts of a foreign file that are read, and their limits.

Only the elements that determine which notes sound when are kept: lyrics and layout,
most of any file, take no memory. No element or attribute leads to another file.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, TreeBuilder
from xml.parsers import expat

from specnmf.errors import ScoreError
from specnmf.score.loading import label
from specnmf.score.musicxml_text import utf8

#: Bytes of a document, and of a packed one; a symphony takes thirty million.
MAX_BYTES, MAX_PACKED_BYTES = 64 << 20, 16 << 20

#: Elements kept, of which a note takes about ten; and how deep any may lie.
MAX_ELEMENTS, MAX_DEPTH = 2_000_000, 64

_KEPT = frozenset(
    (
        *("score-partwise", "score-timewise", "part-list", "score-part", "part-name"),
        *("score-instrument", "instrument-name", "instrument-sound"),
        *("midi-instrument", "midi-unpitched", "midi-channel", "part", "measure"),
        *("attributes", "divisions", "time", "beats", "beat-type", "senza-misura"),
        *("clef", "sign", "transpose", "chromatic", "octave-change", "double"),
        *("measure-style", "measure-repeat", "beat-repeat"),
        *("note", "pitch", "step", "alter", "octave", "rest", "unpitched"),
        *("display-step", "display-octave", "notehead", "instrument", "type", "dot"),
        *("time-modification", "actual-notes", "normal-notes"),
        *("chord", "grace", "cue", "duration", "staff", "tie", "tied"),
        *("backup", "forward", "barline", "repeat", "ending", "direction", "sound"),
        *("offset", "direction-type", "words", "segno", "coda", "metronome"),
        *("beat-unit", "beat-unit-dot", "beat-unit-tied", "per-minute"),
    )
)

#: Elements that are left out, while their contents are kept.
_OPEN = frozenset(("notations",))

#: Elements that a note with a duration does not need, and one with a pitch.
_SPARE = ("type", "dot", "time-modification"), ("notehead",)

#: Where a packed file names its document, and the elements that do.
_CONTAINER_NAME = "META-INF/container.xml"
_CONTAINER = frozenset(("container", "rootfiles", "rootfile"))


class Packing(NamedTuple):
    """How a program packs its scores."""

    #: What is packed, and how such files end.
    kind: str
    suffix: str
    #: The suffixes of the document in it.
    documents: tuple[str, ...] = ()
    #: The document, if it is always called the same.
    name: str = ""


MXL = Packing("MusicXML", ".mxl", (".xml", ".musicxml"))

#: The exceptions of zipfile for a damaged or encrypted file.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError),
    *(OSError, RuntimeError, ValueError),
)


#: Files packed with a document.
_ASIDE = ("META-INF/", "__MACOSX/")


def document(data: bytes, remarks: list[str]) -> Element:
    """The ``score-partwise`` of a MusicXML document, packed (``.mxl``) or not.

    A ``score-timewise`` is converted. Raises ScoreError if it is not such a document,
    defines entities, or is too large.
    """
    if data.startswith(b"PK\x03\x04"):
        data = unpacked(data, remarks)
    root = tree(data, remarks)
    if root.tag == "score-timewise":
        return _partwise(root)
    if root.tag != "score-partwise":
        raise ScoreError(
            f"expected MusicXML, found {label(root.tag)}; export the score as MusicXML"
        )
    return root


def _partwise(root: Element) -> Element:
    """A score of measures that hold parts, as one of parts that hold measures."""
    found = Element("score-partwise")
    found.extend(root.iterfind("part-list"))
    names = {part.get("id", ""): None for part in root.iterfind("measure/part")}
    written = root.findall("measure")
    if len(names) * len(written) > MAX_ELEMENTS:
        raise ScoreError("larger than scores are; export it as MIDI")
    parts = {name: SubElement(found, "part", {"id": name}) for name in names}
    for measure in written:
        own = {n: SubElement(p, "measure", measure.attrib) for n, p in parts.items()}
        for part in measure.iterfind("part"):
            own[part.get("id", "")].extend(part)
    return found


def unpacked(data: bytes, remarks: list[str], packing: Packing = MXL) -> bytes:
    """The document in a packed file; read in memory.

    Raises ScoreError if it is damaged or holds no such document, or is too large.
    """
    if len(data) > MAX_PACKED_BYTES:
        limit = f"{MAX_PACKED_BYTES >> 20} MB, the limit for {packing.suffix}"
        raise ScoreError(f"larger than {limit}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            name = packing.name or _packed_name(archive, remarks, packing)
            return _member(archive, name, packing)
    except _BROKEN as error:
        raise ScoreError(f"damaged: {label(str(error))}") from error


def _packed_name(archive: zipfile.ZipFile, remarks: list[str], packing: Packing) -> str:
    """The name of the document in an archive, from its container or its suffix."""
    names = archive.namelist()
    if _CONTAINER_NAME not in names:
        documents = [name for name in names if _is_document(name, packing)]
        if not documents:
            raise ScoreError(f"holds no {packing.kind}; export the score as MusicXML")
        first = min(documents, key=lambda name: name.count("/"))
        if len(documents) > 1:
            remarks.append(f"holds {len(documents)} documents: {label(first)} is read")
        return first
    container = tree(_member(archive, _CONTAINER_NAME, packing), [], _CONTAINER)
    roots = [root for root in container.iter("rootfile") if root.get("full-path")]
    if not roots:
        raise ScoreError("damaged: its container names no score")
    path = min(roots, key=lambda root: _is_other(root, packing)).attrib["full-path"]
    return path if path in names else path.replace("\\", "/").lstrip("/")


def _is_document(name: str, packing: Packing) -> bool:
    is_aside = name.startswith(_ASIDE) or name.rpartition("/")[2].startswith(".")
    return name.lower().endswith(packing.documents) and not is_aside


def _is_other(root: Element, packing: Packing) -> bool:
    """Whether a container states that a file is not the score."""
    if _is_document(root.attrib["full-path"], packing):
        return False
    return packing is not MXL or "musicxml" not in root.get("media-type", "musicxml")


def _member(archive: zipfile.ZipFile, name: str, packing: Packing) -> bytes:
    """A file in an archive, of at most 64 MB unpacked."""
    packed = archive.getinfo(name)
    if packed.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ScoreError(
            f"compressed in another way than {packing.suffix} files are, expected "
            "deflate"
        )
    with archive.open(packed) as member:
        data = member.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ScoreError(f"unpacks to more than {MAX_BYTES >> 20} MB")
    return data


def tree(data: bytes, remarks: list[str], kept: frozenset[str] = _KEPT) -> Element:
    """The root of a document, with all elements below it that are kept."""
    sieve = _Sieve(kept)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = sieve.doctype
    parser.StartElementHandler = sieve.start
    parser.EndElementHandler = sieve.end
    parser.CharacterDataHandler = sieve.text
    try:
        parser.Parse(utf8(data, remarks), True)
    except expat.ExpatError as error:
        raise ScoreError(f"not XML, or damaged: {error}") from error
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
            raise ScoreError("defines its own XML entities, which are not allowed")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ScoreError("nested too deeply for a score")
        tag = _local(tag)
        if self.dropped_from or tag in _OPEN:
            return
        if self.depth > 1 and tag not in self.kept:
            self.dropped_from = self.depth
            return
        self.n_elements += 1
        if self.n_elements > MAX_ELEMENTS:
            raise ScoreError("larger than scores are; export it as MIDI")
        self.builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        tag = _local(tag)
        if self.dropped_from == self.depth:
            self.dropped_from = 0
        elif not self.dropped_from and tag not in _OPEN:
            element = self.builder.end(tag)
            if tag == "note":
                self.n_elements -= _thin(element)
        self.depth -= 1

    def text(self, text: str) -> None:
        if not self.dropped_from:
            self.builder.data(text)


def _local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition(":")[2]


def _thin(note: Element) -> int:
    """Remove unneeded elements of a note; return their number."""
    found = [
        child
        for known, spare in zip(("duration", "pitch"), _SPARE, strict=True)
        if note.find(known) is not None
        for child in note
        if child.tag in spare
    ]
    for child in found:
        note.remove(child)
    return sum(1 + len(child) for child in found)
