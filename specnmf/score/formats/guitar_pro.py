"""Guitar Pro files, of versions 3 to 8, to notes in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from specnmf.errors import ScoreError
from specnmf.score import musicxml
from specnmf.score.formats import gpx, tablature
from specnmf.score.formats.conversion import converted
from specnmf.score.formats.gpif import gpif
from specnmf.score.formats.parts import PartWriter, Struck, endings, overfull
from specnmf.score.loading import PathLike, label, load
from specnmf.score.musicxml_document import Packing, unpacked
from specnmf.score.musicxml_measures import Measure
from specnmf.score.musicxml_tempo import Tempo
from specnmf.score.notes import Note, Score, numbered

#: Bytes of a file of versions 6 to 8, and of the versions before, which hold no sound.
MAX_BYTES, MAX_OLD_BYTES = 16 << 20, 4 << 20

_PACKED = Packing("Guitar Pro file", ".gp", name="Content/score.gpif")

#: How files of versions 3 to 5 begin, after a byte.
MAGIC = b"FICHIER GUITAR PRO"


def read_guitar_pro(path: PathLike) -> Score:
    """The score in a file of Guitar Pro (``.gp3`` to ``.gp5``, ``.gpx``, ``.gp``).

    Frets are converted to pitches with the tuning and the capo of their track. Repeats,
    ties, grace notes, tempo and drums are as `read_musicxml` has them. Bends, slides,
    harmonics, trills and swing are not played: a note has the pitch of its fret. Files
    of versions 3 to 5 need ``specnmf[scores]``.

    Raises ScoreError if the file is missing, damaged, of another version, contains no
    notes, or is too large: 4 MB of versions 3 to 5, otherwise 16 MB packed and 64 MB
    unpacked.
    """
    remarks: list[str] = []
    notes = partial(_notes, remarks=remarks)
    return load(path, notes, max_bytes=MAX_BYTES, remarks=remarks)


def _notes(data: bytes, remarks: list[str]) -> Iterator[Note]:
    if data[1:].startswith(MAGIC):
        yield from _old(data, remarks)
        return
    if data.startswith((b"BCFZ", b"BCFS")):
        document = gpx.document(data)
    elif data.startswith(b"PK\x03\x04"):
        document = unpacked(data, remarks, _PACKED)
    else:
        raise ScoreError(
            "expected a file of Guitar Pro 3 to 8; export the score as MusicXML or MIDI"
        )
    score = gpif(document, remarks)
    names = numbered(score.names.values())
    parts = dict(zip(score.names, names, strict=True))
    yield from musicxml.performed(score.measures, parts, remarks)


def _old(data: bytes, remarks: list[str]) -> Iterator[Note]:
    """The notes of a file of versions 3 to 5."""
    if len(data) > MAX_OLD_BYTES:
        raise ScoreError(f"larger than {MAX_OLD_BYTES >> 20} MB, the limit for .gp5")
    song = converted("guitar_pro", data, needs="PyGuitarPro", reads="Guitar Pro 3 to 5")
    tracks = song["tracks"]
    measures = _measures(song["headers"], song["tempo"])
    writers = [PartWriter(str(number), measures) for number in range(len(tracks))]
    for writer, track in zip(writers, tracks, strict=True):
        for k, voices in enumerate(track["measures"][: len(measures)]):
            for n, voice in enumerate(voices):
                writer.begin(k)
                _write(voice, writer, n, is_kit=track["is_kit"])
                writer.end(measures[k].nominal)
    remarks += overfull(writers)
    if any(header["swings"] for header in song["headers"]):
        remarks.append("not played: its swing; notes are where they are written")
    named = [label(track["name"]) or f"Track {k + 1}" for k, track in enumerate(tracks)]
    names = {str(k): name for k, name in enumerate(numbered(named))}
    yield from musicxml.performed(measures, names, remarks)


def _measures(headers: Sequence[Mapping[str, Any]], tempo: float) -> list[Measure]:
    """The measures of a song, with their marks."""
    measures = [Measure(str(k)) for k in range(1, len(headers) + 1)]
    signs = []
    for k, (header, measure) in enumerate(zip(headers, measures, strict=True)):
        beats, unit = header["time"]
        measure.nominal = 4 * beats / unit if beats > 0 and unit > 0 else None
        times = header["times"]
        tablature.repeat(measure.marks, opens=header["opens"], times=times)
        for name in header["places"]:
            tablature.place(measure.marks, name)
        signs += [(k, name) for name in (*header["places"], *header["jumps"])]
    endings(measures, [frozenset(header["endings"]) for header in headers])
    tablature.jumps(measures, signs)
    if measures and tempo > 0:
        measures[0].tempi.append(Tempo(0.0, True, 60 / tempo))
    return measures


def _write(
    voice: Sequence[Mapping[str, Any]], writer: PartWriter, n: int, *, is_kit: bool
) -> None:
    """Write a voice of a measure."""
    for beat in voice:
        tempo = beat.get("tempo", 0)
        if tempo > 0:
            mark = Tempo(writer.place, True, 60 / tempo)
            writer.measures[writer.k].tempi.append(mark)
        if graces := beat.get("graces", ()):
            notes = [Struck(pitch, None, percussion=is_kit) for pitch in graces]
            writer.beat(0.0, notes, grace=True)
        notes = [Struck(p, s, tied, is_kit) for p, s, tied in beat["notes"]]
        writer.beat(beat["quarters"], notes, voice=n)
