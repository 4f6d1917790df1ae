"""The options of separation by a score, for all models."""

from __future__ import annotations

from typing import Literal

from specnmf.audio.options import PARTS, WienerOptions, WindowOptions
from specnmf.errors import ParameterError
from specnmf.factor.options import FitOptions
from specnmf.options import MASKS, changed, option
from specnmf.score.options import StemOptions

Model = Literal["partials", "fmp", "fmp-onsets"]


class ScoreOptions(WienerOptions, WindowOptions, FitOptions, StemOptions):
    """The model of a separation by score, and the handling of the rest."""

    model: Model = option(
        "partials",
        "partials: parametric model; fmp: NMF model of the FMP book; fmp-onsets: the "
        "same with attacks.",
    )
    residual: bool | None = option(
        None,
        "Keep the sound that no note explains as a stem of its own, or divide it among "
        "the stems; by default kept only without a score.",
    )
    max_iter: int = changed(FitOptions, "max_iter", default=40)
    tol: float = changed(FitOptions, "tol", default=0.0)
    seed: int = changed(
        FitOptions,
        "seed",
        help="No effect: nothing is random. Accepted so that all tasks take the same "
        "options.",
    )
    n_fft: int | None = changed(
        WindowOptions,
        "n_fft",
        help="Window in samples; by default chosen by the recording.",
    )
    hpss: bool = option(
        False,
        "Weight drums by the percussive part of the recording and other stems by the "
        "harmonic part, as median filters find them.",
        group=MASKS,
        added=True,
    )
    mask_power: float | None = option(
        None,
        "Exponent of the masks; by default 2, and 1 for the fmp models.",
        above=0,
        group=MASKS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.residual and self.model != "partials":
            raise ParameterError(
                f"model {self.model} has no residual; use model partials"
            )
        if self.hpss and self.model != "partials":
            raise ParameterError(f"model {self.model} has no hpss; use model partials")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts whose masks weight the stems."""
        return PARTS[:2] if self.hpss else ()

    @property
    def power(self) -> float:
        """The exponent of the masks."""
        if self.mask_power is not None:
            return self.mask_power
        return 2.0 if self.model == "partials" else 1.0
