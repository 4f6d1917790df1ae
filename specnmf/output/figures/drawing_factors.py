"""Figures of factorisations on any axes; see `specnmf.output.figures.drawing`."""

from __future__ import annotations

from functools import partial

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from specnmf.factor.factorization import Factorization
from specnmf.factor.layers.model import Layers
from specnmf.factor.rank import RankChoice
from specnmf.output.figures import (
    components,
    factorization,
    objects,
    runs,
)
from specnmf.output.figures import layers as layered
from specnmf.output.figures import rank as ranked
from specnmf.output.figures.objects import Seen
from specnmf.output.figures.placing import drawn, factor_data
from specnmf.output.figures.runs import FinishedRun


def spectrogram(
    V: Seen | FinishedRun,
    *,
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A spectrogram over time and logarithmic frequency, in dB below its maximum.

    Parameters
    ----------
    V : Spectrogram, Audio, Run or array, shape (n_bins, n_frames)
        The recording.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If an array has no rate.
    """
    if isinstance(V, FinishedRun):
        title = title or runs.title(V)
        V = runs.recording(V)
    seen = objects.magnitude(V, sr, hop_length)
    data = objects.spectrogram_data(seen, title=title)
    return drawn(partial(factorization.spectrogram_figure, data), ax)


def templates(
    result: Factorization | FinishedRun,
    V: Seen | None = None,
    *,
    pitches: ArrayLike | None = None,
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """W: each component's spectrum, with its pitch and share of the energy.

    Parameters
    ----------
    result : Factorization or Run
        W and H.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording; only its scales count.
    pitches : array, shape (n_components,), optional
        MIDI numbers, NaN without one; estimated by default.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an array has no rate.
    """
    data = factor_data(
        result, V, sr, hop_length, pitches=pitches, title=title, whole=False
    )
    return drawn(partial(components.templates_figure, data), ax)


def activations(
    result: Factorization | FinishedRun,
    V: Seen | None = None,
    *,
    pitches: ArrayLike | None = None,
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """H as a piano roll, and a lane for each component without a pitch.

    Parameters
    ----------
    result : Factorization or Run
        W and H.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording; only its scales count.
    pitches : array, shape (n_components,), optional
        MIDI numbers, NaN without one; estimated by default.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an array has no rate.
    """
    data = factor_data(
        result, V, sr, hop_length, pitches=pitches, title=title, whole=False
    )
    return drawn(partial(components.activations_figure, data), ax)


def reconstruction(
    result: Factorization | FinishedRun,
    V: Seen | None = None,
    *,
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """V, W H and what is left, one above the other on one scale.

    Parameters
    ----------
    result : Factorization or Run
        W and H.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an array has no rate.
    """
    data = factor_data(result, V, sr, hop_length, title=title, whole=True)
    return drawn(partial(factorization.reconstruction_figure, data), ax)


def loss(
    result: Factorization | Layers | FinishedRun,
    *,
    beta: float = 1.0,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The cost after each iteration, and by how much it fell.

    Parameters
    ----------
    result : Factorization, Layers or Run
        What has the losses.
    beta : float
        Which cost it is, as in `specnmf.nmf`; a run knows its own.
    title, ax
        As above.
    """
    if isinstance(result, FinishedRun):
        beta, title = runs.beta(result, beta), title or runs.title(result)
        result = runs.fitted(result)
    of = "W H from V" if isinstance(result, Factorization) else "the layers"
    draw = partial(factorization.cost_figure, title, of, result.losses, beta=beta)
    return drawn(lambda new: draw(new=new), ax)


def rank(
    choice: RankChoice | FinishedRun, *, title: str = "", ax: Axes | None = None
) -> Axes:
    """The held-out cost of each number of components, and the choice.

    Parameters
    ----------
    choice : RankChoice or Run
        Of a run with ``--components auto``.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If the run's number of components was given.
    """
    if isinstance(choice, FinishedRun):
        title = title or runs.title(choice)
        choice = runs.choice(choice)
    return drawn(partial(ranked.rank_figure, choice, title), ax)


def layers(
    layers: Layers | FinishedRun,
    V: Seen | None = None,
    *,
    pitches: ArrayLike | None = None,
    sr: int | None = None,
    hop_length: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The tree of a factorisation in layers, and when each component sounds.

    Parameters
    ----------
    layers : Layers or Run
        The factors.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording; only its scales count.
    pitches : array, shape (r_0,), optional
        MIDI numbers, NaN without one; estimated by default.
    sr, hop_length : int, optional
        Of an array, in Hz and samples.
    title, ax
        As above.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an array has no rate.
    """
    if isinstance(layers, FinishedRun):
        title = title or runs.title(layers)
        data = objects.layer_data(*runs.layers(layers), title=title)
    else:
        shape = len(layers.A[0]), layers.S[0].shape[1]
        seen = objects.grid(V, shape, sr, hop_length)
        data = objects.layer_data(layers, seen, pitches, title=title)
    return drawn(partial(layered.layers_figure, data), ax)
