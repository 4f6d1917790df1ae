"""Scores of separated sources against the true ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, get_args

from specnmf.audio.options import check_window, window
from specnmf.audio.recording import Audio
from specnmf.checks import check_choice
from specnmf.evaluation.inputs import Progress, Recording, prepare
from specnmf.evaluation.judge import Judge
from specnmf.evaluation.matching import match_by_name, match_by_score
from specnmf.evaluation.measures import museval_metrics
from specnmf.evaluation.oracle import ideal_ratio_masks
from specnmf.evaluation.scores import Evaluation, SourceScores
from specnmf.evaluation.sums import is_same

Match = Literal["auto", "name", "best"]

JOINTLY = "SDR, SIR and SAR take the channels one after the other"


def evaluate(
    estimates: Mapping[str, Recording],
    references: Mapping[str, Recording],
    *,
    mixture: Recording | None = None,
    sr: int | None = None,
    match: Match = "auto",
    v4: bool = False,
    oracle: bool = False,
    n_fft: int | None = None,
    left_out: Collection[str] = (),
    progress: Progress | None = None,
) -> Evaluation:
    """Score separated sources against the true ones.

    SDR, SIR and SAR are those of BSS Eval v3 on the average of the channels, for
    which alone they are defined; SI-SDR and v4 count the channels jointly. Where a
    reference's channels cancel out in the average, as those of opposite phase do, v3
    takes the channels one after the other, and a warning says so.

    Parameters
    ----------
    estimates, references : dict of str to Audio or array
        By name; arrays of shape (n_channels, n_samples) or (n_samples,). Estimates
        are cut or padded with zeros to the longest reference.
    mixture : Audio or array, optional
        What was separated; by default the sum of the references.
    sr : int, optional
        The arrays' sample rate in Hz; `v4` and `oracle` need to know.
    match : {"auto", "name", "best"}
        Match estimates with references by name, or so that the sum of the SDRs is
        highest; "auto" does the latter if no names agree.
    v4 : bool
        Add the SDR of BSS Eval v4; needs museval.
    oracle : bool
        Add the scores of ideal ratio masks, an upper bound for masks of a window.
    n_fft : int, optional
        That window in samples; by default as `specnmf.stft`.
    left_out : collection of str
        Estimates that were not written: their references count as interference, and
        have no row.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.

    Returns
    -------
    Evaluation
        One row a reference. A reference without an estimate counts as separated
        to silence, -30 dB; a silent reference has no scores. A reference that is the
        sum of others, as an accompaniment is, is left out, with a warning; so are those
        others, if it alone has an estimate of its name. Without a mixture a single
        reference has no improvement.

    Raises
    ------
    ParameterError
        If sample rates differ, a recording is no audio, an option is out of range,
        or museval is wanted and missing.

    References
    ----------
    Vincent, Gribonval and Févotte, IEEE TASLP 14(4), 2006; Le Roux et al., ICASSP
    2019; Stöter, Liutkus and Ito, LVA/ICA 2018.
    """
    check_choice("match", match, get_args(Match))
    check_window(n_fft, None)
    if v4:
        museval_metrics()
    by_name = match != "best" and any(
        match_by_name(list(references), list(estimates)).values()
    )
    material = prepare(estimates, references, mixture, sr, by_name=by_name)
    if oracle:
        n_fft, _ = window(material.rate, n_fft)
    judge = Judge(material, v4=v4, progress=progress)
    matched = _matched(judge, match)
    unused = [name for name in material.estimates if name not in matched.values()]
    named = match_by_name(list(matched), list(left_out))
    rated = {r: name for r, name in matched.items() if name or not named[r]}
    rows = judge.rows(matched, material.estimates, "estimates")
    ideal = _oracle(judge, n_fft) if oracle else ()
    return Evaluation(
        sources=tuple(row for row in rows if row.reference in rated),
        oracle=tuple(row for row in ideal if row.reference in rated),
        oracle_n_fft=n_fft if oracle else None,
        unused=tuple(unused),
        warnings=(*material.warnings, *_remarks(judge, rated)),
    )


def _matched(judge: Judge, match: Match) -> dict[str, str | None]:
    """Each reference's estimate, None where there is none."""
    references = list(judge.material.references)
    estimates = list(judge.material.estimates)
    named = match_by_name(references, estimates)
    if match == "name" or (match == "auto" and any(named.values())):
        return named
    bids = judge.bids()
    if len(estimates) > len(references):
        # The mixture may lie among the estimates, and is better than a bad one.
        mixture, sounds = judge.material.mixture, judge.material.estimates.values()
        chosen = [i for i, y in enumerate(sounds) if not is_same(y, mixture)]
        estimates, bids = [estimates[i] for i in chosen], bids[:, chosen]
    return match_by_score(references, estimates, bids)


def _oracle(judge: Judge, n_fft: int | None) -> tuple[SourceScores, ...]:
    """The scores of the masks that the references themselves give."""
    material, references = judge.material, judge.material.references
    mixture = Audio(material.mixture, material.rate)
    masked = ideal_ratio_masks(mixture, list(references.values()), n_fft=n_fft)
    sounds = dict(zip(references, masked, strict=True))
    return judge.rows({name: name for name in references}, sounds, "oracle")


def _remarks(judge: Judge, matched: dict[str, str | None]) -> list[str]:
    """What a reader of the scores should know of the sources."""
    missing = [name for name, estimate in matched.items() if estimate is None]
    silent = [name for name in matched if name not in judge.sounding]
    cancelled = ", ".join(judge.cancelled)
    jointly = f"{cancelled}: the channels cancel out in their average, so {JOINTLY}"
    return [
        *([jointly] if cancelled else []),
        *(f"{name}: no estimate, counted as silence" for name in missing),
        *(f"{name}: the reference is silent, left out of the means" for name in silent),
    ]
