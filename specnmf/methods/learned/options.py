"""The options of learning templates."""

from __future__ import annotations

from specnmf.factor.options import SolverOptions
from specnmf.methods.labels.options import TierOptions
from specnmf.methods.memory import MemoryOptions
from specnmf.options import changed, option

#: The default number of templates per sound: spectra, and short spectrograms.
SPECTRA, PATTERNS = 8, 1


class LearnSettings(TierOptions, MemoryOptions, SolverOptions):
    """The settings of `learn`, immutable.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.LearnSettings(n_components=1, n_template_frames=8)
    >>> settings.n_template_frames
    8
    """

    n_components: int | None = option(
        None,
        "Number of templates per sound; by default 8 spectra, or 1 of several frames.",
        flags=("-k", "--components"),
        least=1,
    )
    n_template_frames: int = option(
        1,
        "Length of the templates in frames. 1: spectra; several: short spectrograms, "
        "for drums and calls.",
        flags=("--frames",),
        least=1,
        most=1000,
    )
    max_iter: int = changed(SolverOptions, "max_iter", default=100)
    memory: int = changed(
        MemoryOptions,
        "memory",
        help="Memory limit; longer sounds are refused, with what fits.",
        added=False,
    )

    @property
    def n_per_sound(self) -> int:
        """``n_components``, or the default for such templates."""
        if self.n_components is None:
            return SPECTRA if self.n_template_frames == 1 else PATTERNS
        return self.n_components
