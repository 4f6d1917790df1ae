"""Splits before the fit: names, shares, sums, and where there is none."""

import dataclasses
import re
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf import Audio, ParameterError, Settings
from specnmf.audio.resynthesis import gather
from specnmf.methods.components.budget import Budget
from specnmf.methods.components.material import InMemory
from specnmf.methods.components.parts import fit_parts
from specnmf.sizes import parse_size

SR = 8000

#: Clicks are rarer than this, so that the median over time does not see them.
SPACING = SR


class Untold:
    """A fit that tells nothing."""

    @contextmanager
    def stage(self, name, total=1):
        yield lambda done, total=total, note="": None


@pytest.fixture(scope="module")
def sources():
    """Two tones, and bursts of noise, in stereo."""
    rng = np.random.default_rng(2)
    t = np.arange(3 * SR) / SR
    tones = sum(np.sin(2 * np.pi * f * t) for f in (440, 1000))
    since = (np.arange(len(t)) - 0.4 * SPACING) % SPACING / SR
    bursts = rng.standard_normal(len(t)) * np.exp(-since / 0.01)
    return np.outer([1.0, 0.5], 0.1 * tones), np.outer([0.5, 1.0], 0.3 * bursts)


@pytest.fixture(scope="module")
def audio(sources):
    return Audio(sum(sources), SR)


def fitted(audio, **options):
    settings = Settings(
        **{"n_components": 2, "split": "hpss", "n_fft": 256, "max_iter": 20, **options}
    )
    return fit_parts(InMemory(audio, settings), settings, Untold())


def heard(stems, audio):
    found = gather(
        stems.stream(stems.options), stems.names, audio.n_channels, stems.grid
    )
    return {name: stem.samples for name, stem in found.items()}


def test_parts_have_components_of_their_own(audio):
    stems = fitted(audio, percussive_components=1, split_margin=1.5)
    names = ("harmonic_01", "harmonic_02", "percussive_01", "residual")
    assert stems.names == stems.factors.labels == names
    np.testing.assert_array_equal(np.isnan(stems.pitches), [False, False, True, True])
    assert np.all(np.diff(stems.losses) <= 0)
    assert fitted(audio).names[2:] == ("percussive_01", "percussive_02")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"split_margin": 2.0, "mask_power": 2.0},
        {"mask": "binary", "percussive_components": 3},
        {"mask_power": 30.0, "beta": 2.0},
    ],
    ids=str,
)
def test_stems_add_up_to_the_recording(audio, options):
    stems = heard(fitted(audio, **options), audio)
    np.testing.assert_allclose(sum(stems.values()), audio.samples, atol=2e-6)


def test_parts_are_near_their_sources(audio, sources):
    stems = heard(fitted(audio), audio)
    for part, source in zip(("harmonic", "percussive"), sources, strict=True):
        found = sum(own for name, own in stems.items() if part in name)
        error = np.sum((found - source) ** 2) / np.sum(source**2)
        assert error < 0.1, part


def test_components_share_their_part_as_they_would_a_recording(audio):
    """The sum of a part's stems is the part, whatever the masks of its components."""
    one = heard(fitted(audio, n_components=1), audio)
    many = heard(fitted(audio, n_components=4, mask_power=2.0), audio)
    total = sum(own for name, own in many.items() if "harmonic" in name)
    np.testing.assert_allclose(total, one["harmonic_01"], atol=2e-6)


def test_the_number_may_be_chosen(audio):
    stems = fitted(audio, n_components="auto")
    chosen = stems.choice.chosen
    assert stems.options.n_components == chosen
    assert len(stems.names) == 2 * chosen
    again = fitted(audio, **{"n_components": chosen})
    np.testing.assert_array_equal(again.factors.W, stems.factors.W)


def test_silence_is_split(audio):
    silent = Audio(np.zeros((1, SR)), SR)
    stems = heard(fitted(silent, split_margin=2.0), silent)
    assert not any(own.any() for own in stems.values())


def test_what_memory_does_not_hold_is_refused(audio, tmp_path, monkeypatch):
    path = tmp_path / "song.wav"
    soundfile.write(path, audio.samples.T, SR)
    monkeypatch.setattr(Budget, "most_samples", lambda self: SR)
    with pytest.raises(ParameterError, match=r"whole recording in memory.* hold 1 s"):
        specnmf.decompose(path, split="hpss", output=tmp_path / "out")


def test_the_memory_that_is_asked_for_is_enough(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros(90 * SR), SR)
    options = {"split": "hpss", "n_components": 2, "hop_length": 64, "max_iter": 1}
    options |= {"figures": False, "report": False, "sources": False}
    message = (
        r"600M hold (\d+) s; use --memory (\d+M), --duration (\d+) or --split none"
    )
    with pytest.raises(ParameterError, match=message) as error:
        specnmf.decompose(path, memory=600 << 20, output=tmp_path / "out", **options)
    seconds, memory, duration = re.search(message, str(error.value)).groups()
    assert seconds == duration
    settings = Settings(**options, memory=parse_size(memory))
    budget = Budget(settings, settings.most_stems, SR, 1)
    assert 90 * SR <= budget.most_samples() < 91 * SR
    assert budget.need(90 * SR) <= settings.memory


def test_a_residual_needs_more_memory_than_two_parts():
    two = Settings(split="hpss")
    three = dataclasses.replace(two, split_margin=2.0)
    most = [Budget(own, 8, 44100, 2).most_samples() for own in (two, three)]
    assert most[1] < 0.9 * most[0]


def test_a_split_needs_more_memory():
    plain = Settings(memory=1 << 29)
    split = dataclasses.replace(plain, split="hpss")
    most = [Budget(own, 8, 44100, 2).most_samples() for own in (plain, split)]
    assert most[1] < 0.6 * most[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split_margin": 2.0}, "split_margin 2 needs split hpss"),
        ({"percussive_components": 2}, "percussive_components 2 need split hpss"),
        ({"split": "hpss", "split_margin": 0.5}, "split_margin must be at least 1"),
        ({"split": "hpss", "percussive_components": 0}, "must be at least 1"),
        ({"split": "hps"}, "split must be one of none, hpss"),
    ],
)
def test_errors_say_what_was_expected(options, message):
    with pytest.raises(ParameterError, match=message):
        Settings(**options)


def test_templates_are_not_held_in_parts(audio):
    with pytest.raises(ParameterError, match="use --split none or no --templates"):
        specnmf.decompose(audio, split="hpss", templates=np.ones((1025, 1)))
