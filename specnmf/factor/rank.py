"""The number of components: beyond it, held-out entries gain little more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.checks import check_at_least
from specnmf.factor.kernels.divergences import LEAST
from specnmf.factor.masked import Part, WeightedUpdates, weighted_divergence
from specnmf.factor.matrices import non_negative
from specnmf.factor.options import MOST_AUTO, NmfOptions, parse_beta
from specnmf.parallel import workers
from specnmf.subnormals import flush_to_zero

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

#: The numbers tried first; then some between the choice and the one below.
CANDIDATES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, MOST_AUTO)
REFINEMENTS = 3

#: The choice is the smallest number that has this share of the best one's fall in dB.
SHARE = 0.7

#: A smaller fall than this, in dB, does not count.
NOTHING = 0.1

#: Frames to learn from, in runs of neighbours.
FRAMES, RUN = 1024, 32

#: Rows are added up so that none is narrower than this share of its place: in a
#: spectrogram, half a semitone.
WIDTH = 1 / 34

#: Blocks of entries are held out together, since a window smears each point over about
#: four bins and four frames.
BLOCK_ROWS, BLOCK_FRAMES = 4, 8

#: Each block is held out once, with every fifth other.
FOLDS = 5

ITERATIONS = 15


@dataclass(frozen=True, eq=False)
class RankChoice:
    """How well each number of components explains entries that were held out.

    Attributes
    ----------
    ranks : array of int, shape (n_ranks,)
        The numbers tried, rising from 1.
    means : array, shape (n_ranks,)
        The held-out divergence in dB relative to one component, mean over the folds.
    errors : array, shape (n_ranks,)
        The standard errors of the means.
    chosen : int
        The smallest number that reaches 70% of the largest decrease in dB.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((40, 3)) @ rng.random((3, 100))  # three components
    >>> choice = specnmf.choose_rank(V, candidates=[2, 3, 4], rng=0)
    >>> choice
    RankChoice(3 of [1, 2, 3, 4])
    >>> choice.chosen
    3
    """

    ranks: NDArray[np.int64]
    means: NDArray[np.float64]
    errors: NDArray[np.float64]
    chosen: int

    def __repr__(self) -> str:
        """One line: the choice, and of how many."""
        return f"RankChoice({self.chosen} of {self.ranks.tolist()})"


class _Fold(NamedTuple):
    """Which entries are held out, and what the others taught."""

    held: Bool
    W: Float32  # templates, of which a start of k components takes the first k


def choose_rank(
    V: ArrayLike,
    *,
    beta: float | str = NmfOptions.beta,
    candidates: Sequence[int] | None = None,
    rng: int | np.random.Generator = NmfOptions.seed,
    threads: int | None = NmfOptions.threads,
) -> RankChoice:
    """The number of components of V, by cross-validation on blocks of held-out entries.

    A long V is reduced to runs of frames spread over it, and its upper rows are added
    up, so the time hardly depends on the size of V: about a second on one thread for
    1025 bins.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        A magnitude spectrogram or some of its frames, non-negative and finite.
    beta : float or str
        The divergence, as in `specnmf.nmf`.
    candidates : sequence of int, optional
        The numbers to try; 1 is always tried. By default numbers up to 64, closer
        together around the choice.
    rng : int or numpy.random.Generator
        Seed or generator that selects the frames and the held-out entries.
    threads : int, optional
        Number of threads; by default one per core. The result does not depend on it.

    Returns
    -------
    RankChoice
        Its ``chosen`` is at most the number of bins or frames of V.

    Raises
    ------
    ParameterError
        If V, a candidate or an option is out of range.

    References
    ----------
    Wold, "Cross-validatory estimation of the number of components in factor and
    principal components models", Technometrics 1978; Owen and Perry,
    "Bi-cross-validation of the SVD and the nonnegative matrix factorization",
    Annals of Applied Statistics 2009.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((40, 3)) @ rng.random((3, 100))  # three components
    >>> specnmf.choose_rank(V, candidates=[2, 3, 4], rng=0).chosen
    3
    """
    beta, rng = parse_beta(beta), np.random.default_rng(rng)
    V = non_negative("V", V, form="(n_bins, n_frames)")
    sample = _sample(V, rng)
    held = _held_out(sample.shape, rng)
    ranks = _ranks(candidates, min(sample.shape))
    with workers(threads) as mapper, flush_to_zero():
        folds = mapper(lambda mask: _fold(sample, mask, min(sample.shape)), held)

        def costs(ranks: Sequence[int]) -> dict[int, NDArray[np.float64]]:
            """The held-out divergence of each fold, for each number."""
            work = [(fold, rank) for rank in ranks for fold in folds]
            found = mapper(lambda item: _held_out_cost(sample, *item, beta), work)
            rows = np.reshape(found, (len(ranks), len(folds)))
            return dict(zip(ranks, rows, strict=True))

        found = costs(ranks)
        if candidates is None:
            found |= costs(_between(ranks, _choice(found).chosen))
    return _choice(found)


def _ranks(candidates: Sequence[int] | None, most: int) -> list[int]:
    """The numbers to try, rising; those that do not fit are left out."""
    for rank in candidates or ():
        check_at_least("candidates", rank, 1)
    wanted = CANDIDATES if candidates is None else candidates
    return sorted({1, *(int(rank) for rank in wanted if rank <= most)})


def _between(ranks: Sequence[int], chosen: int) -> list[int]:
    """Some numbers between the choice and the one tried below it."""
    below = max((rank for rank in ranks if rank < chosen), default=chosen)
    inner = np.linspace(below, chosen, REFINEMENTS + 2).round().astype(int)
    return sorted({int(rank) for rank in inner} - {below, chosen})


def _sample(V: NDArray[np.floating], rng: np.random.Generator) -> Float32:
    """Runs of frames from all over V, in bands of rows, scaled to a mean of 1."""
    frames = _runs(V.shape[1], rng)
    sample = np.add.reduceat(V[:, frames], _bands(len(V)), axis=0, dtype=np.float64)
    return (sample / (sample.mean() or 1.0)).astype(np.float32)


def _runs(n_frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """All frames, or a run at random out of each of equally long stretches."""
    if n_frames <= FRAMES:
        return np.arange(n_frames)
    n_runs = FRAMES // RUN
    edges = np.arange(n_runs + 1) * n_frames // n_runs
    firsts = rng.integers(edges[:-1], edges[1:] - RUN, endpoint=True)
    return (firsts[:, np.newaxis] + np.arange(RUN)).ravel()


def _bands(n_rows: int) -> list[int]:
    """The first row of each band."""
    firsts = [0]
    while (following := firsts[-1] + max(1, round(firsts[-1] * WIDTH))) < n_rows:
        firsts.append(following)
    return firsts


def _held_out(shape: tuple[int, int], rng: np.random.Generator) -> list[Bool]:
    """For each fold, the entries that are held out: some blocks of each frame."""
    n_rows, n_frames = shape
    rows = np.arange(n_rows) // max(1, min(BLOCK_ROWS, n_rows // FOLDS))
    columns = np.arange(n_frames) // max(1, min(BLOCK_FRAMES, n_frames // FOLDS))
    n_folds = min(FOLDS, int(rows[-1]) + 1)
    turns = np.arange(rows[-1] + 1) % n_folds
    order = rng.permuted(np.tile(turns, (columns[-1] + 1, 1)), axis=1)
    fold_of = order[columns][:, rows].T
    return [fold_of == fold for fold in range(n_folds)]


def _fold(sample: Float32, held: Bool, n_templates: int) -> _Fold:
    known = np.where(held, 0, sample)
    shown = np.where(held, _rank_one(known, ~held), sample)
    chosen = _unlike_frames(shown, min(n_templates, MOST_AUTO))
    W = shown[:, chosen]
    W = W / np.maximum(W.sum(axis=0), np.finfo(np.float32).tiny)
    # A zero would stay one.
    return _Fold(held, (W + 1e-3 / len(W)).astype(np.float32))


def _rank_one(known: Float32, weights: Bool) -> Float32:
    """The mean spectrum at each frame's loudness, as far as those are known."""
    spectrum = known.sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    expected = np.maximum(spectrum @ weights, np.finfo(np.float32).tiny)
    return np.outer(spectrum, known.sum(axis=0) / expected)


def _unlike_frames(V: Float32, count: int) -> list[int]:
    """Frames that are least like those before them, the loudest first.

    Successive projections (Gillis and Vavasis 2014) of the square roots, in which
    soft frames count for more.
    """
    rest = np.sqrt(V)
    chosen = []
    for _ in range(count):
        lengths = np.einsum("fn,fn->n", rest, rest)
        frame = int(lengths.argmax())
        chosen.append(frame)
        direction = rest[:, frame] / np.sqrt(max(lengths[frame], LEAST))
        rest = rest - np.outer(direction, direction @ rest)
    return chosen


def _held_out_cost(sample: Float32, fold: _Fold, rank: int, beta: float) -> float:
    """The divergence of a held-out entry, on average."""
    W = fold.W[:, :rank]
    H = np.full((rank, sample.shape[1]), sample.mean() / W.sum(axis=1).mean())
    held = fold.held.astype(np.float32)
    part = Part(sample, 1 - held, W, beta=beta)
    updates = WeightedUpdates([part], H)
    for _ in range(ITERATIONS):
        updates.update()
    costs = weighted_divergence(part.V, part.P, held, beta)
    return costs / float(held.sum())


def _choice(costs: dict[int, NDArray[np.float64]]) -> RankChoice:
    """The smallest number that has SHARE of the best one's fall."""
    ranks = np.array(sorted(costs))
    decibels = 10 * np.log10([np.maximum(costs[rank], LEAST) for rank in ranks])
    levels = decibels - decibels[0]
    means, n_folds = levels.mean(axis=1), levels.shape[1]
    errors = levels.std(axis=1, ddof=min(1, n_folds - 1)) / np.sqrt(n_folds)
    enough = means <= max(SHARE * means.min(), means.min() + NOTHING)
    return RankChoice(ranks, means, errors, int(ranks[enough.argmax()]))
