"""Scores of separated sources against the true ones."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Literal, get_args

from specnmf.audio.options import check_window, window
from specnmf.audio.recording import Audio
from specnmf.checks import check_choice
from specnmf.evaluation import inputs
from specnmf.evaluation.inputs import Progress, Recording, Sources, prepare
from specnmf.evaluation.judge import Judge
from specnmf.evaluation.matching import match_by_name, match_by_score
from specnmf.evaluation.measures import museval_metrics
from specnmf.evaluation.oracle import ideal_ratio_masks
from specnmf.evaluation.scores import Evaluation, SourceScores
from specnmf.evaluation.sums import is_same

Match = Literal["auto", "name", "best"]

JOINTLY = "SDR, SIR and SAR use the channels one after the other"


def evaluate(
    estimates: Sources,
    references: Sources,
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
    """The scores of separated sources against the true ones, in dB.

    SDR, SIR and SAR are those of BSS Eval v3. They are defined for one channel, so they
    use the average of the channels; SI-SDR and v4 use all channels jointly. If the
    channels of a reference cancel each other in the average, as in opposite phase, v3
    uses the channels one after the other, and a warning says so.

    Parameters
    ----------
    estimates, references : dict of str to Audio, array or path; or path
        The sources by name. Arrays have shape (n_channels, n_samples) or (n_samples,).
        A path is that of a recording, a folder of recordings or a run; among the
        references of a folder, a file named ``mix`` or ``mixture`` is the mixture.
        Estimates are cut or padded with zeros to the longest reference.
    mixture : Audio, array or path, optional
        The recording that was separated; by default the sum of the references.
    sr : int, optional
        The sample rate of arrays in Hz, required for ``v4`` and ``oracle``.
    match : {"auto", "name", "best"}
        Match estimates with references by name, or so that the sum of the SDRs is
        highest; ``"auto"`` matches by SDR if no names agree.
    v4 : bool
        Add the SDR of BSS Eval v4; needs museval.
    oracle : bool
        Add the scores of ideal ratio masks, an upper bound for masks of a window.
    n_fft : int, optional
        The window of these masks in samples; by default as in `specnmf.stft`.
    left_out : collection of str
        Estimates that were not written: their references count as interference, and
        have no row.
    progress : callable, optional
        Called as ``progress(stage, done, total, note)``.

    Returns
    -------
    Evaluation
        One row per reference. A reference without an estimate counts as silence, -30
        dB; a silent reference has no scores. A reference that is the sum of others,
        such as an accompaniment, is left out with a warning; if only the sum has an
        estimate of its name, the others are left out instead. Without a mixture, a
        single reference has no improvement.

    Raises
    ------
    AudioError
        If a file cannot be read.
    ParameterError
        If sample rates differ, an array is not audio, an option is out of range, or
        museval is needed and not installed.

    References
    ----------
    Vincent, Gribonval and Févotte, "Performance measurement in blind audio source
    separation", IEEE TASLP 14(4), 2006; Le Roux, Wisdom, Erdogan and Hershey, "SDR:
    half-baked or well done?", ICASSP 2019; Stöter, Liutkus and Ito, "The 2018 signal
    separation evaluation campaign", LVA/ICA 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> rng = np.random.default_rng(0)
    >>> bass, voice = rng.standard_normal((2, 8000))
    >>> estimates = {"bass": bass + 0.1 * voice, "voice": voice + 0.1 * bass}
    >>> scores = specnmf.evaluate(estimates, {"bass": bass, "voice": voice})
    >>> print(f"{scores.mean['si_sdr']:.1f} dB SI-SDR, {scores.mean['sdr']:.1f} dB SDR")
    20.0 dB SI-SDR, 20.3 dB SDR
    """
    check_choice("match", match, get_args(Match))
    check_window(n_fft, None)
    if v4:
        museval_metrics()
    warnings: list[str] = []
    true = inputs.loaded(references, warnings, progress=progress)
    mixed = None if mixture is None else inputs.recording(mixture, warnings)
    if isinstance(references, str | os.PathLike):
        true, own = inputs.split_mixture(true)
        mixed = own if mixed is None else mixed
    found = inputs.loaded(estimates, warnings, progress=progress)
    by_name = match != "best" and any(match_by_name(list(true), list(found)).values())
    material = prepare(found, true, mixed, sr, by_name=by_name)
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
        warnings=(*warnings, *material.warnings, *_remarks(judge, rated)),
    )


def _matched(judge: Judge, match: Match) -> dict[str, str | None]:
    """The estimate of each reference, None where there is none."""
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
    """The scores of the ideal masks, made from the references."""
    material, references = judge.material, judge.material.references
    mixture = Audio(material.mixture, material.rate)
    masked = ideal_ratio_masks(mixture, list(references.values()), n_fft=n_fft)
    sounds = dict(zip(references, masked, strict=True))
    return judge.rows({name: name for name in references}, sounds, "oracle")


def _remarks(judge: Judge, matched: dict[str, str | None]) -> list[str]:
    """The remarks that a reader of the scores should know."""
    missing = [name for name, estimate in matched.items() if estimate is None]
    silent = [name for name in matched if name not in judge.sounding]
    cancelled = ", ".join(judge.cancelled)
    jointly = f"{cancelled}: the channels cancel each other in the mean, so {JOINTLY}"
    return [
        *([jointly] if cancelled else []),
        *(f"{name}: no estimate, counted as silence" for name in missing),
        *(f"{name}: the reference is silent, left out of the means" for name in silent),
    ]
