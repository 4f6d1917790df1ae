"""nmfd: convolutive NMF, the public function."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from specnmf.arrays import numbers
from specnmf.checks import check_at_least, check_choice
from specnmf.errors import ParameterError
from specnmf.factor.convolutive.joint import JointUpdates
from specnmf.factor.convolutive.model import (
    ConvolutiveFactorization,
    random_start,
    stacked_templates,
    unstacked_templates,
)
from specnmf.factor.convolutive.updates import (
    AlternatingUpdates,
    AveragingUpdates,
    Convolution,
    Freedom,
)
from specnmf.factor.divergence import check_powers
from specnmf.factor.iterate import Callback, iterate, repeat
from specnmf.factor.matrices import (
    Array,
    Booleans,
    Support,
    mask,
    non_negative,
    supports,
)
from specnmf.factor.options import NmfOptions, parse_beta
from specnmf.parallel import workers
from specnmf.subnormals import flush_to_zero

#: How the factors may be updated; ``auto`` is ``joint`` for beta 1, else ``alternate``.
UPDATES = "auto", "joint", "alternate", "average"


def nmfd(
    V: ArrayLike,
    start: ConvolutiveFactorization | int,
    *,
    n_template_frames: int = 8,
    beta: float | str = NmfOptions.beta,
    updates: str = "auto",
    max_iter: int = NmfOptions.max_iter,
    tol: float = NmfOptions.tol,
    adapt: float | ArrayLike = 1.0,
    known: ArrayLike | None = None,
    support: Support = (None, None),
    normalize: bool = True,
    rng: int | np.random.Generator = NmfOptions.seed,
    threads: int | None = NmfOptions.threads,
    callback: Callback | None = None,
) -> ConvolutiveFactorization:
    """Templates of several frames and their activations: convolutive NMF.

    Drums, steps and calls change while they sound. A template of some frames holds the
    whole sound, and its activation is a peak at each onset.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        The data, non-negative and finite. float32 is computed in float32, everything
        else in float64.
    start : ConvolutiveFactorization or int
        The initial templates and activations; an int means a random start with that
        many components.
    n_template_frames : int
        The length of the templates of a random start, in frames.
    beta : float or str
        The divergence: ``"euclidean"`` (2), ``"kl"`` (1), ``"is"`` (0) or any number.
    updates : {"auto", "joint", "alternate", "average"}
        ``"alternate"``: multiplicative updates of the activations, then of the
        templates, for any beta. ``"joint"``: of both from one model, with momentum, for
        KL only, in a fraction of the time. With both the cost never rises; ``"auto"``
        takes joint for KL, else alternate. ``"average"``: the steps of Smaragdis 2004
        as libnmfd has them, for KL only; the cost may rise, so all ``max_iter``
        iterations are run.
    max_iter : int
        Maximum number of iterations.
    tol : float
        Stop when an iteration lowers the cost by no more than this fraction; 0 runs all
        ``max_iter`` iterations.
    adapt : float or array, shape (n_components,)
        How far the templates may leave those of the start: 0 fixes them, 1 frees them.
        Between these, the cost of component k includes the divergence of its template
        from that of the start. At 0.5 the start weighs about as much as the recording.
    known : array of bool, shape (n_components,), optional
        Components whose activations do not change.
    support : pair of bool arrays or None, shapes of W and H
        The entries that may be nonzero; all others are zero from the start.
    normalize : bool
        At the end, scale each free template to a maximum of 1, and its row of H by the
        inverse, unless that is known.
    rng : int or numpy.random.Generator
        Seed or generator of the random start.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(iteration, loss)``; iterations count from 1.

    Returns
    -------
    ConvolutiveFactorization
        The components are in the order of the start and keep its labels. ``losses[i]``
        is the cost after iteration i (``"average"``: before it).

    Raises
    ------
    ParameterError
        If V, the start, a mask or an option is out of range.

    References
    ----------
    Smaragdis, "Non-negative matrix factor deconvolution", ICA 2004; Févotte and Idier
    2011 (majorisation); Dittmar and Gärtner, "Real-time transcription and separation of
    drum recordings based on NMF decomposition", DAFx 2014 (adaptation by degrees).

    Examples
    --------
    A sound of two frames, played three times:

    >>> import numpy as np
    >>> import specnmf
    >>> W = np.array([[[1.0, 0.2]], [[0.0, 0.5]]])  # (bins, components, frames)
    >>> H = np.array([[1.0, 0, 0, 2, 0, 1, 0, 0]])
    >>> V = specnmf.ConvolutiveFactorization(W, H).model()
    >>> start = specnmf.ConvolutiveFactorization(W, np.ones_like(H))
    >>> specnmf.nmfd(V, start, adapt=0, tol=0).H.round(3)
    array([[1., 0., 0., 2., 0., 1., 0., 0.]])
    """
    V = non_negative("V", V, form="(n_bins, n_frames)")
    beta = parse_beta(beta)
    check_powers("V", V, beta)
    check_choice("updates", updates, UPDATES)
    check_at_least("max_iter", max_iter, 1)
    check_at_least("tol", tol, 0)
    if not isinstance(start, ConvolutiveFactorization):
        rng = np.random.default_rng(rng)
        start = random_start(V, start, n_template_frames, rng)
    _check_start(V, start)
    freedom = _freedom(start.n_components, adapt, known)
    if updates == "auto":
        updates = "joint" if beta == 1 else "alternate"
    _check_updates(updates, beta, freedom)
    free_W, free_H = supports(start.W.shape, start.H.shape, support)
    WT = stacked_templates(np.where(free_W, start.W, 0).astype(V.dtype))
    HT = np.ascontiguousarray(np.where(free_H, start.H, 0).astype(V.dtype).T)
    with workers(threads) as mapper, flush_to_zero():
        VT, n_lags = np.ascontiguousarray(V.T), start.n_template_frames
        passes = Convolution(VT, n_lags, beta=beta, mapper=mapper)
        solver: JointUpdates | AlternatingUpdates | AveragingUpdates
        if updates == "average":
            solver = AveragingUpdates(passes, WT, HT)
            losses = repeat(solver, max_iter=max_iter, callback=callback)
        else:
            steps = JointUpdates if updates == "joint" else AlternatingUpdates
            solver = steps(passes, WT, HT, freedom)
            losses = iterate(solver, max_iter=max_iter, tol=tol, callback=callback)
    W = unstacked_templates(solver.WT, start.n_components)
    W[:, freedom.adapt == 0] = start.W[:, freedom.adapt == 0]
    H = np.ascontiguousarray(solver.HT.T)
    if normalize:
        _max_normalize(W, H, (freedom.adapt == 1) & ~freedom.known)
    return replace(start, W=W, H=H, losses=np.array(losses))


def _check_start(V: Array, start: ConvolutiveFactorization) -> None:
    if (len(start.W), start.H.shape[1]) != V.shape:
        raise ParameterError(
            f"for V of shape {V.shape}, the start must have {V.shape[0]} bins and "
            f"{V.shape[1]} frames, got {len(start.W)} and {start.H.shape[1]}"
        )


def _check_updates(updates: str, beta: float, freedom: Freedom) -> None:
    if updates == "joint" and beta != 1:
        raise ParameterError(
            f"updates joint need beta 1 (kl), got {beta:g}; use updates alternate"
        )
    if updates == "average" and (beta != 1 or not freedom.whole):
        raise ParameterError(
            "updates average need beta 1 (kl), adapt 1 and no known activations; "
            "use updates alternate"
        )


def _freedom(
    n_components: int, adapt: float | ArrayLike, known: ArrayLike | None
) -> Freedom:
    shape = (n_components,)
    degrees = numbers("adapt", adapt).astype(np.float64)
    if degrees.shape not in ((), shape):
        raise ParameterError(
            f"adapt must be a number or {n_components} numbers, got shape "
            f"{degrees.shape}"
        )
    if not np.all((degrees >= 0) & (degrees <= 1)):
        raise ParameterError(f"adapt must lie between 0 and 1, got {degrees}")
    held = mask("known", known, shape, default=False)
    return Freedom(np.broadcast_to(degrees, shape), held)


def _max_normalize(W: Array, H: Array, scaled: Booleans) -> None:
    """Scale templates to a maximum of 1, and their rows of H back."""
    peaks = W.max(axis=(0, 2))
    scaled = scaled & (peaks > 0)
    W[:, scaled] /= peaks[scaled][:, np.newaxis]
    H[scaled] *= peaks[scaled, np.newaxis]
