"""The options of a decomposition into components."""

from __future__ import annotations

from typing import Literal

from specnmf.audio.options import SoundOptions
from specnmf.checks import whole_or_auto
from specnmf.factor.options import MOST_AUTO, N_COMPONENTS, NmfOptions, check_components
from specnmf.methods.memory import MemoryOptions
from specnmf.options import changed, option


class ComponentOptions(SoundOptions, NmfOptions):
    """The number of components, and the memory limit."""

    n_components: int | Literal["auto"] = option(
        N_COMPONENTS,
        "Number of components; auto: chosen by cross-validation, in about a second.",
        flags=("-k", "--components"),
        parse=whole_or_auto,
        metavar="[NUMBER|auto]",
    )
    adapt: float = option(
        0.0,
        "How far --templates adapt to the recording: 0: fixed; 0.5: the recording "
        "counts as much as the template; 1: free.",
        least=0,
        most=1,
        added=True,
    )
    n_free: int | None = option(
        None,
        "Number of components learned beside --templates; by default none beside those "
        "of specnmf learn, and beside others as many as are missing to -k.",
        flags=("--free",),
        least=0,
        added=True,
    )
    memory: int = changed(
        MemoryOptions,
        "memory",
        help="Memory limit; longer songs are processed from disk.",
        added=False,
    )

    def __post_init__(self) -> None:
        check_components(self.n_components)
        super().__post_init__()

    @property
    def most_components(self) -> int:
        """``n_components``, or the maximum for ``auto``."""
        return MOST_AUTO if self.n_components == "auto" else self.n_components
