"""Tones to take apart, and the audio examples taken apart."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import specnmf
from specnmf import ScoreSettings
from specnmf.methods import by_score as separation

EXAMPLES = Path(__file__).parents[2] / "audio_examples"

#: The beginning of an example is enough, in seconds.
DURATION = 6.0


@pytest.fixture
def tone():
    """A function that plays a note."""
    return play


def play(note, sr, n_samples, *, n_partials=10, only_odd=False):
    """A note of partials 1/m with soft edges, shape (n_samples,)."""
    t = np.arange(n_samples) / sr
    rise, fall = t - note.start, note.start + note.duration - t
    envelope = np.clip(rise / 0.02, 0, 1) * np.clip(fall / 0.05, 0, 1)
    frequency = 440 * 2 ** ((note.pitch - 69) / 12)
    y = np.zeros(n_samples)
    for m in range(1, n_partials + 1, 1 + only_odd):
        if m * frequency < sr / 2:
            y += np.sin(2 * np.pi * m * frequency * t) / m
    return (0.1 * envelope * y).astype(np.float32)


@pytest.fixture(scope="session")
def example():
    """A function that gives an audio example taken apart by its score."""
    return cache(_example)


def _example(name, by="part"):
    folder = EXAMPLES / name
    audio = specnmf.read(folder / f"{name}.flac", duration=DURATION)
    score = specnmf.read_score(folder / f"{name}.mid")
    settings = ScoreSettings(by=by)
    labels = separation.label_notes(score, settings)
    stems = separation.fit_stems(audio, score, labels, settings)
    book = specnmf.separate_by_score(audio, score, by=by, model="fmp")
    return SimpleNamespace(
        audio=audio,
        score=score,
        stems=stems,
        sound=heard(stems, audio, settings),
        book={name: stem.samples for name, stem in book.items()},
        references={
            path.stem: specnmf.read(path, duration=DURATION).samples
            for path in sorted((folder / "stems").glob("*.flac"))
        },
    )


def heard(stems, audio, settings):
    """The stems as arrays, shape (n_channels, n_samples)."""
    out = np.zeros((len(stems.names), *audio.samples.shape), np.float32)
    for first, block in stems.stream(settings):
        out[:, :, first : first + block.shape[2]] = block
    return dict(zip(stems.names, out, strict=True))


@pytest.fixture(scope="session")
def sdr():
    """A function that gives the SDR of each stem in dB, channels summed."""
    return _sdr


def _sdr(references, found):
    assert references.keys() == found.keys()
    names = list(references)
    return specnmf.bss_eval(
        [references[name].sum(axis=0) for name in names],
        [found[name].sum(axis=0) for name in names],
    )[0]
