"""Options that commands share, and the settings they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from specnmf.audio.options import AudioFormat, Mask
from specnmf.batch.settings import BatchSettings
from specnmf.cli.config_file import read_config
from specnmf.errors import ParameterError
from specnmf.factor.options import Init, Solver, Stop, parse_beta
from specnmf.methods.layers.options import LayerMethod
from specnmf.methods.score_options import Model
from specnmf.output.options import FigureFormat
from specnmf.score.options import Align, By
from specnmf.sizes import parse_size
from specnmf.tasks.decompose import Settings
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.layers import LayerSettings
from specnmf.tasks.separate import ScoreSettings

if TYPE_CHECKING:
    from specnmf.score.grouping import Groups

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", Settings, ScoreSettings, LayerSettings, LabelSettings, BatchSettings)


class Parsed(click.ParamType):  # type: ignore[type-arg]  # generic from 8.2 on
    """What a function makes of a value; its ParameterError is a wrong usage.

    Parameters
    ----------
    name : str
        What the value is called.
    parse : callable
        Takes text, or a value from a configuration file.
    metavar : str
        What the help shows.
    """

    def __init__(self, name: str, parse: Callable[[Any], Any], *, metavar: str) -> None:
        self.name, self.parse, self.metavar = name, parse, metavar

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """What the function makes of it."""
        try:
            return self.parse(value)
        except ParameterError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What the help shows."""
        return self.metavar


def _whole_or_auto(expected: str) -> Callable[[Any], int | str]:
    """A parser of ``auto`` and whole numbers; ``expected`` is how it calls them."""

    def parse(value: Any) -> int | str:
        if value == "auto":
            return "auto"
        try:
            return int(str(value))  # a fraction is not cut
        except ValueError as error:
            raise ParameterError(f"expected {expected}, got {value!r}") from error

    return parse


def _whole_numbers(value: Any) -> tuple[int, ...]:
    """The numbers of ``32,8,3``."""
    try:
        return tuple(int(part) for part in str(value).split(","))
    except ValueError as error:
        raise ParameterError(
            f"expected whole numbers with commas between, such as 32,8,3, got {value!r}"
        ) from error


COMPONENTS = Parsed(
    "components", _whole_or_auto("a whole number or auto"), metavar="[NUMBER|auto]"
)
TRANSPOSITION = Parsed(
    "transposition",
    _whole_or_auto("auto or a whole number"),
    metavar="[auto|SEMITONES]",
)
BETA = Parsed("beta", parse_beta, metavar="[euclidean|kl|is|NUMBER]")
SIZE = Parsed("size", parse_size, metavar="SIZE")
WHOLE_NUMBERS = Parsed("numbers", _whole_numbers, metavar="N,N,...")


def factorisation_options(command: F) -> F:
    """Add the options of the factorisation."""
    return _apply(
        command,
        click.option(
            "-k",
            "--components",
            "n_components",
            type=COMPONENTS,
            default=Settings.n_components,
            show_default=True,
            help="How many components to look for; auto: found in a second.",
        ),
        click.option(
            "--beta",
            type=BETA,
            default="kl",
            show_default=True,
            help="The divergence: euclidean (2), kl (1), is (0) or any number.",
        ),
        _choice(
            "--solver",
            Solver,
            "auto: hals for euclidean, joint for kl and is, else mu.",
        ),
        _choice("--init", Init, "The start; nndsvda fills nndsvd's zeros."),
        _number("--max-iter", int, "The most iterations."),
        _number("--tol", float, "Stop below this relative decrease of the cost."),
        _choice("--stop", Stop, "What --tol is about: the cost, or FMP's factors."),
        _number("--seed", int, "Seed of the random start."),
        _number("--mask-power", float, "1: ratio of magnitudes; 2: Wiener's powers."),
        click.option(
            "--memory",
            type=SIZE,
            default="2G",
            show_default=True,
            help="What a run may take; longer songs are left on disk.",
        ),
        _threads(),
    )


def score_options(command: F) -> F:
    """Add the options of separation by a score."""
    return _apply(
        command,
        _choice("--by", By, "What makes a stem.", ScoreSettings),
        click.option(
            "--group",
            "groups",
            multiple=True,
            metavar="NAME=STEM,...",
            callback=_groups,
            help="Stems to put together, such as strings=violin*,viola; repeatable.",
        ),
        _number("--split", int, "The right hand's lowest MIDI pitch.", ScoreSettings),
        click.option(
            "--residual/--no-residual",
            default=ScoreSettings.residual,
            help="Keep what the score does not explain as a stem, or share it.",
        ),
        _choice(
            "--align",
            Align,
            "Warp the score to the recording: if they disagree, always or never.",
            ScoreSettings,
        ),
        click.option(
            "--transpose",
            type=TRANSPOSITION,
            default=ScoreSettings.transpose,
            show_default=True,
            help="Semitones that the recording sounds above the score, or auto.",
        ),
        _choice(
            "--model",
            Model,
            "Partials of notes; or the FMP book's, plain or with attacks.",
            ScoreSettings,
        ),
        _number("--max-iter", int, "The most iterations.", ScoreSettings),
        _number(
            "--tol",
            float,
            "Stop below this relative decrease of the cost; 0: never.",
            ScoreSettings,
        ),
        _number("--seed", int, "Kept with the run; nothing is random.", ScoreSettings),
        click.option(
            "--mask-power",
            type=float,
            help="Of the masks; by default 2, and 1 for the book's models.",
        ),
        _threads(),
    )


def layer_options(command: F) -> F:
    """Add the options of a factorisation in layers."""
    return _apply(
        command,
        click.option(
            "--ranks",
            type=WHOLE_NUMBERS,
            default=",".join(map(str, LayerSettings.ranks)),
            show_default=True,
            help="Components of each layer, from the sound up; each fewer.",
        ),
        _choice(
            "--method",
            LayerMethod,
            "One layer after another, or all together.",
            LayerSettings,
        ),
        click.option(
            "--beta",
            type=BETA,
            default="euclidean",
            show_default=True,
            help="The divergence, of one layer after another.",
        ),
        _choice("--solver", Solver, "Of one layer after another.", LayerSettings),
        click.option(
            "--labels",
            type=click.Path(path_type=Path),
            help="Regions with names that the last layer is to follow: Audacity's "
            "label track, or CSV of start,end,name.",
        ),
        _number(
            "--label-weight",
            float,
            "How much labels count beside the sound; 1: as much.",
            LayerSettings,
        ),
        click.option(
            "--stems",
            type=WHOLE_NUMBERS,
            help="Layers to write as sound, 1 the finest; by default all.",
        ),
        *_fit_options(LayerSettings, "The most iterations of a layer."),
    )


def label_options(command: F) -> F:
    """Add the options of separation by labels."""
    return _apply(
        command,
        click.option(
            "-k",
            "--components",
            "n_components",
            type=int,
            default=LabelSettings.n_components,
            show_default=True,
            help="Templates for each label.",
        ),
        click.option(
            "--rest",
            "n_rest",
            type=int,
            default=LabelSettings.n_rest,
            show_default=True,
            help="Templates for what no label names; 0: leave no rest.",
        ),
        click.option(
            "--transpose",
            type=int,
            default=LabelSettings.transpose,
            show_default=True,
            help="Semitones up and down by which templates are borrowed for notes that "
            "were not marked; 0: none.",
        ),
        *_fit_options(LabelSettings, "The most iterations."),
    )


def recipe_options(command: F) -> F:
    """Add the options of the factorisation, and those of separation by a score.

    One that both have is added once; if its defaults differ it has none, so that what
    is not given stays each one's own.
    """
    ours, theirs = _options_of(factorisation_options), _options_of(score_options)
    for name in ours.keys() & theirs.keys():
        if ours[name].default != theirs[name].default:
            ours[name].default, ours[name].show_default = None, False
            ours[name].help = f"{ours[name].help} By default each command's own."
    both = {**ours, **theirs, **ours}
    return _apply(command, *map(_adding, both.values()))


def audio_options(window: str) -> Callable[[F], F]:
    """Add the options of the excerpt and its transform.

    Parameters
    ----------
    window : str
        What the window is by default.
    """
    return lambda command: _apply(
        command,
        click.option(
            "--n-fft", type=int, help=f"Window in samples; by default {window}."
        ),
        click.option(
            "--hop-length",
            type=int,
            help="Step in samples; by default a quarter of the window.",
        ),
        _number("--start", float, "Where the excerpt begins, in seconds."),
        click.option(
            "--duration",
            type=float,
            help="Length of the excerpt in seconds; by default to the end.",
        ),
    )


def output_options(command: F) -> F:
    """Add the options of what is written and where."""
    return _apply(
        command,
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            default="specnmf_out",
            show_default=True,
            help="The folder for runs.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace finished runs."),
        content_options,
    )


def content_options(command: F) -> F:
    """Add the options of what is written."""
    return _apply(
        command,
        _choice("--mask", Mask, "Share each point between the sources, or give it."),
        _choice("--format", AudioFormat, "Of the sources."),
        click.option(
            "--subtype",
            help="Of the sources, such as pcm_16 or float; by default the input's own.",
        ),
        click.option(
            "--sources/--no-sources",
            default=Settings.sources,
            help="Write the sources or not.",
        ),
        click.option(
            "--figures/--no-figures",
            default=Settings.figures,
            help="Draw the figures or not.",
        ),
        _choice("--figure-format", FigureFormat, "Of the figures."),
    )


def common_options(command: F) -> F:
    """Add the options of every command: configuration and talk."""
    return _apply(
        command,
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            is_eager=True,
            expose_value=False,
            callback=read_config,
            help="A TOML file whose keys are the names of options.",
        ),
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            help="Print one JSON object on stdout, and nothing else there.",
        ),
        click.option("--progress/--no-progress", default=True, help="Bars or none."),
        click.option("-v", "--verbose", is_flag=True, help="Say how long stages took."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    )


def make_settings(options: Mapping[str, Any], kind: type[S]) -> S:
    """The settings among a command's options; what is not given has its default.

    Raises
    ------
    click.UsageError
        If a value is out of its range.
    """
    names = {field.name for field in fields(kind)}
    given = {
        name: value
        for name, value in options.items()
        if name in names and value is not None
    }
    try:
        return kind(**given)
    except ParameterError as error:
        raise click.UsageError(str(error)) from error


def _fit_options(settings: type, iterations: str) -> list[Callable[[F], F]]:
    """How long to fit, from where, and how its masks share the sound."""
    tolerance = "Stop below this relative decrease of the cost."
    power = "1: ratio of magnitudes; 2: Wiener's powers."
    return [
        _number("--max-iter", int, iterations, settings),
        _number("--tol", float, tolerance, settings),
        _number("--seed", int, "Seed of the random start.", settings),
        _number("--mask-power", float, power, settings),
        _threads(),
    ]


def _apply(command: F, *decorators: Callable[[F], F]) -> F:
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def _options_of(decorate: Callable[[Any], Any]) -> dict[str, click.Option]:
    """The options that a decorator adds, by the names of their parameters."""

    def bare() -> None:
        """Take the options."""

    added = getattr(decorate(bare), "__click_params__", [])
    return {option.name: option for option in reversed(added)}


def _adding(option: click.Option) -> Callable[[F], F]:
    """A decorator that adds an option."""

    def add(command: F) -> F:
        # As click's own decorators do: the last comes first.
        vars(command).setdefault("__click_params__", []).append(option)
        return command

    return add


def _groups(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> Groups:
    from specnmf.score.grouping import parse_groups

    try:
        return parse_groups(value)
    except ParameterError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def _threads() -> Callable[[F], F]:
    return click.option("--threads", type=int, help="Threads; by default one a core.")


def _choice(
    flag: str, kind: Any, text: str, settings: type = Settings
) -> Callable[[F], F]:
    return click.option(
        flag,
        type=click.Choice(get_args(kind)),
        default=_default(flag, settings),
        show_default=True,
        help=text,
    )


def _number(
    flag: str, kind: type, text: str, settings: type = Settings
) -> Callable[[F], F]:
    return click.option(
        flag, type=kind, default=_default(flag, settings), show_default=True, help=text
    )


def _default(flag: str, settings: type) -> Any:
    return getattr(settings, flag.removeprefix("--").replace("-", "_"))
