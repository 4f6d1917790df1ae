"""The options of a decomposition into components."""

from __future__ import annotations

import re
from typing import Literal

from specnmf.audio.options import (
    PERCUSSIVE,
    RESIDUAL,
    BandOptions,
    SoundOptions,
    SplitOptions,
)
from specnmf.checks import whole_or_auto
from specnmf.errors import ParameterError
from specnmf.factor.options import MOST_AUTO, N_COMPONENTS, NmfOptions, check_components
from specnmf.methods.memory import MemoryOptions
from specnmf.options import TRANSFORM, changed, option

#: How components are grouped, and the most groups.
_GROUPING, MOST_GROUPS = re.compile(r"periodicity:([1-9]\d{0,2})", re.ASCII), 64


def parse_grouping(text: str) -> str:
    """The way to group components, such as periodicity:2.

    Raises
    ------
    ParameterError
        If there is no such way.
    """
    match = _GROUPING.fullmatch(str(text).strip().lower())
    if match is None or int(match[1]) > MOST_GROUPS:
        raise ParameterError(
            f"group must be periodicity:N with N from 1 to {MOST_GROUPS}, such as "
            f"periodicity:2, got {text!r}"
        )
    return match[0]


class ComponentOptions(SplitOptions, BandOptions, SoundOptions, NmfOptions):
    """The components: their number, band, parts and groups, and the memory limit."""

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
    whiten: float = option(
        0.0,
        "Level that each bin stays below PERCENT of the time, such as 50: what exceeds "
        "it is factorised, what does not goes to the stem background. 0: off.",
        shown="0",
        least=0,
        most=99,
        metavar="PERCENT",
        group=TRANSFORM,
        added=True,
    )
    group: str | None = option(
        None,
        "Group the components by the periods at which they repeat, into N stems, and a "
        "rest without a period.",
        parse=parse_grouping,
        metavar="periodicity:N",
        added=True,
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
        self._check_groups()
        self._check_split()

    @property
    def most_components(self) -> int:
        """``n_components``, or the maximum for ``auto``."""
        return MOST_AUTO if self.n_components == "auto" else self.n_components

    @property
    def n_groups(self) -> int:
        """The number of groups of components; 0: each is a stem of its own."""
        return 0 if self.group is None else int(self.group.partition(":")[2])

    @property
    def is_partial(self) -> bool:
        """Whether something else is factorised than the whole of V."""
        return self.is_limited or self.whiten > 0

    def _check_groups(self) -> None:
        """Raise ParameterError if there are more groups than components."""
        if self.group is not None and parse_grouping(self.group) != self.group:
            raise ParameterError(f"group must be periodicity:N, got {self.group!r}")
        if self.n_components != "auto" and self.n_groups > self.n_components:
            raise ParameterError(
                f"{self.group} needs as many components, got {self.n_components}; use "
                f"-k {self.n_groups} or more"
            )

    def _check_split(self) -> None:
        """Raise ParameterError if an option does not go with a split, or without."""
        if self.split != "none":
            if self.is_partial or self.group is not None:
                raise ParameterError(
                    f"split {self.split} takes the whole spectrogram into components; "
                    "leave out fmin, fmax, whiten and group, or split"
                )
            return
        if self.split_margin != 1:
            raise ParameterError(
                f"split_margin {self.split_margin:g} needs split hpss, got none"
            )
        if self.percussive_components is not None:
            raise ParameterError(
                f"percussive_components {self.percussive_components} need split hpss, "
                "got none"
            )

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
