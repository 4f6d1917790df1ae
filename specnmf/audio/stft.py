"""The short-time Fourier transform, whole or block by block, and its inverse.

The conventions are librosa's: a periodic Hann window, frames centred on multiples
of the hop, zeros beyond both ends. Frames lie one after another in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import kernels
from specnmf.audio.options import window as window_and_hop
from specnmf.audio.reading import SongLike, sound_of
from specnmf.audio.recording import Audio, Sound
from specnmf.errors import ParameterError
from specnmf.notation import counted
from specnmf.parallel import cut, workers
from specnmf.subnormals import flush_to_zero

Complex64 = NDArray[np.complex64]
Float32 = NDArray[np.float32]

#: Frames transformed at a time: enough for the FFT, few enough for the cache.
FRAMES = 256


@dataclass(frozen=True)
class Grid:
    """Where the frames and bins of a transform lie.

    Parameters
    ----------
    sr : int
        The sample rate in Hz.
    n_samples : int
        The number of samples of the recording.
    n_fft, hop_length : int
        Window and step in samples.

    Examples
    --------
    >>> import specnmf
    >>> grid = specnmf.Grid(sr=22050, n_samples=22050, n_fft=2048, hop_length=512)
    >>> grid.n_bins, grid.n_frames
    (1025, 44)
    >>> float(grid.frequencies[-1])  # in Hz
    11025.0
    >>> float(grid.times[1])  # in seconds
    0.023219954648526078
    """

    sr: int
    n_samples: int
    n_fft: int
    hop_length: int

    @classmethod
    def of(
        cls, audio: Sound, n_fft: int | None = None, hop_length: int | None = None
    ) -> Grid:
        """The grid of a recording, with the default window for its rate."""
        length, hop = window_and_hop(audio.sr, n_fft, hop_length)
        return cls(audio.sr, audio.n_samples, length, hop)

    @property
    def n_bins(self) -> int:
        """Bins from 0 Hz to half the sample rate."""
        return self.n_fft // 2 + 1

    @property
    def n_frames(self) -> int:
        """Frames that centre on a sample of the recording, or one step after."""
        return 1 + self.n_samples // self.hop_length

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """The bins' centres in Hz, shape (n_bins,)."""
        return np.arange(self.n_bins, dtype=np.float64) * (self.sr / self.n_fft)

    @property
    def times(self) -> NDArray[np.float64]:
        """The frames' centres in seconds, shape (n_frames,)."""
        hop = self.hop_length / self.sr
        return np.arange(self.n_frames, dtype=np.float64) * hop

    @property
    def window(self) -> Float32:
        """The periodic Hann window, shape (n_fft,)."""
        return hann(self.n_fft)

    def blocks(self, length: int = FRAMES) -> Iterator[slice]:
        """Yield the frames in slices of ``length``."""
        yield from cut(slice(0, self.n_frames), length)


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """A complex spectrogram, with all that its inverse needs.

    Parameters
    ----------
    X : array, shape (n_channels, n_bins, n_frames), complex64
        The transform.
    sr, n_fft, hop_length, n_samples : int
        Of the recording and the transform, in Hz and samples.

    Raises
    ------
    ParameterError
        If the shape of X does not follow from the rest.

    Examples
    --------
    >>> import specnmf
    >>> spectrogram = specnmf.stft("audio_examples/drums/drums.flac")
    >>> spectrogram
    Spectrogram(1 channel, 1025 bins, 877 frames, 44100 Hz)
    >>> spectrogram.magnitude().shape
    (1025, 877)
    >>> float(spectrogram.frequencies[-1])  # in Hz
    22050.0
    """

    X: Complex64
    sr: int
    n_fft: int
    hop_length: int
    n_samples: int

    def __post_init__(self) -> None:
        expected = self.grid.n_bins, self.grid.n_frames
        if self.X.ndim != 3 or self.X.shape[1:] != expected:
            raise ParameterError(
                f"X must be (n_channels, {expected[0]}, {expected[1]}), "
                f"got shape {self.X.shape}"
            )

    @property
    def grid(self) -> Grid:
        """Where the frames and bins lie."""
        return Grid(self.sr, self.n_samples, self.n_fft, self.hop_length)

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """The bins' centres in Hz, shape (n_bins,)."""
        return self.grid.frequencies

    @property
    def times(self) -> NDArray[np.float64]:
        """The frames' centres in seconds, shape (n_frames,)."""
        return self.grid.times

    def __repr__(self) -> str:
        """One line without the numbers."""
        channels = counted(self.X.shape[0], "channel")
        bins, frames = self.grid.n_bins, self.grid.n_frames
        return f"Spectrogram({channels}, {bins} bins, {frames} frames, {self.sr} Hz)"

    @flush_to_zero()
    def magnitude(self) -> Float32:
        """The root mean square of ``|X|`` over the channels.

        Returns
        -------
        array, shape (n_bins, n_frames), float32
            V, what is factorised.
        """
        return rms(self.X.transpose(0, 2, 1)).T


def hann(n: int) -> Float32:
    """The periodic Hann window of n samples."""
    phase = 2 * np.pi * np.arange(n) / n
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@flush_to_zero()
def stft(
    song: SongLike,
    *,
    sr: int | None = None,
    n_fft: int | None = None,
    hop_length: int | None = None,
) -> Spectrogram:
    """The complex spectrogram of a recording.

    Parameters
    ----------
    song : path, Audio or array of floats
        The recording; an array is (n_samples,) or (n_channels, n_samples).
    sr : int, optional
        The sample rate of an array in Hz.
    n_fft, hop_length : int, optional
        Window and step in samples; by default 2048 (in proportion above 48 kHz)
        and a quarter of the window.

    Returns
    -------
    Spectrogram
        The same numbers as ``librosa.stft(y, n_fft=..., hop_length=...)``.

    Raises
    ------
    ParameterError
        If the window is odd or too short, or the hop longer than the window.
    AudioError
        If the file cannot be read, or an array comes without its rate.

    Examples
    --------
    A tone in an array, as librosa.load gives it:

    >>> import numpy as np
    >>> import specnmf
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> V = specnmf.stft(y, sr=22050).magnitude()
    >>> print(f"{V.sum(axis=1).argmax() * 22050 / 2048:.0f} Hz")  # the nearest bin
    441 Hz
    """
    audio = sound_of(song, sr)
    grid = Grid.of(audio, n_fft, hop_length)
    X = np.empty((audio.n_channels, grid.n_frames, grid.n_bins), np.complex64)
    for block in grid.blocks():
        X[:, block] = spectra(audio.samples, grid, block)
    return Spectrogram(
        X.transpose(0, 2, 1), grid.sr, grid.n_fft, grid.hop_length, grid.n_samples
    )


def magnitude(audio: Audio, grid: Grid, *, threads: int | None = None) -> Float32:
    """`Spectrogram.magnitude`, without ever holding the complex spectrogram.

    Its frames are contiguous (Fortran order); the threads change no bit of it.
    """
    V = np.empty((grid.n_frames, grid.n_bins), np.float32)

    def fill(block: slice) -> None:
        V[block] = rms(spectra(audio.samples, grid, block))

    with workers(threads) as mapper:
        mapper(fill, grid.blocks())
    return V.T


def channel_magnitudes(
    audio: Audio, grid: Grid, *, threads: int | None = None
) -> Float32:
    """|X| of each channel, shape (n_channels, n_frames, n_bins)."""
    V = np.empty((audio.n_channels, grid.n_frames, grid.n_bins), np.float32)

    def fill(frames: slice) -> None:
        np.abs(spectra(audio.samples, grid, frames), out=V[:, frames])

    with workers(threads) as mapper:
        mapper(fill, grid.blocks())
    return V


def spectra(
    samples: Float32, grid: Grid, frames: slice, *, origin: int = 0
) -> Complex64:
    """The transform of some frames, shape (n_channels, n_frames, n_bins).

    The samples, (n_channels, n), may be what these frames reach of the recording alone,
    from its sample ``origin`` on.
    """
    from scipy import fft

    n_frames = frames.stop - frames.start
    first = frames.start * grid.hop_length - grid.n_fft // 2 - origin
    y = np.empty((len(samples), n_frames, grid.n_fft), np.float32)
    kernels.cut_frames(samples, first, grid.hop_length, grid.window, y)
    transformed: Complex64 = fft.rfft(y)
    return transformed


def rms(X: Complex64) -> Float32:
    """The root mean square over channels, the first axis, of |X|."""
    if len(X) == 1:
        magnitudes: Float32 = np.abs(X[0])
        return magnitudes
    out = np.empty(X.shape[1:], np.float32)
    kernels.root_mean_square(X, out)
    return out
