"""The picture of a page: a recording's spectrogram, three rows a semitone.

Low notes need long windows and attacks short ones, so the rows below C5 use windows
four times as long as those above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from specnmf.audio.recording import BLOCK, Audio, Float32, Sound
from specnmf.audio.stft import hann
from specnmf.errors import ParameterError
from specnmf.notation import hertz, midi_number
from specnmf.output.page.columns import Bytes, Columns, as_bytes
from specnmf.parallel import cut, workers

#: Rows of a semitone, and the MIDI numbers between which they lie: below A0, and what
#: ears still hear.
PER_SEMITONE, LOWEST, HIGHEST = 3, 20.5, 135.5

#: An octave is shown even of silence.
LEAST_ROWS = 12 * PER_SEMITONE

#: So many decibels below its maximum the picture ends.
SPAN = 80.0

#: The windows in seconds, and the MIDI number below which the longer one is looked
#: through.
LONG, SHORT, BORDER = 0.186, 0.0465, 72.5

#: A column is seen through so many windows at most: a long song's are hours.
MOST_WINDOWS = 4

#: Columns that are made together, and the samples that they are made from, at most.
TOGETHER, STRETCH = 128, 1 << 21

#: Columns that a thread makes at a time.
PIECE = 16


@dataclass(frozen=True, eq=False)
class Picture:
    """A spectrogram whose rows are parts of semitones.

    Attributes
    ----------
    data : array of bytes, shape (n_rows, n_columns)
        From the top down; 255 is the loudest, 0 is 80 dB below it.
    lowest : float
        The MIDI number at the bottom edge.
    """

    data: Bytes
    lowest: float = LOWEST


@dataclass(frozen=True)
class Rows:
    """The rows of a picture of sound of a sample rate, from the lowest.

    Attributes
    ----------
    sr : int
        In Hz.
    """

    sr: int

    @property
    def count(self) -> int:
        """How many there are: up to half the sample rate, or what ears hear."""
        top = min(HIGHEST, float(midi_number(self.sr / 2)))
        return max(PER_SEMITONE, math.floor((top - LOWEST) * PER_SEMITONE))

    @property
    def centres(self) -> NDArray[np.float64]:
        """Their MIDI numbers, shape (count,)."""
        return LOWEST + (np.arange(self.count) + 0.5) / PER_SEMITONE

    def weights(self, frequencies: NDArray[np.floating]) -> NDArray[np.float32]:
        """What takes powers at rising frequencies to rows, (count, n_frequencies).

        A row that several bins lie in is their mean; one between bins lies on the line
        from the one to the other.
        """
        n = len(frequencies)
        half = 0.5 / PER_SEMITONE
        low, high = hertz(self.centres - half), hertz(self.centres + half)
        place = np.interp(hertz(self.centres), frequencies, np.arange(n))
        left = np.minimum(place.astype(np.intp), max(0, n - 2))
        weights = np.zeros((self.count, n), np.float32)
        every = np.arange(self.count)
        weights[every, np.minimum(left + 1, n - 1)] = place - left
        weights[every, left] += 1 - (place - left)
        first = np.searchsorted(frequencies, low)
        last = np.searchsorted(frequencies, high)
        for row in np.flatnonzero(last - first >= 2):
            weights[row] = 0
            weights[row, first[row] : last[row]] = 1 / (last[row] - first[row])
        return weights


def blocks_of(sound: Sound) -> Iterator[Float32]:
    """Yield the samples of a recording, in memory or not, in blocks (n_channels, n).

    Raises
    ------
    ParameterError
        If it is neither an Audio nor has ``blocks``.
    """
    if isinstance(sound, Audio):
        for span in cut(slice(0, sound.n_samples), BLOCK):
            yield sound.samples[:, span]
        return
    blocks = getattr(sound, "blocks", None)
    if blocks is None:
        raise ParameterError(
            f"expected an Audio or a recording on disk, got {type(sound).__name__}"
        )
    yield from blocks()


def picture_of(
    sound: Sound, columns: Columns, *, threads: int | None = None
) -> Picture:
    """The picture of a recording, which is read once and not held.

    Parameters
    ----------
    sound : Audio or other Sound
        The recording.
    columns : Columns
        Of time.
    threads : int, optional
        None: one a core.
    """
    rows = Rows(sound.sr)
    above = rows.centres >= BORDER
    looks = [_Look(LONG, columns, rows, ~above), _Look(SHORT, columns, rows, above)]
    reach = max(look.n_fft for look in looks)
    power = np.zeros((columns.count, rows.count), np.float32)
    held = _Held(blocks_of(sound), sound.n_channels)
    length = -(-columns.n_samples // columns.count)
    together = min(TOGETHER, max(1, STRETCH // length))
    with workers(threads) as mapper:
        for span in cut(slice(0, columns.count), together):
            first = int(columns.edges[span.start]) - reach
            samples = held.stretch(first, int(columns.edges[span.stop]) + reach)

            def fill(piece: slice, samples: Float32 = samples, at: int = first) -> None:
                for look in looks:
                    power[piece, look.rows] = look.power(samples, at, piece)

            mapper(fill, list(cut(span, PIECE)))
    return _as_picture(power.T)


def _as_picture(power: NDArray[np.float32]) -> Picture:
    """Powers, from the lowest row, as a picture without empty rows at its top."""
    data = as_bytes(power, float(power.max(initial=0)), SPAN)
    seen = np.flatnonzero(data.any(axis=1))
    top = max(int(seen[-1]) + 1 if len(seen) else 0, min(len(data), LEAST_ROWS))
    return Picture(np.ascontiguousarray(data[:top][::-1]))


class _Look:
    """Some rows of a recording through windows of one length."""

    def __init__(
        self, seconds: float, columns: Columns, rows: Rows, own: NDArray[np.bool_]
    ) -> None:
        self.rows, self.edges = np.flatnonzero(own), columns.edges
        self.n_fft = max(4, 1 << round(math.log2(seconds * columns.sr)))
        frequencies = np.fft.rfftfreq(self.n_fft, 1 / columns.sr)
        weights = rows.weights(frequencies)[own]
        bins = np.flatnonzero(weights.any(axis=0))
        self.bins = slice(int(bins[0]), int(bins[-1]) + 1) if len(bins) else slice(0)
        self.weights = np.ascontiguousarray(weights[:, self.bins].T)
        self.window = hann(self.n_fft) / np.float32(np.sqrt(self.n_fft))
        length = columns.n_samples / columns.count
        self.count = min(MOST_WINDOWS, math.ceil(length / self.n_fft))

    def power(self, samples: Float32, at: int, columns: slice) -> Float32:
        """The power of the rows in some columns, shape (n_columns, n_rows).

        ``at`` is the place in the recording of the first of the samples.
        """
        edges = self.edges[columns.start : columns.stop + 1]
        parts = (np.arange(self.count) + 0.5) / self.count
        centres = edges[:-1, None] + parts * np.diff(edges)[:, None]
        starts = centres.astype(np.int64).ravel() - self.n_fft // 2 - at
        total = np.zeros((len(starts), self.weights.shape[0]), np.float32)
        for channel in samples:
            views = sliding_window_view(channel, self.n_fft)[starts]
            spectrum = rfft(views * self.window, axis=1)[:, self.bins]
            total += spectrum.real**2 + spectrum.imag**2
        mean = total.reshape(-1, self.count, total.shape[1]).mean(axis=1)
        return np.asarray(mean @ self.weights)


class _Held:
    """The stretch of a recording that is being looked at, as it goes on."""

    def __init__(self, blocks: Iterator[Float32], n_channels: int) -> None:
        self.blocks, self.origin = blocks, 0
        self.samples = np.zeros((n_channels, 0), np.float32)

    def stretch(self, first: int, last: int) -> Float32:
        """The samples from one place to another, zeros beyond the ends.

        Neither place may lie before those asked for earlier.
        """
        pieces = [self.samples[:, max(0, first - self.origin) :]]
        origin = max(self.origin, first)
        end = origin + pieces[0].shape[1]
        while end < last and (block := next(self.blocks, None)) is not None:
            pieces.append(block)
            end += block.shape[1]
        joined = np.concatenate(pieces, axis=1)
        self.samples, self.origin = joined[:, max(0, first - origin) :], origin
        before, after = max(0, origin - first), max(0, last - end)
        inside = joined[:, : last - origin]
        return np.pad(inside, ((0, 0), (before, after)))
