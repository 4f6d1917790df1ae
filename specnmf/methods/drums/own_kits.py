"""Kits of one's own: a folder of one-shots, or a file of learned templates."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specnmf.audio import media
from specnmf.audio.reading import load
from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid, magnitude
from specnmf.errors import TemplateError
from specnmf.methods.drums.kits import (
    LEAD,
    Kit,
    band_matrix,
    decibels,
    drum_of,
    from_onset,
    lags_of,
    levels_of,
)
from specnmf.methods.learned.templates import Templates, converted, read_templates
from specnmf.notation import counted

#: Endings of one-shots.
SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", *media.SUFFIXES)

#: Samples of a stroke below this peak are silence.
SILENT = 1e-5

#: The longest stroke in seconds, and the most of a folder.
LONGEST, MOST_STROKES = 10.0, 256

#: What a template has at least where it is silent, of its maximum: a fit changes no
#: zeros.
FLOOR = 1e-7

#: A learned template starts where it reaches this share of its loudness; one of a
#: single frame fades by 1/e in this time, in seconds.
RISEN, FADE = 0.3, 0.08


def read_kit(path: str | os.PathLike[str]) -> Kit:
    """A kit from a folder of one-shots, or from a file of templates.

    Files are named after their drums: ``kick.wav``, ``snare_soft.flac``, ``hat open
    2.wav``. Several of a drum are different strokes of it.

    Raises
    ------
    TemplateError
        If there is none, or the names of all files say no drum.
    AudioError
        If a file cannot be read.
    """
    path = Path(path)
    return _folder(path) if path.is_dir() else _learned(path)


def _folder(folder: Path) -> Kit:
    files = sorted(
        each
        for each in folder.iterdir()
        if each.suffix.lower() in SUFFIXES and each.is_file()
    )
    named = [(drum, each) for each in files if (drum := drum_of(each.stem))]
    if not named:
        raise TemplateError(
            f"{folder}: expected one-shots named after drums, such as kick.wav, "
            f"got {counted(len(files), 'sound file')} with other names"
        )
    if len(named) > MOST_STROKES:
        raise TemplateError(
            f"{folder}: expected at most {MOST_STROKES} one-shots, got {len(named)}"
        )
    drums, sounds = [], []
    for drum, each in named:
        sound = load(each, duration=LONGEST)
        if np.abs(sound.samples).max(initial=0) > SILENT:
            drums.append(drum)
            sounds.append(sound)
    if not sounds:
        raise TemplateError(f"{folder}: all one-shots are silent")
    return sound_kit(drums, sounds)


@dataclass(frozen=True, eq=False)
class SoundKit(Kit):
    """Strokes that are known as sound, exactly.

    Attributes
    ----------
    sounds : tuple of Audio
        The strokes.
    """

    sounds: tuple[Audio, ...]

    def spectra(self, chosen: Sequence[int], grid: Grid, seconds: float) -> Float32:
        """As in `Kit`, but with all their detail."""
        n_lags = lags_of(grid.hop_length / grid.sr, seconds)
        return np.stack([_spectrum(self.sounds[i], grid, n_lags) for i in chosen])


@dataclass(frozen=True, eq=False)
class LearnedKit(Kit):
    """Learned templates.

    Attributes
    ----------
    templates : Templates
        As they were read.
    """

    templates: Templates

    def bands(self, step: float, seconds: float) -> Float32:
        """As in `Kit`."""
        own = self.templates
        hop = own.hop_length / own.sr
        frames = _placed(own.W.transpose(1, 2, 0), hop, seconds)
        levels = np.matmul(frames, band_matrix(own.frequencies).T)
        times = np.arange(lags_of(step, seconds)) * step
        places = np.minimum(np.rint(times / hop).astype(int), levels.shape[1] - 1)
        return np.asarray(levels[:, places], np.float32)

    def spectra(self, chosen: Sequence[int], grid: Grid, seconds: float) -> Float32:
        """As in `Kit`; TemplateError where they do not fit the grid."""
        W = converted(self.templates, grid).W[:, list(chosen)].transpose(1, 2, 0)
        return _placed(W, grid.hop_length / grid.sr, seconds)


def sound_kit(drums: Sequence[str], sounds: Sequence[Audio]) -> SoundKit:
    """A kit of strokes as sound."""
    levels = np.stack([levels_of(each) for each in sounds])
    return SoundKit(tuple(drums), decibels(levels), tuple(sounds))


def _learned(path: Path) -> LearnedKit:
    """A kit of learned templates; their groups are the drums."""
    templates = read_templates(path)
    drums = tuple(drum_of(group) or group for group in templates.groups)
    return LearnedKit(drums, np.zeros((len(drums), 0, 0), np.float32), templates)


def _spectrum(sound: Audio, grid: Grid, n_lags: int) -> Float32:
    """A stroke on a grid, (n_lags, n_bins)."""
    y = from_onset(sound)
    if sound.sr != grid.sr:
        from scipy.signal import resample_poly

        common = math.gcd(sound.sr, grid.sr)
        y = resample_poly(y, grid.sr // common, sound.sr // common, axis=1)
    y = np.pad(y, ((0, 0), (LEAD * grid.hop_length, 0))).astype(np.float32)
    y = np.ascontiguousarray(y[:, : n_lags * grid.hop_length])
    own = Grid(grid.sr, y.shape[1], grid.n_fft, grid.hop_length)
    V = magnitude(Audio(y, grid.sr), own).T[:n_lags]
    out = np.full((n_lags, grid.n_bins), FLOOR * V.max(), np.float32)
    out[: len(V)] = np.maximum(V, out[: len(V)])
    return np.asarray(out / V.max(), np.float32)


def _placed(frames: Float32, step: float, seconds: float) -> Float32:
    """Templates, (n, n_frames, n_bins), each with its onset in frame LEAD.

    Those of one frame fade away.
    """
    n_lags = lags_of(step, seconds)
    out = np.zeros((len(frames), n_lags, frames.shape[2]), np.float32)
    for new, old in zip(out, frames, strict=True):
        loud = old.sum(axis=1)
        onset = int(np.argmax(loud >= RISEN * loud.max()))
        if len(old) == 1:
            fade = np.exp(-np.arange(n_lags - LEAD) * step / FADE)
            new[LEAD:] = fade[:, np.newaxis] * old
        else:
            first = max(0, LEAD - onset)
            heard = old[max(0, onset - LEAD) :][: n_lags - first]
            new[first : first + len(heard)] = heard
        new += FLOOR * new.max()
    return out
