"""Templates learned from sounds: one after another, or from labels in a recording."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import reading, stft
from specnmf.audio.options import window
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid
from specnmf.errors import ParameterError, TemplateError
from specnmf.factor.convolutive.nmfd import nmfd
from specnmf.factor.nmf import nmf
from specnmf.methods.labels.options import LabelOptions
from specnmf.methods.labels.templates import learn_templates
from specnmf.methods.learned.options import LearnSettings
from specnmf.methods.learned.templates import Templates
from specnmf.methods.marking import marked
from specnmf.methods.memory import Held, Limit, Need
from specnmf.score.notes import numbered
from specnmf.score.regions import REST, Region

#: Frames quieter than this share of the loudest one teach nothing.
AUDIBLE = 1e-3

#: Copies of V and H in a solver.
SOLVER_V, SOLVER_H = 3, 9


def learned_from(audio: Audio, group: str, settings: LearnSettings) -> Templates:
    """The templates of one sound that is heard alone.

    Spectra are learned from the frames in which it is heard, templates of several
    frames from all. There are fewer where there are fewer frames than asked for.

    Parameters
    ----------
    audio : Audio
        The sound.
    group : str
        Its stem; templates are called like it, with numbers if there are several, those
        with the most energy first.
    settings : LearnSettings
        How to learn.

    Raises
    ------
    TemplateError
        If the sound is silent.
    ParameterError
        If beta is out of range for its values.
    """
    grid = Grid.of(audio, settings.n_fft, settings.hop_length)
    V = stft.magnitude(audio, grid, threads=settings.threads)
    loudness = V.max(axis=0)
    if not loudness.max() > 0:
        raise TemplateError("silent; expected a sound to learn from")
    if settings.n_template_frames == 1:
        V = np.asfortranarray(V[:, loudness >= AUDIBLE * loudness.max()])
        W, H = _spectra(V, settings)
    else:
        W, H = _patterns(V, settings)
    energies = (H.astype(np.float64) ** 2).sum(axis=1) * (W**2).sum(axis=(0, 2))
    order = np.argsort(-energies, kind="stable")
    order = order[energies[order] > 0]
    return named(W[:, order], [group] * len(order), grid)


def learned_by_labels(
    audio: Audio,
    labels: str | os.PathLike[str] | Iterable[Region],
    settings: LearnSettings,
) -> Templates:
    """The templates of sounds that are marked in one recording.

    Each is learned where it is marked alone, as `specnmf label` does; the regions of
    ``rest`` give templates of that name.

    Raises
    ------
    ScoreError
        If the labels cannot be read, or mark nothing.
    ParameterError
        If templates of several frames are asked for.
    """
    if settings.n_template_frames > 1:
        raise ParameterError(
            "labels cut the sounds into pieces, too short for templates of "
            f"{settings.n_template_frames} frames; use --frames 1"
        )
    found = marked(audio, labels, settings, tier=settings.tier)
    marks = found.marks
    assert marks is not None  # labels are given
    own = [name for name in marks.names if name != REST]
    V = stft.magnitude(audio, found.grid, threads=settings.threads)
    heard = marks.heard[[name != REST for name in marks.names]]
    learned = learn_templates(V, heard, marks.annotated, _label_options(settings))
    groups = [[*own, REST][owner] for owner in learned.owners]
    return named(learned.W[:, :, np.newaxis], groups, found.grid)


def named(W: NDArray[np.floating], groups: Sequence[str], grid: Grid) -> Templates:
    """Templates called like their groups, with numbers where there are several."""
    counts = {group: groups.count(group) for group in groups}
    seen = dict.fromkeys(groups, 0)
    names = []
    for group in groups:
        seen[group] += 1
        digits = len(str(counts[group]))
        number = f"_{seen[group]:0{digits}}" if counts[group] > 1 else ""
        names.append(group + number)
    different = tuple(numbered(names, spell="{}_{}".format))
    return Templates(
        W.astype(np.float32),
        different,
        tuple(groups),
        sr=grid.sr,
        n_fft=grid.n_fft,
        hop_length=grid.hop_length,
    )


def read_sound(path: str | os.PathLike[str], settings: LearnSettings) -> Audio:
    """The recording in a file, or its excerpt, if learning from it fits into memory.

    Raises
    ------
    AudioError
        If it cannot be read.
    ParameterError
        If it is too long for the memory.
    """
    start, duration = settings.start, settings.duration
    with reading.reading(path) as source:
        limit = _limit(settings, source.sr, source.n_channels)
        expected = source.expected(start, duration)
    most = limit.most_samples()
    if np.isfinite(expected):
        limit.check(int(expected))
    audio = reading.read_up_to(most, path, start=start, duration=duration)
    if audio is None:
        raise limit.exceeded(most)
    return audio


def _spectra(V: Float32, settings: LearnSettings) -> tuple[Float32, Float32]:
    found = nmf(
        V,
        min(settings.n_per_sound, *V.shape),
        beta=settings.beta,
        solver=settings.solver,
        max_iter=settings.max_iter,
        tol=settings.tol,
        rng=settings.seed,
        threads=settings.threads,
    )
    return found.W[:, :, np.newaxis], found.H


def _patterns(V: Float32, settings: LearnSettings) -> tuple[Float32, Float32]:
    found = nmfd(
        V,
        min(settings.n_per_sound, *V.shape),
        n_template_frames=settings.n_template_frames,
        beta=settings.beta,
        max_iter=settings.max_iter,
        tol=settings.tol,
        rng=settings.seed,
        threads=settings.threads,
    )
    return found.W, found.H


def _label_options(settings: LearnSettings) -> LabelOptions:
    """The same settings, as separation by labels has them."""
    return LabelOptions(
        n_components=settings.n_per_sound,
        n_rest=settings.n_per_sound,
        seed=settings.seed,
        threads=settings.threads,
    )


def _limit(settings: LearnSettings, sr: int, n_channels: int) -> Limit:
    """The memory limit of learning from a sound."""
    plan = partial(_plan, sr=sr, n_channels=n_channels)
    return Limit(settings, plan)


def _plan(settings: LearnSettings, *, sr: int, n_channels: int) -> Held:
    """What a sound takes with some settings."""
    n_fft, hop_length = window(sr, settings.n_fft, settings.hop_length)
    n_rows = settings.n_per_sound * settings.n_template_frames
    each = 4 * (SOLVER_V * (n_fft // 2 + 1) + SOLVER_H * n_rows)
    return Held(
        sr=sr,
        n_channels=n_channels,
        n_fft=n_fft,
        hop_length=hop_length,
        stages=(Need(each=each),),
        n_components=settings.n_per_sound,
    )
