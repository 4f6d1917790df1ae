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
from specnmf.methods.drums.network import DRUMS, HEARD
from specnmf.methods.drums.patches import band_levels, compressed, hearing_grid
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
#: The note of a drum that General MIDI does not have: its high wood block.
OTHER = 76

_DRUM_OF = {note: drum for drum, notes in NOTES.items() for note in notes}

#: The note of an open hi-hat; its probability is at least this, and this share of that
#: of any hi-hat.
OPEN_HAT, OPEN, OPEN_SHARE = 46, 0.25, 0.5

#: A note of a drum, in seconds, for MIDI.
LENGTH = 0.1

#: The last frames, whose windows reach past the end: where a tone is cut off, they hear
#: a click.
PAST = 2

#: Frames on each side in which a stroke is the surest.
APART = 3

#: Candidates of a drum: frames that are this sure, and those in which another drum is
#: struck this surely, if the surest stroke is so sure that the drum is played at all
#: (training/weigh_drums.py).
LEAST, STRUCK = 0.08, 0.5
PLAYED = {
    "kick": 0.5, "snare": 0.21, "hihat": 0.48, "toms": 0.76, "ride": 0.78,
    "crash": 0.12, "clap": 0.84,
}  # fmt: skip

#: Music repeats after so many seconds, at least and at most, and after parts of it; the
#: shortest time that is nearly as likely as the likeliest counts.
SHORTEST, LONGEST, NEARLY, PARTS = 0.7, 4.2, 0.9, (1, 2, 4)

#: What a repeat counts that the recording is too short for.
UNKNOWN = 0.3


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
    repeats : tuple of float
        How sure it is that there are strokes one period away, half a period, and a
        quarter.
    """

    time: float
    drum: str
    note: int
    confidence: float = 1.0
    repeats: tuple[float, ...] = ()


@flush_to_zero()
def heard(
    audio: Audio,
    drums: Sequence[str] = (),
    *,
    offered: Sequence[str] = DRUMS,
    threads: int | None = None,
) -> list[Hit]:
    """Where drums may be struck in a recording: more than there are.

    Which of them are strokes is judged by a fit (`specnmf.methods.drums.judging`).

    Parameters
    ----------
    drums : sequence of str, optional
        Which to find; by default all that are offered and played.
    offered : sequence of str
        The drums of the kit. Those that the network does not know may be struck
        whenever another drum is.

    References
    ----------
    Networks that hear the onset of each drum frame by frame: Vogl, Dorfer, Widmer and
    Knees, "Drum transcription via joint beat and drum modeling using convolutional
    recurrent neural networks", ISMIR 2017.
    """
    grid = hearing_grid(audio)
    hop = grid.hop_length / grid.sr
    heard_of = probabilities(audio, threads=threads)
    sure, opened = heard_of[:, : len(DRUMS)], heard_of[:, HEARD.index("openhat")]
    struck = np.flatnonzero(_onsets(sure))
    period = _period(sure, hop)
    found = []
    for drum in dict.fromkeys(drums or offered):
        own = sure[:, DRUMS.index(drum)] if drum in DRUMS else None
        if own is None:
            found += [Hit(f * hop, drum, OTHER, 0.5) for f in struck.tolist()]
            continue
        frames = peaks(own, LEAST)
        if not drums and own.max() < PLAYED[drum]:
            continue
        alone = np.abs(struck[:, np.newaxis] - frames).min(axis=1, initial=99) > APART
        times = np.concatenate([_between(own, frames), struck[alone]])
        places = np.concatenate([frames, struck[alone]]).astype(np.intp)
        wide = _widened(own, 1)[places]
        repeats = _repeats(_widened(own, APART), places, period)
        notes = _notes(drum, wide, _widened(opened, 1)[places])
        rows = zip(times.tolist(), notes, wide.tolist(), repeats.tolist(), strict=True)
        found += [
            Hit(max(0.0, time * hop), drum, note, p, tuple(told))
            for time, note, p, told in rows
        ]
    return sorted(found)


def probabilities(audio: Audio, *, threads: int | None = None) -> Float32:
    """How sure it is that each of `HEARD` is struck, (n_frames, n_heard)."""
    levels = compressed(band_levels(audio, hearing_grid(audio), threads=threads))
    sure = network.probabilities(levels)
    sure[-PAST:] = 0
    return sure


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


def _notes(drum: str, sure: Float32, opened: Float32) -> list[int]:
    """General MIDI's note of each stroke: a hi-hat may be open."""
    own = np.full(len(sure), NOTES[drum][0])
    if drum == "hihat":
        own[opened > np.maximum(OPEN, OPEN_SHARE * sure)] = OPEN_HAT
    return [int(note) for note in own]


def _onsets(sure: Float32) -> NDArray[np.bool_]:
    """Whether any drum is surely struck, shape (n_frames,)."""
    struck = np.zeros(len(sure), bool)
    for own in sure.T:
        struck[peaks(own, STRUCK)] = True
    return struck


def _widened(sure: Float32, reach: int) -> Float32:
    """The highest of some frames on each side."""
    padded = np.pad(sure, reach)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(around.max(axis=1))


def _period(sure: Float32, hop: float) -> int:
    """The frames after which the strokes repeat, by their autocorrelation."""
    from scipy import fft

    n = len(sure)
    low, high = int(SHORTEST / hop), min(int(LONGEST / hop), int(0.62 * n))
    if high - low < 3:
        return n
    spectra = fft.rfft(sure - sure.mean(axis=0), 2 * n, axis=0)
    alike = fft.irfft((np.abs(spectra) ** 2).sum(axis=1))[:n]
    alike = alike / (n - np.arange(n))
    smooth = np.convolve(alike, np.full(3, 1 / 3), "same")[low:high]
    place = int(np.argmax(smooth >= NEARLY * smooth.max()))
    while place + 1 < len(smooth) and smooth[place + 1] > smooth[place]:
        place += 1
    return low + place - 1 + int(np.argmax(alike[low + place - 1 : low + place + 2]))


def _repeats(
    wide: Float32, frames: NDArray[np.intp], period: int
) -> NDArray[np.float64]:
    """How sure strokes are so many parts of a period away, (n, len(PARTS))."""
    out = np.empty((len(frames), len(PARTS)))
    for column, part in enumerate(PARTS):
        steps = np.array([-2, -1, 1, 2]) * (period / part)
        places = np.rint(frames[:, np.newaxis] + steps).astype(int)
        inside = (places >= 0) & (places < len(wide))
        found = np.where(inside, wide[np.clip(places, 0, len(wide) - 1)], 0)
        count = inside.sum(axis=1)
        mean = found.sum(axis=1) / np.maximum(count, 1)
        out[:, column] = np.where(count > 0, mean, UNKNOWN)
    return out


def _between(sure: Float32, frames: NDArray[np.intp]) -> NDArray[np.float64]:
    """Peaks between frames, by the weights of both neighbours."""
    padded = np.pad(sure, 1).astype(np.float64)
    before, at, after = padded[frames], padded[frames + 1], padded[frames + 2]
    return frames + (after - before) / (before + at + after)
