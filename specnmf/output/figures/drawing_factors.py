"""Figures of factorisations on any axes: see `specnmf.output.figures.drawing`."""

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
    """The spectrogram, in dB below its maximum, over time and logarithmic frequency.

    Parameters
    ----------
    V : Spectrogram, Audio, Run or array, shape (n_bins, n_frames)
        The recording.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If ``V`` is an array and ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/drums/drums.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> ax = specnmf.figures.spectrogram(spectrogram, title="drums")
    >>> ax.figure.savefig("spectrogram.png")
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
    """The templates W: the spectrum of each component, with pitch and share of energy.

    Parameters
    ----------
    result : Factorization or Run
        W and H.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording, for the axes.
    pitches : array, shape (n_components,), optional
        MIDI numbers, NaN for unpitched components; estimated by default.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/drums/drums.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> result = specnmf.nmf(spectrogram.magnitude(), 3, max_iter=10)
    >>> ax = specnmf.figures.templates(result, spectrogram)
    >>> ax.figure.savefig("templates.png")
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
    """The activations H as a piano roll, with a lane for each unpitched component.

    Parameters
    ----------
    result : Factorization or Run
        W and H.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording, for the axes.
    pitches : array, shape (n_components,), optional
        MIDI numbers, NaN for unpitched components; estimated by default.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/drums/drums.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> result = specnmf.nmf(spectrogram.magnitude(), 3, max_iter=10)
    >>> ax = specnmf.figures.activations(result, spectrogram)
    >>> ax.figure.savefig("activations.png")
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
    """The recording V, the model W H and the residual, on one scale.

    Parameters
    ----------
    result : Factorization or Run
        W and H.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/drums/drums.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> result = specnmf.nmf(spectrogram.magnitude(), 3, max_iter=10)
    >>> ax = specnmf.figures.reconstruction(result, spectrogram)
    >>> ax.figure.savefig("reconstruction.png")
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
    """The cost after each iteration, with its total change.

    Parameters
    ----------
    result : Factorization, Layers or Run
        The object with the losses.
    beta : float
        The divergence, as in `specnmf.nmf`; a run records its own.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> V = np.random.default_rng(0).random((20, 30))
    >>> result = specnmf.nmf(V, 3, beta=1.0, max_iter=10)
    >>> ax = specnmf.figures.loss(result, beta=1.0)
    >>> ax.get_xlabel()
    'iteration'
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
    """The cross-validated cost of each number of components, with the choice.

    Parameters
    ----------
    choice : RankChoice or Run
        The result of `specnmf.choose_rank`, or a run with ``--components auto``.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the number of components of the run was not chosen automatically.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/drums/drums.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> choice = specnmf.choose_rank(spectrogram.magnitude(), candidates=[1, 2, 3, 4])
    >>> ax = specnmf.figures.rank(choice)
    >>> ax.get_xlabel()
    'number of components'
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
    """The tree of a factorisation in layers, with the activations of each component.

    Parameters
    ----------
    layers : Layers or Run
        The factors.
    V : Spectrogram, Audio or array, shape (n_bins, n_frames)
        The recording, for the axes.
    pitches : array, shape (r_0,), optional
        MIDI numbers, NaN for unpitched components; estimated by default.
    sr : int, optional
        Sample rate in Hz, required if ``V`` is an array.
    hop_length : int, optional
        Hop in samples, if ``V`` is an array; by default a quarter of the window.
    title : str
        Title of a new figure, such as the name of the recording.
    ax : matplotlib.axes.Axes, optional
        Axes to draw into; by default a new figure, which pyplot shows.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or the first panel of the new figure; its ``figure`` is the figure.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or ``sr`` is missing.

    Examples
    --------
    >>> import specnmf
    >>> audio = specnmf.read("audio_examples/drums/drums.flac", duration=1.0)
    >>> spectrogram = specnmf.stft(audio)
    >>> tree = specnmf.hierarchical_nmf(spectrogram.magnitude(), [4, 2], max_iter=10)
    >>> ax = specnmf.figures.layers(tree, spectrogram)
    >>> ax.figure.savefig("layers.png")
    """
    if isinstance(layers, FinishedRun):
        title = title or runs.title(layers)
        data = objects.layer_data(*runs.layers(layers), title=title)
    else:
        shape = len(layers.A[0]), layers.S[0].shape[1]
        seen = objects.grid(V, shape, sr, hop_length)
        data = objects.layer_data(layers, seen, pitches, title=title)
    return drawn(partial(layered.layers_figure, data), ax)
