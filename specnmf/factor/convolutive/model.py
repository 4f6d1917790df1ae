"""ConvolutiveFactorization: templates of several frames, and their activations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.checks import check_at_least
from specnmf.errors import ParameterError
from specnmf.factor.factorization import labels_of
from specnmf.factor.matrices import Array, non_negative
from specnmf.notation import counted


@dataclass(frozen=True, eq=False)
class ConvolutiveFactorization:
    """Templates W of several frames and activations H: start and result of `nmfd`.

    V[:, t] ≈ the sum over lags of W[:, :, lag] H[:, t - lag]: each template is a short
    spectrogram, and an activation tells when and how loudly it starts.

    Parameters
    ----------
    W : array, shape (n_bins, n_components, n_template_frames)
        Non-negative templates.
    H : array, shape (n_components, n_frames)
        Non-negative activations.
    labels : sequence of str, optional
        A name for each component; by default ``component_01``, ``component_02``, ...
    losses : array, shape (n_iterations,), optional
        The cost after each iteration; empty for a start.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an entry is negative or not finite.

    References
    ----------
    Smaragdis, "Non-negative matrix factor deconvolution", ICA 2004.

    Examples
    --------
    >>> import specnmf
    >>> W = [[[1.0, 0.5]], [[0.0, 2.0]]]  # two bins, one component, two frames
    >>> H = [[1.0, 0.0, 0.0, 2.0]]
    >>> pattern = specnmf.ConvolutiveFactorization(W, H)
    >>> pattern
    ConvolutiveFactorization(1 component of 2 frames, 2 bins, 4 frames)
    >>> pattern.model()  # the second start is cut off by the end
    array([[1. , 0.5, 0. , 2. ],
           [0. , 2. , 0. , 0. ]])
    """

    W: NDArray[np.floating]
    H: NDArray[np.floating]
    labels: tuple[str, ...] = ()
    losses: NDArray[np.float64] = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        W, H = templates("W", self.W), non_negative("H", self.H)
        if W.shape[1] != H.shape[0]:
            raise ParameterError(
                f"W has {W.shape[1]} components, so H must have as many rows, "
                f"got {H.shape[0]}"
            )
        losses = () if self.losses is None else self.losses
        object.__setattr__(self, "W", W)
        object.__setattr__(self, "H", H)
        object.__setattr__(self, "labels", labels_of(self.labels, W.shape[1]))
        object.__setattr__(self, "losses", np.asarray(losses, np.float64))

    def __repr__(self) -> str:
        """One line without the numbers."""
        size = counted(self.n_template_frames, "frame")
        parts = [
            f"{counted(self.n_components, 'component')} of {size}",
            f"{len(self.W)} bins, {self.H.shape[1]} frames",
            counted(len(self.losses), "iteration"),
        ]
        shown = ", ".join(parts if len(self.losses) else parts[:2])
        return f"ConvolutiveFactorization({shown})"

    @property
    def n_components(self) -> int:
        """The number of components."""
        return int(self.W.shape[1])

    @property
    def n_template_frames(self) -> int:
        """The length of the templates in frames."""
        return int(self.W.shape[2])

    def model(self, components: ArrayLike | None = None) -> Array:
        """The model of V, or the part of it that some components make.

        Parameters
        ----------
        components : sequence of int, optional
            Numbers of components; by default all.

        Returns
        -------
        array, shape (n_bins, n_frames)
        """
        chosen = slice(None) if components is None else np.asarray(components, np.intp)
        W, H = self.W[:, chosen], self.H[chosen]
        return stacked_templates(W).T @ stacked(H.T, self.n_template_frames).T


def templates(name: str, values: ArrayLike) -> Array:
    """Values as templates, (n_bins, n_components, n_template_frames)."""
    array = np.asarray(values)
    if array.ndim != 3 or 0 in array.shape:
        raise ParameterError(
            f"{name} must be (n_bins, n_components, n_template_frames), "
            f"got shape {array.shape}"
        )
    flat = non_negative(name, array.reshape(len(array), -1))
    return flat.reshape(array.shape)


def random_start(
    V: Array, n_components: int, n_template_frames: int, rng: np.random.Generator
) -> ConvolutiveFactorization:
    """Random templates that fade, and activations that make the model's mean that of V.

    Without the fading any shift of a template against its activations would be as good
    a start as another, and onsets would be found too early.
    """
    check_at_least("n_components", n_components, 1)
    check_at_least("n_template_frames", n_template_frames, 1)
    n_bins, n_frames = V.shape
    fading = 1 - np.arange(n_template_frames) / n_template_frames
    W = fading * (1 - rng.random((n_bins, n_components, n_template_frames)))
    scale = 4 * V.mean(dtype=np.float64) / (n_components * fading.sum())
    H = scale * (1 - rng.random((n_components, n_frames)))
    return ConvolutiveFactorization(W.astype(V.dtype), H.astype(V.dtype))


def stacked_templates(W: Array) -> Array:
    """The templates lag by lag, (n_template_frames * n_components, n_bins)."""
    return np.ascontiguousarray(W.transpose(2, 1, 0)).reshape(-1, len(W))


def unstacked_templates(WT: Array, n_components: int) -> Array:
    """The inverse of `stacked_templates`."""
    return np.ascontiguousarray(
        WT.reshape(-1, n_components, WT.shape[1]).transpose(2, 1, 0)
    )


def stacked(HT: Array, n_lags: int) -> Array:
    """For each frame the activations of it and of those before it.

    HT is (n_frames, n_components); the result, (n_frames, n_lags * n_components), has
    zeros before the first frame.
    """
    n_frames, n_components = HT.shape
    padded = np.concatenate([np.zeros((n_lags - 1, n_components), HT.dtype), HT])
    windows = np.lib.stride_tricks.sliding_window_view(padded, n_lags, axis=0)
    lagged = windows[:, :, ::-1].transpose(0, 2, 1)
    return np.ascontiguousarray(lagged).reshape(n_frames, -1)
