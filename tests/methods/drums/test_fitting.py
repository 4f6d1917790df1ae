"""Drums are separated by their strokes."""

import numpy as np
import pytest
from drum_loops import hits, loop, stems

import specnmf
from specnmf.audio.resynthesis import gather
from specnmf.methods.drums import kits
from specnmf.methods.drums.fitting import REST, fit_drums
from specnmf.methods.drums.options import DrumOptions


@pytest.fixture(scope="module")
def fitted():
    return fit_drums(loop(), hits(), kits.built_in(), DrumOptions(), surely=True)


def sounds(fitted, options=None):
    options = options or DrumOptions()
    found = gather(fitted.stream(options), fitted.names, 1, fitted.grid)
    return {name: np.asarray(sound.samples)[0] for name, sound in found.items()}


def tune():
    """A chord after another, (n_samples,)."""
    t = np.arange(round(0.4 * 22050)) / 22050
    envelope = np.minimum(1, 40 * t) * np.exp(-2 * t)
    chords = [
        sum(np.sin(2 * np.pi * f * r * t) / r for f in pitches for r in (1, 2, 3))
        for pitches in ((220, 277, 330), (196, 247, 294), (247, 294, 370)) * 2
    ]
    music = np.concatenate([envelope * chord for chord in chords])[: 2 * 22050]
    return (0.05 * music).astype(np.float32)


def test_the_drums_of_a_loop_are_found_apart(fitted):
    found, true = sounds(fitted), stems()
    pairs = [np.stack([each[name] for name in true]) for each in (true, found)]
    sdr = specnmf.bss_eval(*pairs)[0]
    assert sdr[0] > 18  # kick
    assert sdr[1] > 7  # snare
    assert sdr[2] > 7  # hi-hat, whose strokes all differ


def test_the_stems_add_up_to_the_recording(fitted):
    total = sum(sounds(fitted).values())
    np.testing.assert_allclose(total, loop().samples[0], atol=2e-6)


def test_where_nothing_pitched_plays_the_rest_is_faint(fitted):
    assert fitted.model.rest_share < 0.02
    assert fitted.names == ("kick", "snare", "hihat", REST)


def test_music_beside_the_drums_goes_to_the_rest():
    audio, music = loop(), tune()
    mixed = specnmf.Audio(audio.samples + music, audio.sr)
    found = fit_drums(mixed, hits(), kits.built_in(), DrumOptions(), surely=True)
    assert found.model.rest_share > 0.1
    error = sounds(found)[REST] - music
    assert 10 * np.log10(np.sum(music**2) / np.sum(error**2)) > 6


def test_the_cost_falls(fitted):
    losses = fitted.losses
    assert len(losses) == DrumOptions().max_iter
    assert losses[-1] < 0.5 * losses[0]
    assert (np.diff(losses) < 1e-3 * losses[:-1]).all()


def test_the_loudness_of_strokes_tells_loud_from_soft():
    strokes = [hit for hit in hits() if hit.drum == "kick"]
    y = np.zeros(2 * 22050)
    for i, hit in enumerate(strokes):
        first = round(22050 * hit.time)
        own = (
            (0.4, 0.1)[i % 2]
            * np.sin(0.02 * np.arange(5000))
            * 0.999 ** np.arange(5000)
        )
        y[first : first + 5000] += own
    audio = specnmf.Audio(y[np.newaxis].astype(np.float32), 22050)
    found = fit_drums(audio, strokes, kits.built_in(), DrumOptions(), surely=True)
    loud = found.model.loudness
    assert loud.shape == (4,)
    np.testing.assert_allclose(loud[1::2] / loud[::2], 0.25, rtol=0.25)


def test_templates_of_the_kit_stay_where_nothing_adapts():
    options = DrumOptions(adapt=0.0, max_iter=6)
    found = fit_drums(loop(), hits(), kits.built_in(), options, surely=True)
    strikes = found.model.strikes
    np.testing.assert_array_equal(strikes.spectra, strikes.start)
    some = DrumOptions(adapt=0.3, max_iter=6)
    moved = fit_drums(loop(), hits(), kits.built_in(), some, surely=True).model.strikes
    assert not np.array_equal(moved.spectra, moved.start)


def test_threads_change_no_bit():
    models = [
        fit_drums(
            loop(),
            hits(),
            kits.built_in(),
            DrumOptions(threads=n, max_iter=5),
            surely=True,
        ).model
        for n in (1, 3)
    ]
    np.testing.assert_array_equal(models[0].strikes.spectra, models[1].strikes.spectra)
    np.testing.assert_array_equal(models[0].rest.H, models[1].rest.H)


def test_no_stroke_leaves_the_rest():
    found = fit_drums(loop(), [], kits.built_in(), DrumOptions(max_iter=3))
    assert found.names == (REST,)
    np.testing.assert_allclose(sounds(found)[REST], loop().samples[0], atol=2e-6)


def test_silence_is_no_error():
    audio = specnmf.Audio(np.zeros((1, 22050), np.float32), 22050)
    found = fit_drums(audio, hits()[:2], kits.built_in(), DrumOptions(max_iter=3))
    assert np.isfinite(found.losses).all()
    assert not any(y.any() for y in sounds(found).values())
