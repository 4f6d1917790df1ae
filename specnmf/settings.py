"""The options of a run: the only place where a default is written."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from specnmf.errors import ParameterError

Solver = Literal["auto", "mu", "hals", "joint"]
Init = Literal["random", "nndsvd", "nndsvda"]
Stop = Literal["cost", "factors"]
Mask = Literal["ratio", "binary"]
By = Literal["part", "hand", "pitch", "note"]
LayerMethod = Literal["sequential", "neural"]
ScoreFit = Literal["partials", "fmp", "fmp-onsets"]
Align = Literal["auto", "always", "never"]
AudioFormat = Literal["wav", "flac", "ogg", "mp3"]
FigureFormat = Literal["png", "svg", "pdf"]

#: The betas that have a name.
BETAS: Mapping[str, float] = {"euclidean": 2.0, "kl": 1.0, "is": 0.0}

#: What a file of sources may hold; the first is the format's default.
SUBTYPES: Mapping[str, tuple[str, ...]] = {
    "wav": ("PCM_24", "PCM_16", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE"),
    "flac": ("PCM_24", "PCM_16", "PCM_S8"),
    "ogg": ("VORBIS",),
    "mp3": ("MPEG_LAYER_III",),
}

#: The bytes behind the letters of a size, each 1024 times the last.
SIZES: Mapping[str, int] = {
    "": 1,
    "K": 1 << 10,
    "M": 1 << 20,
    "G": 1 << 30,
    "T": 1 << 40,
}

#: How many components to look for unless told.
N_COMPONENTS = 8

#: The most components that auto may choose.
MOST_AUTO = 64

#: Window length in samples up to 48 kHz; doubled with each doubling above.
BASE_N_FFT = 2048


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What every run has: an excerpt, a transform, masks, and what is written.

    Attributes
    ----------
    max_iter : int
        The most iterations to spend.
    seed : int
        Seed of whatever is random.
    n_fft, hop_length : int or None
        Window length and step in samples; None: chosen by the command.
    start, duration : float
        The excerpt in seconds; None: to the end.
    mask : str
        How sources share each time-frequency point.
    format, subtype : str
        Of the sources; subtype None: the input's own.
    sources, figures : bool
        Whether to write them.
    figure_format : str
        png, svg or pdf.
    threads : int or None
        None: one a core. The results do not depend on it.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    max_iter: int = 200
    seed: int = 0
    n_fft: int | None = None
    hop_length: int | None = None
    start: float = 0.0
    duration: float | None = None
    mask: Mask = "ratio"
    format: AudioFormat = "wav"
    subtype: str | None = None
    sources: bool = True
    figures: bool = True
    figure_format: FigureFormat = "png"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_at_least("max_iter", self.max_iter, 1)
        check_at_least("seed", self.seed, 0)
        check_window(self.n_fft, self.hop_length)
        check_at_least("start", self.start, 0)
        if self.duration is not None:
            check_above("duration", self.duration, 0)
        check_choice("mask", self.mask, get_args(Mask))
        check_choice("format", self.format, get_args(AudioFormat))
        check_subtype(self.format, self.subtype)
        check_choice("figure_format", self.figure_format, get_args(FigureFormat))
        if self.threads is not None:
            check_at_least("threads", self.threads, 1)


@dataclass(frozen=True, kw_only=True)
class Settings(RunSettings):
    """Everything that decides what `decompose` computes and writes.

    Attributes
    ----------
    n_components : int or "auto"
        How many components to look for; auto: as many as cross-validation finds.
    beta : float
        The divergence: 2 Euclidean, 1 Kullback-Leibler, 0 Itakura-Saito.
    solver, init, stop : str
        How the factors are found, from where, and when the search ends.
    max_iter : int
        The most iterations to spend.
    tol : float
        Stop once an iteration lowers the cost by less than this fraction.
    memory : int
        Bytes that a run may take: what does not fit is left on disk, learned from a
        sample and then refined on all frames.
    seed : int
        Seed of the random start.
    n_fft, hop_length : int or None
        Window length and step in samples; None: 2048 up to 48 kHz and in
        proportion above, and a quarter of the window.
    start, duration : float
        The excerpt in seconds; None: to the end.
    mask, mask_power : str, float
        How components share each time-frequency point.
    format, subtype : str
        Of the sources; subtype None: the input's own.
    sources, figures : bool
        Whether to write them.
    figure_format : str
        png, svg or pdf.
    threads : int or None
        None: one a core. The results do not depend on it.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    n_components: int | Literal["auto"] = N_COMPONENTS
    beta: float = BETAS["kl"]
    solver: Solver = "auto"
    init: Init = "random"
    stop: Stop = "cost"
    tol: float = 1e-4
    memory: int = 2 << 30
    mask_power: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_components(self.n_components)
        check_finite("beta", self.beta)
        check_choice("solver", self.solver, get_args(Solver))
        check_solver(self.solver, self.beta)
        check_choice("init", self.init, get_args(Init))
        check_choice("stop", self.stop, get_args(Stop))
        check_at_least("tol", self.tol, 0)
        check_at_least("memory", self.memory, 1)
        check_above("mask_power", self.mask_power, 0)

    @property
    def most_components(self) -> int:
        """``n_components``, or the most that auto may choose."""
        return MOST_AUTO if self.n_components == "auto" else self.n_components


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(RunSettings):
    """Everything that decides what `separate` computes and writes.

    Attributes
    ----------
    by : str
        What makes a stem: part, hand, pitch or note.
    groups : mapping of str to sequence of str
        Stems that are put together under another name.
    split : int
        The lowest MIDI pitch of the right hand, where the score does not tell.
    residual : bool
        Whether what the score does not explain is a stem of its own, else it is
        shared by the others.
    model : str
        partials: the parametric model; fmp: the book's, a Euclidean factorisation
        within the score's constraints; fmp-onsets: with templates for attacks.
    align : str
        Whether the score is brought on the recording's clock: if they disagree
        (auto), always or never.
    transpose : int or "auto"
        Semitones that the recording sounds above the score; auto: found.
    tol : float
        Stop once an iteration lowers the cost by less than this fraction; 0: never.
    mask_power : float or None
        None: 2 for partials, 1 for the book's models.
    max_iter, n_fft, hop_length, ...
        As in `Settings`. Where it is None, the recording decides on the window.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    by: By = "part"
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    split: int = 60
    residual: bool = False
    model: ScoreFit = "partials"
    align: Align = "auto"
    transpose: int | Literal["auto"] = 0
    max_iter: int = 40
    tol: float = 0.0
    mask_power: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("by", self.by, get_args(By))
        check_choice("model", self.model, get_args(ScoreFit))
        check_choice("align", self.align, get_args(Align))
        check_between("split", self.split, 0, 128)
        if self.transpose != "auto":
            check_between("transpose", self.transpose, -48, 48)
        check_at_least("tol", self.tol, 0)
        if self.mask_power is not None:
            check_above("mask_power", self.mask_power, 0)
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


@dataclass(frozen=True, kw_only=True)
class LayerSettings(RunSettings):
    """Everything that decides what `layers` computes and writes.

    Attributes
    ----------
    ranks : sequence of int
        The number of components of each layer, from the sound up: each fewer than
        the last.
    method : str
        sequential: one layer after another; neural: all layers together, from there.
    beta, solver : float, str
        As in `Settings`, of one layer after another; all together, it is the Euclidean
        distance.
    label_weight : float
        How much the labels count beside the sound; 1: as much.
    tol : float
        Stop once an iteration lowers the cost by less than this fraction.
    mask_power : float
        Of the masks.
    stems : sequence of int, optional
        The layers, from 1, whose components are written as sound; None: all.
    max_iter, n_fft, hop_length, ...
        As in `Settings`.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    ranks: Sequence[int] = (32, 8, 3)
    method: LayerMethod = "sequential"
    beta: float = BETAS["euclidean"]
    solver: Solver = "auto"
    label_weight: float = 1.0
    tol: float = 1e-4
    mask_power: float = 1.0
    stems: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_falling("ranks", self.ranks)
        for layer in self.stems or ():
            check_between("stems", layer, 1, len(self.ranks))
        check_choice("method", self.method, get_args(LayerMethod))
        check_finite("beta", self.beta)
        check_choice("solver", self.solver, get_args(Solver))
        check_solver(self.solver, self.beta)
        check_at_least("label_weight", self.label_weight, 0)
        check_at_least("tol", self.tol, 0)
        check_above("mask_power", self.mask_power, 0)


@dataclass(frozen=True, kw_only=True)
class LabelSettings(RunSettings):
    """Everything that decides what `label` computes and writes.

    Attributes
    ----------
    n_components : int
        Templates a label; half as many for one that is never heard alone.
    n_rest : int
        Templates of what no label names; 0: the labels share all there is.
    transpose : int
        Semitones by which a label's templates may move up or down, to stand in for
        notes that were not marked; 0: none.
    max_iter : int
        The most iterations of the last fit.
    tol : float
        Stop once an iteration lowers the cost by less than this fraction.
    mask_power : float
        Of the masks.
    n_fft, hop_length, ...
        As in `Settings`.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    n_components: int = 16
    n_rest: int = 16
    transpose: int = 7
    max_iter: int = 60
    tol: float = 1e-4
    mask_power: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("n_components", self.n_components, 1)
        check_at_least("n_rest", self.n_rest, 0)
        check_between("transpose", self.transpose, 0, 24)
        check_at_least("tol", self.tol, 0)
        check_above("mask_power", self.mask_power, 0)


@dataclass(frozen=True, kw_only=True)
class BatchSettings:
    """How a batch goes about its songs; what it makes of them is in their settings.

    Attributes
    ----------
    recursive : bool
        Whether to look into folders of the folder.
    include, exclude : sequence of str
        Patterns for the names of recordings.
    scores : bool
        Whether songs with a score beside them are separated by it.
    jobs : int or None
        Songs at a time; None: as many as there are cores, and memory for.
    timeout : float or None
        Seconds that a song may take.
    max_memory : int or None
        Bytes that a job may take; None: its share of the machine's.
    resume : bool
        Leave out what is done with the same settings and inputs, and what failed.
    retry_failed : bool
        Resume, and try again what failed.
    checksum : bool
        Tell changed inputs by their content, not by size and time.
    overwrite : bool
        Make finished runs again.
    scheduler : str or None
        The address of a Dask scheduler, whose workers do the jobs.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    recursive: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    scores: bool = True
    jobs: int | None = None
    timeout: float | None = None
    max_memory: int | None = None
    resume: bool = False
    retry_failed: bool = False
    checksum: bool = False
    overwrite: bool = False
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.jobs is not None:
            check_at_least("jobs", self.jobs, 1)
        if self.timeout is not None:
            check_above("timeout", self.timeout, 0)
        if self.max_memory is not None:
            check_at_least("max_memory", self.max_memory, 1)
        if self.resumes and self.overwrite:
            raise ParameterError(
                "resume leaves finished runs as they are, overwrite makes them again; "
                "use one of them"
            )

    @property
    def resumes(self) -> bool:
        """Whether it goes on from what an earlier batch did."""
        return self.resume or self.retry_failed


S = TypeVar("S", bound=RunSettings)

#: What the values of a type are called.
WORDS: Mapping[Any, str] = {
    NoneType: "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Mapping: "a table of lists of text",
    Sequence: "a list of whole numbers",
}


def settings_from(kind: type[S], content: Mapping[str, Any]) -> S:
    """Settings from plain values, such as JSON's; `dataclasses.asdict` is the inverse.

    Parameters
    ----------
    kind : type
        Settings or ScoreSettings.
    content : mapping
        A value for each of its attributes, and nothing else.

    Raises
    ------
    ParameterError
        If a name is unknown or missing, or a value of another type or out of its range.
    """
    types = get_type_hints(kind)
    for name in content:
        if name not in types:
            near = difflib.get_close_matches(name[:40], types, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ParameterError(f"there is no setting {name[:40]!r}{hint}")
    for name, expected in types.items():
        if name not in content:
            raise ParameterError(f"the setting {name!r} is missing")
        if not _fits(content[name], expected):
            raise ParameterError(
                f"{name} is {_spell_type(expected)}, got {_spell(content[name])}"
            )
    return kind(**content)


def _fits(value: object, expected: Any) -> bool:
    """Whether a plain value is of a type, as attributes of settings have them."""
    origin, parts = get_origin(expected), get_args(expected)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(name, parts[0]) and _fits(each, parts[1])
            for name, each in value.items()
        )
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(
            _fits(each, parts[0]) for each in value
        )
    if isinstance(value, bool):  # which Python takes for an int
        return expected is bool
    return isinstance(value, int | float if expected is float else expected)


def _spell_type(expected: Any) -> str:
    """What the values of a type are called."""
    origin, parts = get_origin(expected), get_args(expected)
    if origin in (Union, UnionType):
        return " or ".join(map(_spell_type, parts))
    if origin is Literal:
        return ("one of " if len(parts) > 1 else "") + ", ".join(parts)
    return WORDS[origin or expected]


def _spell(value: object) -> str:
    """A plain value as JSON has it, in short, for it may be anything."""
    if isinstance(value, list | tuple):
        return "a list"
    return "a table" if isinstance(value, Mapping) else json.dumps(value)[:40]


def parse_beta(beta: float | str) -> float:
    """The number behind ``euclidean``, ``kl``, ``is`` or any number.

    Raises
    ------
    ParameterError
        If ``beta`` is neither a known name nor a finite number.
    """
    if isinstance(beta, str) and beta.strip().lower() in BETAS:
        return BETAS[beta.strip().lower()]
    try:
        number = float(beta)
    except ValueError:
        number = math.nan
    check_finite("beta", number, got=beta)
    return number


def parse_size(size: int | str) -> int:
    """The bytes behind ``2G``, ``512M`` or a number of bytes.

    Raises
    ------
    ParameterError
        If ``size`` is no such thing.
    """
    match = re.fullmatch(
        r"(\d{1,15}(?:\.\d{1,15})?)([KMGT]?)", str(size).strip().upper()
    )
    if match is None or float(match[1]) == 0:
        raise ParameterError(f"a size is like 2G, 512M or bytes, got {size!r}")
    return int(float(match[1]) * SIZES[match[2]])


def spell_size(n_bytes: float) -> str:
    """A size in whole M, rounded up, as `parse_size` takes it."""
    return f"{math.ceil(n_bytes / SIZES['M'])}M"


def window(
    sr: int, n_fft: int | None = None, hop_length: int | None = None
) -> tuple[int, int]:
    """Window length and hop in samples, with what is None filled in for a rate.

    Parameters
    ----------
    sr : int
        Sample rate in Hz.
    n_fft, hop_length : int, optional
        Taken as they are where given.

    Raises
    ------
    ParameterError
        If the window is odd or too short, or the hop longer than the window.
    """
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


def check_components(n_components: int | str) -> None:
    """Raise ParameterError unless it is auto or a number of components."""
    if isinstance(n_components, str):
        if n_components != "auto":
            raise ParameterError(
                f"n_components is a whole number or auto, got {n_components!r}"
            )
    else:
        check_at_least("n_components", n_components, 1)


def check_solver(solver: str, beta: float) -> None:
    """Raise ParameterError if the solver does not minimise this divergence."""
    if solver == "hals" and beta != BETAS["euclidean"]:
        raise ParameterError(
            f"solver hals minimises beta 2 (euclidean) only, got beta {beta:g}; use mu"
        )
    if solver == "joint" and beta not in (BETAS["kl"], BETAS["is"]):
        raise ParameterError(
            "solver joint minimises beta 1 (kl) and 0 (is) only, "
            f"got beta {beta:g}; use mu"
        )


def check_subtype(format: str, subtype: str | None) -> None:
    """Raise ParameterError if files of this format cannot hold the subtype."""
    if subtype is not None and subtype.upper() not in SUBTYPES[format]:
        raise ParameterError(
            f"subtype of {format} is one of {', '.join(SUBTYPES[format])}, "
            f"got {subtype!r}"
        )


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ParameterError unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ParameterError(f"{name} is one of {', '.join(choices)}, got {value!r}")


def check_at_least(name: str, value: float, least: float) -> None:
    """Raise ParameterError unless ``value`` is finite and at least ``least``."""
    if not (_is_finite(value) and value >= least):
        raise ParameterError(f"{name} must be at least {least}, got {value}")


def check_above(name: str, value: float, bound: float) -> None:
    """Raise ParameterError unless ``value`` is finite and above ``bound``."""
    if not (_is_finite(value) and value > bound):
        raise ParameterError(f"{name} must be above {bound}, got {value}")


def check_between(name: str, value: float, least: float, most: float) -> None:
    """Raise ParameterError unless ``value`` is within the bounds."""
    if isinstance(value, str) or not least <= value <= most:
        raise ParameterError(f"{name} must lie between {least} and {most}, got {value}")


def check_falling(name: str, values: Sequence[int]) -> None:
    """Raise ParameterError unless each value is at least 1 and below the last."""
    for value in values:
        check_at_least(name, value, 1)
    if not values or any(b >= a for a, b in pairwise(values)):
        raise ParameterError(
            f"{name} must fall from layer to layer, such as 32,8,3; "
            f"got {','.join(map(str, values)) or 'none'}"
        )


def check_finite(name: str, value: float, got: object = None) -> None:
    """Raise ParameterError unless ``value`` is a finite number."""
    if not _is_finite(value):
        names = ", ".join(BETAS)
        raise ParameterError(
            f"{name} is {names} or a number, got {value if got is None else got!r}"
        )


def _is_finite(value: float) -> bool:
    """Whether it is a finite number; an int beyond all floats counts as none."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
