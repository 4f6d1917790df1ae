"""The options of sound: excerpt, window, masks, files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from specnmf.checks import check_at_least
from specnmf.errors import ParameterError
from specnmf.options import MASKS, OUTPUT, TRANSFORM, Options, option

Mask = Literal["ratio", "binary"]
Wiener = Literal["auto", "never", "always"]
Split = Literal["none", "hpss"]
AudioFormat = Literal["wav", "flac", "ogg", "mp3", "m4a", "opus"]

#: The subtypes of each format; the first is the default.
SUBTYPES: Mapping[str, tuple[str, ...]] = {
    "wav": ("PCM_24", "PCM_16", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE"),
    "flac": ("PCM_24", "PCM_16", "PCM_S8"),
    "ogg": ("VORBIS",),
    "mp3": ("MPEG_LAYER_III",),
    "m4a": ("AAC",),
    "opus": ("OPUS",),
}

#: Formats whose sources add up to the recording only nearly.
LOSSY = ("ogg", "mp3", "m4a", "opus")

#: The parts of a split, in order.
PARTS = HARMONIC, PERCUSSIVE, RESIDUAL = "harmonic", "percussive", "residual"

#: Window length in samples up to 48 kHz; doubled with each doubling above.
BASE_N_FFT = 2048


#: The longest recording, in seconds: thirty years.
LONGEST = 1_000_000_000


class ExcerptOptions(Options, group=TRANSFORM):
    """Which part of a recording to take."""

    start: float = option(
        0.0, "Start of the excerpt in seconds.", least=0, most=LONGEST
    )
    duration: float | None = option(
        None,
        "Length of the excerpt in seconds; by default to the end.",
        above=0,
        most=LONGEST,
    )


class WindowOptions(Options, group=TRANSFORM):
    """The window of the transform."""

    n_fft: int | None = option(
        None,
        "Window length in samples; by default 2048 up to 48 kHz, 4096 up to 96 kHz.",
    )
    hop_length: int | None = option(
        None, "Hop between windows in samples; by default a quarter of the window."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window(self.n_fft, self.hop_length)


class SoundOptions(WindowOptions, ExcerptOptions, group=TRANSFORM):
    """Which part of a recording to take, and the window of its transform."""


class BandOptions(Options, group=TRANSFORM):
    """The band of frequencies that is factorised."""

    fmin: float | None = option(
        None,
        "Lowest frequency to factorise, in Hz; sound beyond the band goes to the stem "
        "outside.",
        least=0,
        added=True,
    )
    fmax: float | None = option(
        None,
        "Highest frequency to factorise, in Hz; by default half the sample rate.",
        above=0,
        added=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.fmin, self.fmax
        if low is not None and high is not None and low >= high:
            raise ParameterError(
                f"fmin must be below fmax, got {low:g} and {high:g} Hz"
            )

    @property
    def is_limited(self) -> bool:
        """Whether a band is asked for."""
        return bool(self.fmin) or self.fmax is not None


class MaskOptions(Options, group=MASKS):
    """How the recording is divided between the sources."""

    mask: Mask = option(
        "ratio", "ratio: soft masks; binary: each bin goes to the loudest source."
    )

    @property
    def wiener(self) -> Wiener:
        """Whether stereo sources are filtered by their places; see `WienerOptions`."""
        return "never"

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts into which a recording is split before; see `SplitOptions`."""
        return ()


class SplitOptions(MaskOptions, group=TRANSFORM):
    """Whether a recording is split into parts."""

    split: Split = option(
        "none",
        "hpss: first split the recording into a harmonic and a percussive part by "
        "median filters.",
        added=True,
    )

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a split; none without one."""
        return () if self.split == "none" else PARTS[:2]


class WienerOptions(MaskOptions, group=MASKS):
    """Masks, and the filter of stereo recordings."""

    wiener: Wiener = option(
        "auto",
        "Multichannel Wiener filter for stereo recordings. auto: where the stems are "
        "placed apart; never: masks alone; always.",
        added=True,
        older="never",
    )


class PowerOptions(MaskOptions, group=MASKS):
    """Masks and their exponent."""

    mask_power: float = option(
        1.0,
        "Exponent of the masks. 1: ratio of magnitudes; 2: of powers (Wiener filter).",
        above=0,
    )

    @property
    def power(self) -> float:
        """The exponent of the masks."""
        return self.mask_power


class FileOptions(Options, group=OUTPUT):
    """The files of the sources."""

    format: AudioFormat = option("wav", "File format of the sources.")
    subtype: str | None = option(
        None,
        "Sample format of the sources, such as pcm_16 or float; by default that of "
        "the recording.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_subtype(self.format, self.subtype)


def window(
    sr: int, n_fft: int | None = None, hop_length: int | None = None
) -> tuple[int, int]:
    """Window length and hop in samples, checked; None stands for the default."""
    check_window(n_fft, hop_length)
    if n_fft is None:
        doublings = max(0, math.ceil(math.log2(sr / 48_000)))
        n_fft = BASE_N_FFT * 2**doublings
    return n_fft, hop_length or n_fft // 4


def check_window(n_fft: int | None, hop_length: int | None) -> None:
    """Raise ParameterError unless frames of ``n_fft`` can step by ``hop_length``."""
    if n_fft is not None and (n_fft < 16 or n_fft % 2):
        raise ParameterError(f"n_fft must be even and at least 16, got {n_fft}")
    if hop_length is None:
        return
    check_at_least("hop_length", hop_length, 1)
    length = n_fft or BASE_N_FFT
    if hop_length > length:
        raise ParameterError(
            f"hop_length must not exceed n_fft ({length}), got {hop_length}: "
            "samples between the frames would be lost"
        )


def check_subtype(format: str, subtype: str | None) -> None:
    """Raise ParameterError if files of this format cannot hold the subtype."""
    if subtype is not None and subtype.upper() not in SUBTYPES[format]:
        raise ParameterError(
            f"subtype of {format} must be one of {', '.join(SUBTYPES[format])}, "
            f"got {subtype!r}"
        )
