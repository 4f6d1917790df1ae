"""The stored data of a run: notes, model and factors; the files are not trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.archives import read_arrays
from specnmf.errors import OutputError, ScoreError, SpecnmfError
from specnmf.factor.factorization import Factorization
from specnmf.methods.storing import StoredArrays, text_array
from specnmf.output.products import Finished
from specnmf.score import notelist
from specnmf.score.loading import MAX_DURATION, MAX_NOTES
from specnmf.score.notes import Note, Score

#: The archives of a run.
MODEL, FACTORS = "model.npz", "factors.npz"

#: The largest size of the arrays of an archive.
MOST_BYTES = 8 << 30

#: The largest deviation of a note from its pitch, in cents.
MOST_CENTS = 1e4

#: The largest size in bytes of a table with only a header, without notes.
LONGEST_TITLES = 200
_TITLES = re.compile(rb"start,duration,pitch,[a-z,]+\r?\n?")

#: The type of each stored value of notes, and its origin.
_COLUMNS: Mapping[str, tuple[type[np.generic], Callable[[Note], Any]]] = {
    "note_start": (np.float64, lambda note: note.start),
    "note_end": (np.float64, lambda note: note.start + note.duration),
    "note_pitch": (np.uint8, lambda note: note.pitch),
    "note_velocity": (np.uint8, lambda note: note.velocity),
    "note_percussion": (np.bool_, lambda note: note.percussion),
    "note_cents": (np.float64, lambda note: note.cents),
    "note_confidence": (np.float64, lambda note: note.confidence),
}


class StoredFactors(NamedTuple):
    """The content of factors.npz.

    Attributes
    ----------
    factors : Factorization
        V ≈ W H, with labels and losses.
    frequencies : array, shape (n_bins,)
        Frequencies of the bins in Hz.
    times : array, shape (n_frames,)
        Centres of the frames in seconds.
    """

    factors: Factorization
    frequencies: NDArray[np.float64]
    times: NDArray[np.float64]


def note_arrays(score: Score) -> dict[str, NDArray[Any]]:
    """Notes as arrays for model.npz.

    Parameters
    ----------
    score : Score
        The part of each note is its stem.

    Returns
    -------
    dict of str to array
        ``note_start`` and ``note_end`` in seconds, ``note_pitch``, ``note_velocity``,
        ``note_percussion``, ``note_cents`` and ``note_confidence``, each of shape
        (n_notes,); ``note_stem``, the index of each note's stem in ``note_stems``.
    """
    notes, stems = score.notes, score.parts
    place = {stem: number for number, stem in enumerate(stems)}
    arrays: dict[str, NDArray[Any]] = {
        name: np.fromiter(map(value, notes), dtype, len(notes))
        for name, (dtype, value) in _COLUMNS.items()
    }
    owners = np.fromiter((place[note.part] for note in notes), np.int32, len(notes))
    return {**arrays, "note_stem": owners, "note_stems": text_array(stems)}


def notes_from(stored: StoredArrays) -> Score:
    """The notes in the arrays of `note_arrays`.

    Raises
    ------
    OutputError
        If an array is missing or invalid.
    """
    start = stored.floats("note_start", (None,), least=0, most=MAX_DURATION)
    if len(start) > MAX_NOTES:
        raise OutputError(f"{stored.name}: expected at most {MAX_NOTES} notes")
    shape, stems = start.shape, stored.texts("note_stems")
    end = stored.floats("note_end", shape, least=0, most=MAX_DURATION)
    cents = stored.floats("note_cents", shape, least=-MOST_CENTS, most=MOST_CENTS)
    columns = zip(
        start.tolist(),
        (end - start).tolist(),
        stored.integers("note_pitch", shape, most=127).tolist(),
        stored.integers("note_velocity", shape, most=127).tolist(),
        stored.indices("note_stem", shape, below=len(stems)).tolist(),
        stored.switches("note_percussion", shape).tolist(),
        cents.tolist(),
        stored.floats("note_confidence", shape, least=0, most=1).tolist(),
        strict=True,
    )
    try:
        return Score(
            tuple(
                Note(s, d, p, v, stems[i], drum, cents=c, confidence=sure)
                for s, d, p, v, i, drum, c, sure in columns
            )
        )
    except ScoreError as error:
        raise OutputError(f"{stored.name}: {error}") from error


def read_shown(folder: Path) -> Score:
    """The notes of a finished run, in the excerpt's time; each part is a stem.

    They are in model.npz. For runs of older versions without it, they come from
    pianoroll.csv, or from score.csv for `transcribe`.

    Raises
    ------
    OutputError
        If none of these exists, or one is damaged.
    """
    if (folder / MODEL).exists():
        stored = stored_model(folder)
        if "note_start" in stored:  # edits of older runs do not have it
            return notes_from(stored)
    if (folder / "pianoroll.csv").exists():
        return _table(folder / "pianoroll.csv")
    if not (folder / "score.csv").exists():
        raise OutputError(f"{folder}: no notes, expected those of a run")
    return _earlier(_table(folder / "score.csv"), _excerpt_start(folder))


def stored_model(folder: Path) -> StoredArrays:
    """The arrays of model.npz, which are checked on access.

    Raises
    ------
    OutputError
        If it is missing or damaged, or its arrays are larger than its file.
    """
    path = folder / MODEL
    if not path.exists():
        raise OutputError(
            f"{folder}: no {MODEL}, as it is from an older version; make the run again "
            "with specnmf rerun"
        )
    return read_archive(path)


def read_factors(folder: Path) -> StoredFactors:
    """The content of factors.npz.

    Raises
    ------
    OutputError
        If it is missing or damaged, or its arrays are larger than its file.
    """
    names = ("W", "H", "labels", "losses", "frequencies", "times")
    stored = read_archive(folder / FACTORS, names)
    arrays = stored.arrays
    try:
        factors = Factorization(
            arrays["W"],
            arrays["H"],
            stored.texts("labels"),
            stored.floats("losses", (None,)),
        )
    except SpecnmfError as error:
        raise OutputError(f"{stored.name}: {error}") from error
    return StoredFactors(
        factors,
        stored.floats("frequencies", (len(factors.W),)),
        stored.floats("times", (factors.H.shape[1],)),
    )


def read_archive(path: Path, names: Collection[str] | None = None) -> StoredArrays:
    """Arrays of an archive of a run, by default all.

    Runs do not compress their models, so arrays larger than the file are not from a
    run.

    Raises
    ------
    OutputError
        If it is missing or damaged, or its arrays are larger than its file.
    """
    size = path.stat().st_size if path.is_file() else 0
    arrays = read_arrays(
        path,
        names,
        most_bytes=min(size, MOST_BYTES),
        error=OutputError,
        expected="the arrays of a run",
        kinds="fiubU",
    )
    return StoredArrays(arrays, str(path))


def _table(path: Path) -> Score:
    """The notes of a table of a run, which may be empty."""
    if path.is_file():
        with path.open("rb") as file:
            if _TITLES.fullmatch(file.read(LONGEST_TITLES)):
                return Score(())
    try:
        return notelist.read_csv(path)
    except ScoreError as error:
        raise OutputError(str(error)) from error


def _excerpt_start(folder: Path) -> float:
    """The start of a run's excerpt in the recording, in seconds."""
    try:
        start = float(json.loads(Finished(folder).content)["settings"]["start"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise OutputError(f"{folder}: its run.json has no start") from error
    return start if 0 <= start < MAX_DURATION else 0.0


def _earlier(score: Score, seconds: float) -> Score:
    """The score, shifted earlier by a number of seconds."""
    notes = score.notes
    return Score(
        tuple(note._replace(start=max(0.0, note.start - seconds)) for note in notes)
    )
