"""Hits: strokes of drums, heard in a recording or written in a score."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32
from specnmf.methods.drums import network
from specnmf.methods.drums.network import DRUMS
from specnmf.methods.drums.patches import (
    band_levels,
    compressed,
    hearing_grid,
    patches,
)
from specnmf.notation import drum_name
from specnmf.score.beats import Beats
from specnmf.score.loading import PathLike
from specnmf.score.notes import LOUDEST, Note, Score
from specnmf.subnormals import flush_to_zero

#: General MIDI's notes of each drum; the first is the one that is written.
NOTES = {
    "kick": (36, 35),
    "snare": (38, 37, 40),
    "hihat": (42, 44, 46),
    "toms": (47, 41, 43, 45, 48, 50),
    "ride": (51, 53, 59),
    "crash": (49, 52, 55, 57),
    "clap": (39,),
}
_DRUM_OF = {note: drum for drum, notes in NOTES.items() for note in notes}

#: A note of a drum, in seconds, for MIDI.
LENGTH = 0.1

#: Frames on each side in which a stroke is the surest.
APART = 3

#: The least probability of a stroke at a sensitivity of 0.5, by drum, and that of the
#: surest stroke without which a drum is not played at all.
LEAST = dict.fromkeys(DRUMS, 0.5)
PLAYED = dict.fromkeys(DRUMS, 0.8)

#: By how much the sensitivity moves a probability's logit.
REACH = 6.0


class Hit(NamedTuple):
    """A stroke.

    Attributes
    ----------
    time : float
        In seconds.
    drum : str
        The stem that it belongs to.
    note : int
        General MIDI's number.
    confidence : float
        How sure it is that there is such a stroke, 0 to 1.
    """

    time: float
    drum: str
    note: int
    confidence: float = 1.0


@flush_to_zero()
def heard(
    audio: Audio,
    drums: Sequence[str] = (),
    *,
    sensitivity: float = 0.5,
    threads: int | None = None,
) -> list[Hit]:
    """The strokes in a recording.

    Parameters
    ----------
    drums : sequence of str, optional
        Which to find; by default all of `DRUMS` that are played.
    sensitivity : float
        0 to 1.

    References
    ----------
    Networks that hear the onset of each drum frame by frame: Vogl, Dorfer, Widmer and
    Knees, "Drum transcription via joint beat and drum modeling using convolutional
    recurrent neural networks", ISMIR 2017.
    """
    grid = hearing_grid(audio)
    sure = probabilities(audio, threads=threads)
    shift = REACH * (sensitivity - 0.5)
    found = []
    for drum in drums or DRUMS:
        if drum not in DRUMS:
            continue
        own = sure[:, DRUMS.index(drum)]
        frames = peaks(own, _moved(LEAST[drum], -shift))
        played = len(frames) and own[frames].max() >= _moved(PLAYED[drum], -shift)
        if played or (drums and len(frames)):
            times = _between(own, frames) * grid.hop_length / grid.sr
            found += [
                Hit(time, drum, NOTES[drum][0], p)
                for time, p in zip(times.tolist(), own[frames].tolist(), strict=True)
            ]
    return sorted(found)


def probabilities(audio: Audio, *, threads: int | None = None) -> Float32:
    """How sure it is that each of `DRUMS` is struck, (n_frames, n_drums)."""
    levels = compressed(band_levels(audio, hearing_grid(audio), threads=threads))
    pieces = np.array_split(np.arange(len(levels)), -(-len(levels) // 4096))
    return np.concatenate(
        [network.probabilities(patches(levels, frames)) for frames in pieces]
    )


def peaks(sure: Float32, least: float) -> NDArray[np.intp]:
    """Frames that are the highest around them, and high enough."""
    padded = np.pad(sure, APART)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * APART + 1)
    highest = around.max(axis=1)
    before = around[:, :APART].max(axis=1)  # of equal frames the first counts
    return np.flatnonzero((sure >= least) & (sure == highest) & (before < sure))


def written(score: Score) -> list[Hit]:
    """The strokes of a score's percussion."""
    return sorted(
        Hit(note.start, drum_of(note.pitch), note.pitch)
        for note in score.notes
        if note.percussion
    )


def drum_of(note: int) -> str:
    """The stem of a note of General MIDI: its drum, or its own name."""
    return _DRUM_OF.get(note) or drum_name(note)


def as_score(hits: Iterable[Hit], loudness: Iterable[float]) -> Score:
    """Strokes as notes; the velocity of each by its loudness, relative to its drum.

    As most instruments have it, the amplitude grows with the square of the velocity.
    """
    hits, loudness = list(hits), np.array(list(loudness), float)
    highest: dict[str, float] = {}
    for hit, own in zip(hits, loudness.tolist(), strict=True):
        highest[hit.drum] = max(highest.get(hit.drum, 0.0), own)
    notes = []
    for hit, own in zip(hits, loudness.tolist(), strict=True):
        share = own / highest[hit.drum] if highest[hit.drum] > 0 else 1.0
        velocity = int(np.clip(round(LOUDEST * np.sqrt(share)), 1, 127))
        notes.append(
            Note(
                hit.time,
                LENGTH,
                hit.note,
                velocity,
                part=hit.drum,
                percussion=True,
                confidence=round(hit.confidence, 3),
            )
        )
    return Score(tuple(notes))


def on_grid(score: Score, beats: Beats, parts: int) -> Score:
    """The notes, each at the nearest of the equal parts of its beat."""
    notes = []
    for note in score.notes:
        place = round(float(beats.positions(note.start)) * parts) / parts
        corners = np.arange(len(beats.times), dtype=float)
        start = max(0.0, float(np.interp(place, corners, beats.times)))
        notes.append(note._replace(start=start))
    return Score(tuple(notes))


def write_onsets(path: PathLike, score: Score, *, start: float = 0.0) -> None:
    """Write time, drum, note, velocity and confidence of each stroke as CSV.

    ``start`` is where the excerpt starts: times are those of the whole recording.
    """
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["time", "drum", "note", "velocity", "confidence"])
        for note in score.notes:
            told = note.part, note.pitch, note.velocity, f"{note.confidence:.3f}"
            table.writerow([f"{start + note.start:.4f}", *told])


def order_of(hits: Iterable[Hit]) -> tuple[str, ...]:
    """The drums of some strokes: kick, snare, hi-hat first."""
    found = dict.fromkeys(hit.drum for hit in hits)
    first = [drum for drum in DRUMS if drum in found]
    return (*first, *sorted(drum for drum in found if drum not in DRUMS))


def _moved(probability: float, shift: float) -> float:
    """A probability whose logit is moved."""
    logit = np.log(probability / (1 - probability)) + shift
    return float(1 / (1 + np.exp(-logit)))


def _between(sure: Float32, frames: NDArray[np.intp]) -> NDArray[np.float64]:
    """Peaks between frames, by the weights of both neighbours."""
    padded = np.pad(sure, 1).astype(np.float64)
    before, at, after = padded[frames], padded[frames + 1], padded[frames + 2]
    return frames + (after - before) / (before + at + after)
