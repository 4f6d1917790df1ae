"""The options of a decomposition into components."""

from __future__ import annotations

from typing import Literal

from specnmf.audio.options import PERCUSSIVE, RESIDUAL, SoundOptions, SplitOptions
from specnmf.checks import whole_or_auto
from specnmf.errors import ParameterError
from specnmf.factor.options import MOST_AUTO, N_COMPONENTS, NmfOptions, check_components
from specnmf.methods.memory import MemoryOptions
from specnmf.options import TRANSFORM, changed, option


class ComponentOptions(SplitOptions, SoundOptions, NmfOptions):
    """The number of components, and the memory limit."""

    n_components: int | Literal["auto"] = option(
        N_COMPONENTS,
        "Number of components; auto: chosen by cross-validation, in about a second.",
        flags=("-k", "--components"),
        parse=whole_or_auto,
        metavar="[NUMBER|auto]",
    )
    split_margin: float = option(
        1.0,
        "With --split: how many times one median must exceed the other; above 1, "
        "the rest is a residual part.",
        least=1,
        group=TRANSFORM,
        added=True,
    )
    percussive_components: int | None = option(
        None,
        "With --split: number of components of the percussive part; by default as many "
        "as of the harmonic part, -k.",
        least=1,
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
        if self.split == "none" and self.split_margin != 1:
            raise ParameterError(
                f"split_margin {self.split_margin:g} needs split hpss, got none"
            )
        if self.split == "none" and self.percussive_components is not None:
            raise ParameterError(
                f"percussive_components {self.percussive_components} need split hpss, "
                "got none"
            )

    @property
    def most_components(self) -> int:
        """``n_components``, or the maximum for ``auto``."""
        return MOST_AUTO if self.n_components == "auto" else self.n_components

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a split; above margin 1 also the residual."""
        residual = (RESIDUAL,) if self.split_margin > 1 else ()
        return super().parts + residual

    @property
    def part_sizes(self) -> dict[str, int]:
        """The number of components of each part of a split; the residual has one."""
        sizes = dict.fromkeys(self.parts, self.most_components)
        if self.percussive_components is not None:
            sizes[PERCUSSIVE] = self.percussive_components
        if RESIDUAL in sizes:
            sizes[RESIDUAL] = 1
        return sizes

    @property
    def most_stems(self) -> int:
        """``most_components``, or of all parts of a split together."""
        return sum(self.part_sizes.values()) if self.parts else self.most_components
