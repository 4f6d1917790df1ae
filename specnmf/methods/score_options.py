"""The options of separation by a score, whichever model does it."""

from __future__ import annotations

from typing import Literal

from specnmf.audio.options import MaskOptions, WindowOptions
from specnmf.errors import ParameterError
from specnmf.factor.options import FitOptions
from specnmf.options import MASKS, changed, option
from specnmf.score.options import StemOptions

Model = Literal["partials", "fmp", "fmp-onsets"]


class ScoreOptions(MaskOptions, WindowOptions, FitOptions, StemOptions):
    """What makes the stems, and how they are found and shared."""

    model: Model = option(
        "partials", "Partials of notes, or the FMP book's model, plain or with attacks."
    )
    residual: bool | None = option(
        None,
        "Keep what no note explains as a stem, or share it; by default kept only "
        "without a score.",
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
        help="Window in samples; by default the one that suits the recording.",
    )
    mask_power: float | None = option(
        None,
        "Exponent of the masks; by default 2, and 1 for the book's models.",
        above=0,
        group=MASKS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.residual and self.model != "partials":
            raise ParameterError(
                f"model {self.model} leaves no residual; use model partials"
            )

    @property
    def power(self) -> float:
        """The exponent of the masks."""
        if self.mask_power is not None:
            return self.mask_power
        return 2.0 if self.model == "partials" else 1.0
