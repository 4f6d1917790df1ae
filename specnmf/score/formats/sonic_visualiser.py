"""Layers of Sonic Visualiser and Tony (``.svl``): notes as points of a model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from xml.etree.ElementTree import Element

from specnmf.errors import ScoreError
from specnmf.notation import midi_number, nearest
from specnmf.score.loading import PathLike, label, load
from specnmf.score.musicxml_document import MAX_BYTES, tree
from specnmf.score.musicxml_tempo import number
from specnmf.score.notes import LOUDEST, Note, Score

_KEPT = frozenset(("sv", "data", "model", "dataset", "point"))

#: The velocity of a note without a level.
_VELOCITY = 80


def read_svl(path: PathLike) -> Score:
    """The notes in a layer of Sonic Visualiser or Tony (``.svl``).

    Values are frequencies if the layer says Hz, otherwise MIDI pitches; both are
    rounded to semitones. Labels are parts, levels velocities.

    Raises ScoreError if the file is missing, damaged, holds no layer of notes, or is
    larger than 64 MB or a million notes.
    """
    remarks: list[str] = []
    notes = partial(_notes, remarks=remarks)
    return load(path, notes, max_bytes=MAX_BYTES, remarks=remarks)


def _notes(data: bytes, *, remarks: list[str]) -> Iterator[Note]:
    root = tree(data, remarks, _KEPT)
    if root.tag != "sv":
        raise ScoreError(
            f"expected a layer of Sonic Visualiser, found {label(root.tag)}"
        )
    models = [m for m in root.iter("model") if m.get("subtype") == "note"]
    if not models:
        raise ScoreError("expected a layer of notes; export the notes, or use a table")
    points = {d.get("id", ""): d for d in root.iter("dataset")}
    for model in models:
        dataset = points.get(model.get("dataset", ""))
        rate = _number(model, "sampleRate")
        if rate <= 0:
            raise ScoreError(f"damaged: a sample rate of {rate:g}")
        is_hertz = model.get("units", "").strip().lower() == "hz"
        for point in () if dataset is None else dataset.iterfind("point"):
            yield _note(point, rate, is_hertz=is_hertz)


def _note(point: Element, rate: float, *, is_hertz: bool) -> Note:
    value = _number(point, "value")
    if is_hertz and value <= 0:
        raise ScoreError(f"a frequency must be above 0 Hz, got {value:g}")
    pitch = nearest(float(midi_number(value)) if is_hertz else value)
    level = number(point.get("level", "0"), "level")
    return Note(
        _number(point, "frame") / rate,
        _number(point, "duration") / rate,
        pitch,
        round(1 + (LOUDEST - 1) * min(level, 1.0)) if level > 0 else _VELOCITY,
        label(point.get("label", "")),
    )


def _number(element: Element, name: str) -> float:
    return number(element.get(name, ""), name)
