"""The options of a decomposition into components."""

from __future__ import annotations

from typing import Literal

from specnmf.audio.options import SoundOptions
from specnmf.checks import whole_or_auto
from specnmf.factor.options import MOST_AUTO, N_COMPONENTS, NmfOptions, check_components
from specnmf.options import RUN, option
from specnmf.sizes import parse_size


class ComponentOptions(SoundOptions, NmfOptions):
    """How many components to find, and in how much memory."""

    n_components: int | Literal["auto"] = option(
        N_COMPONENTS,
        "How many components to look for; auto: found in a second.",
        flags=("-k", "--components"),
        parse=whole_or_auto,
        metavar="[NUMBER|auto]",
    )
    memory: int = option(
        2 << 30,
        "Memory for a run; longer songs are left on disk.",
        least=1,
        parse=parse_size,
        metavar="SIZE",
        shown="2G",
        group=RUN,
    )

    def __post_init__(self) -> None:
        check_components(self.n_components)
        super().__post_init__()

    @property
    def most_components(self) -> int:
        """``n_components``, or the most that auto may choose."""
        return MOST_AUTO if self.n_components == "auto" else self.n_components
