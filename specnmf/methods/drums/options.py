"""The options of drums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from specnmf.audio.options import PARTS, WienerOptions, WindowOptions
from specnmf.errors import ParameterError
from specnmf.factor.options import FitOptions
from specnmf.methods.memory import MemoryOptions
from specnmf.options import FIT, MASKS, WHAT, changed, option

#: Parts of a beat that strokes may be moved to.
Quantize = Literal["none", "2", "3", "4", "6", "8"]


def parse_drums(texts: str | Iterable[str]) -> tuple[str, ...]:
    """The drums in strings such as ``kick,snare``; ParameterError if one is empty."""
    parts = [texts] if isinstance(texts, str) else texts
    names = tuple(name.strip() for text in parts for name in text.split(","))
    if not all(names):
        raise ParameterError("expected drums such as kick,snare, got an empty name")
    return names


class DrumOptions(WienerOptions, MemoryOptions, FitOptions):
    """Which drums to find, and how their templates are fitted."""

    drums: Sequence[str] = option(
        (),
        "Find only these, such as kick,snare,hihat; by default all that are heard.",
        parse=parse_drums,
        metavar="DRUM,...",
        group=WHAT,
    )
    sensitivity: float = option(
        0.5,
        "Find more strokes (towards 1), or only the surest (towards 0).",
        least=0,
        most=1,
        group=WHAT,
    )
    quantize: Quantize = option(
        "none",
        "Also write the strokes moved to this many parts of a beat: 4 for sixteenths, "
        "3 or 6 for triplets.",
        group=WHAT,
    )
    adapt: float = option(
        1.0,
        "How far the sounds of the drums adapt to the recording: 0 keeps those of the "
        "kit, 1 frees them.",
        least=0,
        most=1,
        group=FIT,
    )
    n_rest: int = option(
        24,
        "Number of templates for the pitched instruments of the rest.",
        flags=("--rest",),
        least=1,
        group=FIT,
    )
    n_fft: int | None = changed(
        WindowOptions,
        "n_fft",
        help="Window length in samples; by default about 46 ms: 2048 at 44.1 kHz.",
    )
    max_iter: int = changed(FitOptions, "max_iter", default=40)
    tol: float = changed(FitOptions, "tol", default=0.0)
    mask_power: float = option(
        2.0,
        "Exponent of the masks. 1: ratio of magnitudes; 2: of powers (Wiener filter).",
        above=0,
        group=MASKS,
    )
    repeats: bool = option(
        True,
        "Learn and subtract the waveforms of strokes that repeat, as samplers and drum "
        "machines play them; masks divide the remainder.",
        group=MASKS,
    )
    hpss: bool | None = option(
        None,
        "Weight drums by the percussive part of the recording and the rest by the "
        "harmonic part, as median filters find them; by default where pitched "
        "instruments play.",
        group=MASKS,
    )

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts whose masks weight the stems."""
        return PARTS[:2] if self.hpss else ()

    @property
    def power(self) -> float:
        """The exponent of the masks."""
        return self.mask_power
