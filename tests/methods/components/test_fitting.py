"""Components: how many, from where, and the best of a few starts."""

from contextlib import contextmanager

import numpy as np
import pytest

from specnmf import Audio, ParameterError, Settings, nmf
from specnmf.methods.components.fitting import fit_components
from specnmf.methods.components.material import InMemory

SR, N = 8000, 12_000


class Told:
    """What a fit tells of its stages."""

    def __init__(self):
        self.steps = {}

    @contextmanager
    def stage(self, name, total=1):
        own = self.steps.setdefault(name, [])
        yield lambda done, total=total, note="": own.append((done, total, note))


@pytest.fixture
def audio(rng):
    t = np.arange(N) / SR
    gates = [t % 0.5 < 0.25, t % 0.75 < 0.3, t % 0.6 < 0.2]
    tones = [np.sin(2 * np.pi * f * t) for f in (220, 523, 1319)]
    y = sum(tone * gate for tone, gate in zip(tones, gates, strict=True))
    return Audio(0.1 * y + 1e-4 * rng.standard_normal((2, N)), SR)


def fitted(audio, *, n_starts=1, templates=None, told=None, **options):
    settings = Settings(**{"n_fft": 512, "max_iter": 20, **options})
    material = InMemory(audio, settings)
    material.n_starts = n_starts
    return fit_components(material, settings, told or Told(), templates=templates)


def test_the_factors_are_those_of_nmf_by_energy(audio):
    found = fitted(audio, n_components=3, seed=4)
    expected = nmf(found.material.V, 3, max_iter=20, rng=4).by_energy()
    assert (found.factors.W == expected.W).all()
    assert (found.factors.H == expected.H).all()
    assert found.names == ("component_01", "component_02", "component_03")
    assert found.pitches.shape == (3,)
    assert found.choice is None
    assert (found.factors.losses == expected.losses).all()


def test_auto_finds_the_number_and_says_so(audio):
    found = fitted(audio, n_components="auto")
    assert found.options.n_components == found.choice.chosen == len(found.names)
    assert found.options.max_iter == 20


def test_the_best_of_a_few_starts_is_taken(audio):
    losses = [
        fitted(audio, n_components=3, seed=seed, max_iter=5).factors.losses[-1]
        for seed in range(3)
    ]
    told = Told()
    best = fitted(audio, n_components=3, max_iter=5, n_starts=3, told=told)
    assert best.factors.losses[-1] == min(losses)
    told_done = [done for done, _, _ in told.steps["factorise"]]
    assert told_done == list(range(1, 16))
    assert all(total == 15 for _, total, _ in told.steps["factorise"])


def test_given_templates_keep_their_places_and_values(audio, rng):
    quiet = rng.random((257, 2)).astype(np.float32)
    found = fitted(audio, n_components=4, templates=quiet)
    assert (found.factors.W[:, :2] == quiet).all()
    assert found.factors.n_components == 4
    alone = fitted(audio, n_components=1, templates=quiet, n_starts=3)
    assert (alone.factors.W == quiet).all()


def test_components_add_up_to_the_recording(audio):
    found = fitted(audio, n_components=2)
    blocks = [block.sum(axis=0) for _, block in found.stream(found.options)]
    np.testing.assert_allclose(np.hstack(blocks), audio.samples, atol=1e-6)


def test_more_components_than_frames_are_refused(audio):
    with pytest.raises(ParameterError, match="at most 94 components .* a smaller"):
        fitted(audio, n_components=95)
