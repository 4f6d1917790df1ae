"""Audio: a recording in memory, and what to know of it."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.arrays import array_of
from specnmf.checks import check_above, check_at_least, is_finite
from specnmf.errors import AudioError, ParameterError
from specnmf.notation import counted, spell_seconds
from specnmf.parallel import cut

Float32 = NDArray[np.float32]

#: More channels than this, and than samples, are samples that lie the other way round.
MOST_CHANNELS = 16

#: The largest sample: powers of its spectrum are numbers that float32 holds.
LOUDEST = 1e12

#: Below it, -240 dB, results depend on where numbers are taken for zero.
FAINTEST = 1e-12

#: Where what notebooks show is made: below this module, so found when it is asked for.
PLAYER = "specnmf.output.page.notebook:audio_html"

#: Samples a channel looked at at a time.
BLOCK = 1 << 18

#: More samples than any recording has: an excerpt of more is one of all.
MOST_SAMPLES = 1 << 60


class Sound(Protocol):
    """What is known of a recording, be it in memory or on disk."""

    @property
    def sr(self) -> int:
        """The sample rate in Hz."""

    @property
    def n_channels(self) -> int:
        """The number of channels."""

    @property
    def n_samples(self) -> int:
        """The number of samples a channel."""

    @property
    def duration(self) -> float:
        """The length in seconds."""

    def findings(self) -> list[str]:
        """What a listener should know before believing a decomposition."""


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording in memory.

    Parameters
    ----------
    samples : array of floats, shape (n_channels, n_samples) or (n_samples,)
        Kept as float32; full scale is 1. Integers are refused, as librosa refuses them:
        divide them by what their full scale is, such as 32768 for 16 bits.
    sr : int
        Sample rate in Hz.

    Raises
    ------
    AudioError
        If the samples are no finite floats, if there are none, or if they lie the other
        way round; if the rate is no positive whole number.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> y = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44100) / 22050)
    >>> audio = specnmf.Audio(y, sr=22050)
    >>> audio
    Audio(1 channel, 22050 Hz, 2.0 s)
    >>> audio.samples.shape, audio.samples.dtype
    ((1, 44100), dtype('float32'))
    >>> audio.excerpt(start=0.5, duration=1.0)
    Audio(1 channel, 22050 Hz, 1.0 s)
    """

    samples: Float32
    sr: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", _samples(self.samples))
        object.__setattr__(self, "sr", _rate(self.sr))

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return int(self.samples.shape[0])

    @property
    def n_samples(self) -> int:
        """The number of samples a channel."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.n_samples / self.sr

    def __repr__(self) -> str:
        """One line without the samples."""
        channels = counted(self.n_channels, "channel")
        return f"Audio({channels}, {self.sr} Hz, {spell_seconds(self.duration)})"

    def _repr_html_(self) -> str | None:
        """A player, in a notebook; None, and so the repr, if it is too long for one."""
        html: str | None = pkgutil.resolve_name(PLAYER)(self)
        return html

    def excerpt(self, start: float = 0.0, duration: float | None = None) -> Audio:
        """An excerpt of the recording; its samples are a view of these.

        Parameters
        ----------
        start, duration : float
            In seconds; without a duration, to the end.

        Returns
        -------
        Audio
            What there is of it: it may end with the recording.

        Raises
        ------
        ParameterError
            If the excerpt begins before the recording, or lasts no time.
        AudioError
            If it begins after the recording.
        """
        first, count = span(self.sr, start, duration)
        stop = None if count is None else first + count
        samples = self.samples[:, first:stop]
        if not samples.shape[1]:
            raise AudioError(
                f"the recording ends before the start of the excerpt at {start} s"
            )
        return Audio(samples, self.sr)

    def findings(self) -> list[str]:
        """What a listener should know before believing a decomposition."""
        survey = Survey(self.n_channels)
        for span in cut(slice(0, self.n_samples), BLOCK):
            survey.add(self.samples[:, span])
        return survey.findings()


def one_of_alike(audio: Audio) -> Audio:
    """A recording whose channels are all the same, as one channel."""
    if all(np.array_equal(audio.samples[0], other) for other in audio.samples[1:]):
        return Audio(audio.samples[:1], audio.sr)
    return audio


def at_rate(samples: Float32, sr: int, wanted: int) -> Float32:
    """Samples, (..., n), at another rate."""
    if sr == wanted:
        return samples
    import librosa

    resampled: Float32 = librosa.resample(samples, orig_sr=sr, target_sr=wanted)
    return resampled


def span(sr: int, start: float, duration: float | None) -> tuple[int, int | None]:
    """The first sample of an excerpt in seconds, and how many there are, if not all."""
    check_at_least("start", start, 0)
    first = round(min(start * sr, MOST_SAMPLES))
    if duration is None:
        return first, None
    check_above("duration", duration, 0)
    return first, max(1, round(min(duration * sr, MOST_SAMPLES)))


def audio_of(sound: Any, sr: int | None = None) -> Audio:
    """An `Audio` as it is, or one made of samples in an array and their rate.

    Raises
    ------
    AudioError
        If an array comes without its rate or an Audio with another, or the samples are
        none.
    """
    if isinstance(sound, Audio):
        if sr not in (None, sound.sr):
            raise AudioError(
                f"an Audio of {sound.sr} Hz comes with sr={sr!r}; leave sr out"
            )
        return sound
    if sr is not None:
        return Audio(sound, sr)
    if isinstance(sound, np.ndarray):
        raise AudioError(
            "an array does not tell its sample rate; pass sr in Hz, such as sr=22050"
        )
    raise AudioError(
        "expected an Audio, a path, or an array of samples with its rate sr, got "
        f"{type(sound).__name__}"
    )


def _samples(values: ArrayLike) -> Float32:
    """Samples as `Audio` keeps them, checked."""
    try:
        array = array_of("samples", values)
    except ParameterError as error:
        raise AudioError(str(error)) from error
    _check_kind(array)
    shape = array.shape
    if array.ndim not in (1, 2) or 0 in shape:
        raise AudioError(f"samples must be (n_channels, n_samples), got shape {shape}")
    if array.ndim == 2 and shape[0] > max(shape[1], MOST_CHANNELS):
        raise AudioError(
            f"samples must be (n_channels, n_samples), got shape {shape}, which is "
            f"{shape[0]} channels of {shape[1]} samples; pass their transpose, x.T"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        samples = np.atleast_2d(array.astype(np.float32, copy=False))
        peak = max(-float(samples.min()), float(samples.max()))
    if not np.isfinite(peak):
        raise AudioError("samples must be finite, got NaN or infinity")
    if peak > LOUDEST:
        raise AudioError(too_loud(peak))
    return samples


def too_loud(peak: float) -> str:
    """What is wrong with samples beyond `LOUDEST`."""
    return (
        f"samples reach {peak:.1e}, expected about 1 and at most {LOUDEST:.0e}; "
        "scale the recording, or repair it"
    )


def _check_kind(array: NDArray[Any]) -> None:
    """Raise AudioError unless an array is of floats; say how integers become such."""
    if array.dtype.kind == "f":
        return
    if array.dtype.kind not in "iu":
        raise AudioError(f"samples must be floats, got {array.dtype}")
    scale = 1 << (8 * array.dtype.itemsize - 1)
    offset = f" - {scale}" if array.dtype.kind == "u" else ""
    how = f"(x.astype(float){offset}) / {scale}" if offset else f"x / {scale}"
    raise AudioError(
        f"samples must be floats whose full scale is 1, got {array.dtype}; "
        f"pass {how} if they use its whole range"
    )


def _rate(sr: Any) -> int:
    """A sample rate, checked: a whole number above zero."""
    whole = isinstance(sr, int | float | np.integer | np.floating)
    if isinstance(sr, bool) or not whole or not is_finite(sr) or int(sr) != sr:
        raise AudioError(f"the sample rate must be a whole number of Hz, got {sr!r}")
    if sr <= 0:
        raise AudioError(f"the sample rate must be positive, got {sr} Hz")
    return int(sr)


class Survey:
    """What there is to know of samples that come block by block."""

    def __init__(self, n_channels: int) -> None:
        self.n_samples = self.clipped = 0
        self.lowest = np.full(n_channels, np.inf, np.float32)
        self.highest = -self.lowest
        # A run at full scale may begin in one block and end in the next.
        self.last = np.zeros((n_channels, 2), np.float32)

    def add(self, block: Float32) -> None:
        """Look at the next samples, (n_channels, n)."""
        self.n_samples += block.shape[1]
        lowest, highest = block.min(axis=1), block.max(axis=1)
        np.minimum(self.lowest, lowest, out=self.lowest)
        np.maximum(self.highest, highest, out=self.highest)
        for channel in np.flatnonzero(_full(lowest) | _full(highest)):
            joined = np.concatenate([self.last[channel], block[channel]])
            self.clipped += _clipped(joined)
        self.last = np.concatenate([self.last, block[:, -2:]], axis=1)[:, -2:]

    def findings(self) -> list[str]:
        """What a listener should know before believing a decomposition."""
        if not (self.lowest.any() or self.highest.any()):
            return ["silent: all samples are zero, so all sources will be silent"]
        peak = max(-float(self.lowest.min()), float(self.highest.max()))
        if peak < FAINTEST:
            return [f"nearly silent: no sample beyond {peak:.0e}; amplify it first"]
        if (self.lowest == self.highest).all():
            return ["constant: a DC offset and no sound"]
        if self.clipped:
            return [f"clipped: {self.clipped} samples in runs at full scale"]
        return []


def _clipped(channel: Float32) -> int:
    """Samples in runs of at least three at full scale."""
    full = _full(channel)
    return int(np.count_nonzero(full[:-2] & full[1:-1] & full[2:]))


def _full(samples: Float32) -> NDArray[np.bool_]:
    """Which samples are at full scale; 16 bits end at 1 - 2**-15 when positive."""
    full: NDArray[np.bool_] = (samples >= 1 - 2.0**-15) | (samples <= -1)
    return full
