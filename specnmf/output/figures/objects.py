"""What figures show, made of the library's own objects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.audio import stft
from specnmf.audio.pitch import estimate_pitches
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid, Spectrogram
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.factor.layers.model import Layers
from specnmf.factor.layers.tree import grow_tree
from specnmf.output.figures import pooling, stems
from specnmf.output.figures.factor_data import FigureData
from specnmf.output.figures.labels import LabelFigureData
from specnmf.output.figures.layers import LayerFigureData
from specnmf.output.figures.note_data import NoteFigureData
from specnmf.output.figures.pooling import Float64
from specnmf.output.figures.score_data import Given, ScoreFigureData
from specnmf.output.figures.stems import GREY, HUES, Palette
from specnmf.score.align import Alignment
from specnmf.score.marks import frames_of, mark
from specnmf.score.notes import Score
from specnmf.score.regions import REST, Region

#: Seconds that an empty picture shows.
_NOTHING = 1.0
#: Steps in a second that a piano roll's length is rounded to.
_FINE = 1024


class Magnitude(NamedTuple):
    """Magnitudes, and where they lie."""

    V: NDArray[np.floating]  # (n_bins, n_frames)
    frequencies: Float64  # in Hz
    times: Float64  # in seconds


#: What a recording may be given as.
Seen = Spectrogram | Audio | ArrayLike


def magnitude(
    V: Seen | Magnitude | None,
    sr: int | None,
    hop_length: int | None,
    *,
    n_fft: int | None = None,
) -> Magnitude:
    """The magnitudes of a recording, however it is given.

    Raises
    ------
    ParameterError
        If there is none, or an array comes without its rate.
    """
    if isinstance(V, Magnitude):
        return V
    if isinstance(V, Spectrogram):
        return Magnitude(V.magnitude(), V.frequencies, V.times)
    if isinstance(V, Audio):
        own = Grid.of(V, n_fft, hop_length)
        return Magnitude(stft.magnitude(V, own), own.frequencies, own.times)
    array = np.asarray(V)
    if array.ndim != 2:
        raise ParameterError(
            "expected V as Spectrogram, Audio or array (n_bins, n_frames), "
            f"got {_named(V, array)}"
        )
    return Magnitude(array, *_scales(array.shape, sr, hop_length))


def grid(
    V: Seen | Magnitude | None,
    shape: tuple[int, int],
    sr: int | None,
    hop_length: int | None,
) -> Magnitude:
    """The frequencies and times of V, whose shape is known; V is not looked at."""
    nothing = np.broadcast_to(np.float32(0), shape)
    if V is None or isinstance(V, np.ndarray):
        return Magnitude(nothing, *_scales(shape, sr, hop_length))
    if isinstance(V, Audio):
        own = Grid.of(V, 2 * (shape[0] - 1), hop_length)
        return Magnitude(nothing, own.frequencies, own.times)
    if isinstance(V, Spectrogram | Magnitude):
        return Magnitude(nothing, V.frequencies, V.times)
    return magnitude(V, sr, hop_length)


def spectrogram_data(seen: Magnitude, *, title: str) -> FigureData:
    """What the figure of a spectrogram shows."""
    none = Factorization(np.zeros((len(seen.V), 1)), np.zeros((1, seen.V.shape[1])))
    # The names of octaves stand beside what may have a pitch.
    pitches = np.array([69.0])
    return FigureData(
        **seen._asdict(), factorization=none, pitches=pitches, title=title
    )


def factor_data(
    result: Factorization, seen: Magnitude, pitches: ArrayLike | None, *, title: str
) -> FigureData:
    """What the figures of V ≈ W H show."""
    return FigureData(
        **seen._asdict(),
        factorization=result,
        pitches=_pitches(result.W, seen, pitches),
        title=title,
    )


def note_data(
    score: Score | Alignment,
    seen: Magnitude,
    labels: Sequence[str] | None,
    *,
    title: str,
) -> NoteFigureData:
    """What the figure of notes over a spectrogram shows."""
    notes = _score(score)
    return NoteFigureData(
        **seen._asdict(), score=notes, labels=_labels(notes, labels), title=title
    )


def roll_data(
    score: Score | Alignment,
    labels: Sequence[str] | None,
    duration: float | None,
    *,
    title: str,
) -> NoteFigureData:
    """What a piano roll shows: notes, over nothing."""
    notes = _score(score)
    seconds = duration or notes.duration or _NOTHING
    seconds = math.ceil(seconds * _FINE) / _FINE  # so that times are exact
    return NoteFigureData(
        V=np.zeros((2, 2)),
        frequencies=np.arange(2.0),
        times=seconds * np.array([0.25, 0.75]),
        score=notes,
        labels=_labels(notes, labels),
        title=title,
    )


def score_data(
    start: Factorization,
    fitted: FigureData,
    score: Score | Alignment,
    labels: Sequence[str] | None,
) -> ScoreFigureData:
    """What the figures of a separation by score show."""
    notes = _score(score)
    given = {field.name: getattr(fitted, field.name) for field in fields(fitted)}
    return ScoreFigureData(
        **given, start=start, score=notes, labels=_labels(notes, labels)
    )


def layer_data(
    layers: Layers,
    seen: Magnitude,
    pitches: ArrayLike | None = None,
    labels: Sequence[str] = (),
    *,
    title: str,
) -> LayerFigureData:
    """What the figures of layers show."""
    return LayerFigureData(
        layers=layers,
        tree=grow_tree(layers),
        frequencies=seen.frequencies,
        times=seen.times,
        pitches=_pitches(layers.A[0], seen, pitches),
        labels=tuple(labels),
        title=title,
    )


def label_data(
    regions: Iterable[Region],
    found: Iterable[Region],
    seen: Magnitude,
    *,
    title: str,
) -> LabelFigureData:
    """What the figure of labels shows: regions as marked and as found."""
    found = tuple(found)
    marks = mark(regions, seen.times, duration=math.inf)
    others = (name for _, _, name in found if name != REST)
    names = tuple(dict.fromkeys((*marks.names, *others)))
    heard = np.zeros((len(names), len(seen.times)), bool)
    heard[: len(marks.names)] = marks.heard
    active = frames_of(found, names, seen.times).heard
    return LabelFigureData(
        **seen._asdict(),
        names=names,
        heard=heard,
        annotated=marks.annotated,
        activity=active.astype(np.float32),
        active=active,
        title=title,
    )


@dataclass(frozen=True, eq=False)
class AlignmentData(Given):
    """What the figure of an alignment shows."""

    aligned: Alignment
    original: Score | None = None
    duration: float | None = None
    title: str = ""

    @property
    def span(self) -> tuple[float, float]:
        """From the start of the recording to its end, or the path's."""
        return 0.0, self.duration or float(self.path[:, 1].max(initial=0))

    @property
    def score(self) -> Score:
        """The notes on the recording's clock."""
        return self.aligned.score

    @cached_property
    def palette(self) -> Palette:
        """Which colour stands for whom."""
        return stems.palette(self.score, _labels(self.score, None))

    @property
    def path(self) -> Float64:
        """Seconds of the score and of the recording that belong together."""
        return self.aligned.path

    @property
    def agreement(self) -> Float64:
        """Seconds of the recording, and the agreement there."""
        return self.aligned.agreement

    @property
    def confidence(self) -> float:
        """In the alignment, 0 to 1."""
        return self.aligned.confidence

    @property
    def remarks(self) -> Sequence[str]:
        """On the alignment."""
        return self.aligned.remarks


@dataclass(frozen=True, eq=False)
class SourceData:
    """What the figure of sources shows, of their sound."""

    sources: Mapping[str, Audio]
    title: str = ""

    def __post_init__(self) -> None:
        for name, audio in self.sources.items():
            if not isinstance(audio, Audio):
                raise ParameterError(
                    f"expected sources as Audio by name, got {type(audio).__name__} "
                    f"for {name!r}"
                )

    @property
    def span(self) -> tuple[float, float]:
        """Of the longest."""
        return 0.0, max((audio.duration for audio in self.sources.values()), default=0)

    @cached_property
    def palette(self) -> Palette:
        """A hue each, if they suffice."""
        names = tuple(self.sources)
        hues = HUES[: len(names)] if len(names) <= len(HUES) else [GREY] * len(names)
        none = np.zeros(0, np.intp)
        return Palette(names, tuple(hues), none, none)

    @cached_property
    def envelopes(self) -> dict[str, Float64]:
        """The root mean square in pieces of the longest one's length."""
        _, seconds = self.span
        return {name: _loudness(a, seconds) for name, a in self.sources.items()}

    def colour_of(self, stem: str) -> str:
        """The colour of a source."""
        return dict(self.palette.legend)[stem]


def _loudness(audio: Audio, seconds: float) -> Float64:
    """How loud a recording is in each of the pieces of so many seconds."""
    edges = np.linspace(0, round(seconds * audio.sr), pooling.COLUMNS + 1)
    pieces = pairwise(np.unique(edges.astype(np.intp)).tolist())
    blocks = (audio.samples[:, start:stop] for start, stop in pieces)
    power = [
        np.square(block, dtype=np.float64).mean() if block.size else 0.0
        for block in blocks
    ]
    return np.sqrt(power)


def _scales(
    shape: tuple[int, ...], sr: int | None, hop_length: int | None
) -> tuple[Float64, Float64]:
    """The frequencies and times of an array of magnitudes."""
    if sr is None:
        raise ParameterError(
            "an array needs sr (and hop_length), or pass a Spectrogram"
        )
    n_fft = 2 * (shape[0] - 1)
    hop = hop_length or max(1, n_fft // 4)
    frequencies = np.linspace(0, sr / 2, shape[0])
    return frequencies, np.arange(shape[1], dtype=np.float64) * (hop / sr)


def _pitches(
    W: NDArray[np.floating], seen: Magnitude, given: ArrayLike | None
) -> Float64:
    if given is not None:
        return np.asarray(given, np.float64)
    return estimate_pitches(W, seen.frequencies)


def _score(score: Score | Alignment) -> Score:
    """The notes on the recording's clock."""
    notes = score.score if isinstance(score, Alignment) else score
    if not isinstance(notes, Score):
        raise ParameterError(
            f"expected a Score or an Alignment, got {type(score).__name__}"
        )
    return notes


def _labels(score: Score, labels: Sequence[str] | None) -> Sequence[str]:
    """The stem of each note, by default its part."""
    return [note.part or "notes" for note in score.notes] if labels is None else labels


def _named(V: Any, array: NDArray[Any]) -> str:
    """What was given in place of a recording."""
    return f"shape {array.shape}" if array.ndim else type(V).__name__
