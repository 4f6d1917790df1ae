import base64
import io

import numpy as np
import pytest
import soundfile

from specnmf.audio.recording import Audio
from specnmf.output.page import sound as module
from specnmf.output.page.columns import Columns
from specnmf.output.page.sound import make_plan, play
from specnmf.output.page.tracks import Track, mixed_down, open_track, track_of

SR = 8000


def track(rng, n_channels=2, sr=SR, seconds=1.0):
    n = int(sr * seconds)
    return track_of(Audio(rng.normal(size=(n_channels, n)).astype("f4") / 20, sr))


def long_track(minutes, n_channels=2, sr=44100, path=None):
    track = Track(sr, n_channels, int(60 * minutes * sr), path)
    track.__dict__["width"] = min(2, n_channels)
    return track


def played(tracks, asked="ogg", **options):
    plan = make_plan(tracks, asked, beside=0)
    columns = Columns(tracks[0].n_samples, tracks[0].sr)
    return play(tracks, plan, columns, beside=0, **options)


def decoded(one):
    return soundfile.read(io.BytesIO(base64.b64decode(one.data)), always_2d=True)


@pytest.mark.parametrize("form", ["ogg", "mp3"])
def test_stems_are_in_the_page_as_asked_for(rng, form):
    tone = np.sin(2 * np.pi * 440 * np.arange(SR) / SR) / 2
    own = track_of(Audio(np.float32([tone, -tone]), SR))
    plan, (one,) = played([own], form)
    assert (plan.mode, plan.why) == (form, None)
    samples, sr = decoded(one)
    assert sr == SR
    assert samples.shape[1] == 2
    if form == "ogg":
        assert samples.shape[0] == own.n_samples
        error = samples.T - own.sound.samples
        assert np.sqrt(np.mean(error**2)) < 0.1 * np.sqrt(np.mean(samples**2))


@pytest.mark.parametrize("form", ["ogg", "mp3"])
def test_the_same_stems_are_the_same_text_whatever_the_threads(rng, form):
    own = [track(rng, seconds=0.5) for _ in range(3)]
    texts = [[each.data for each in played(own, form, threads=n)[1]] for n in (1, 2)]
    assert texts[0] == texts[1]


def test_loudness_is_measured_on_the_way(rng):
    own = track(rng)
    expected = played([own], "link")[1][0].power
    for form in ("ogg", "mp3"):
        np.testing.assert_array_equal(played([own], form)[1][0].power, expected)


def test_channels_that_are_alike_are_one(rng):
    mono = track(rng, 1).sound.samples
    own = track_of(Audio(np.repeat(mono, 2, axis=0), SR))
    assert decoded(played([own])[1][0])[0].shape[1] == 1


def test_more_channels_are_mixed_down_to_two_and_that_is_said(rng):
    plan, (one,) = played([track(rng, 6)])
    assert decoded(one)[0].shape[1] == 2
    assert plan.why == "The 6 channels are mixed down to two for this page."


def test_mixing_down_adds_further_channels_to_both(rng):
    block = rng.normal(size=(3, 5)).astype("f4")
    mixed = mixed_down(block, 2)
    expected = (block[:2] + np.sqrt(0.5) * block[2]) / (1 + np.sqrt(0.5))
    np.testing.assert_allclose(mixed, expected, rtol=1e-5)
    assert mixed_down(block[:2], 2) is not block
    np.testing.assert_array_equal(mixed_down(block[:2], 2), block[:2])


@pytest.mark.parametrize("sr", [8000, 11025, 48000, 96000, 192000])
def test_ogg_holds_the_usual_rates(rng, sr):
    plan, (one,) = played([track(rng, sr=sr, seconds=0.2)])
    assert plan.mode == "ogg"
    assert decoded(one)[1] == sr


def test_what_mp3_cannot_hold_is_ogg_and_that_is_said(rng):
    plan, (one,) = played([track(rng, sr=96000, seconds=0.1)], "mp3")
    assert plan.mode == "ogg"
    assert plan.why == "MP3 does not support 96000 Hz, so the page uses Ogg."
    assert decoded(one)[1] == 96000


@pytest.mark.parametrize("sr", [4000, 384000])
def test_what_no_format_of_a_page_can_hold_is_linked_to(tmp_path, sr):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((100, 2)), sr)
    plan, (one,) = played([open_track(path)])
    assert plan.mode == "link"
    assert f"Audio at {sr} Hz cannot be embedded" in plan.why
    assert one.data is None


def test_long_stems_are_encoded_less_well(tmp_path):
    short, longer = ([long_track(n, path=tmp_path)] * 8 for n in (1, 4))
    assert make_plan(short, "ogg", beside=0).levels[0] == 0.6
    assert make_plan(longer, "ogg", beside=0).levels[0] > 0.6


def test_a_song_of_three_minutes_and_eight_stems_is_in_the_page(tmp_path):
    tracks = [long_track(3, path=tmp_path / "a.wav")] * 8
    assert make_plan(tracks, "ogg", beside=module.BESIDE).mode == "ogg"


def test_what_does_not_fit_into_the_page_is_linked_to(tmp_path):
    tracks = [long_track(32.5, 1, path=tmp_path / "a.wav")] * 4
    plan = make_plan(tracks, "ogg", beside=module.BESIDE)
    assert plan.mode == "link"
    assert plan.why == (
        "130 minutes of stems do not fit into a page of 25 MB, so they are played "
        "from their files."
    )


def test_what_a_browser_cannot_hold_is_linked_to(tmp_path):
    tracks = [long_track(10, path=tmp_path / "a.wav")] * 64
    plan = make_plan(tracks, "ogg", beside=0)
    assert plan.mode == "link"
    assert "640 minutes of stems need more than 1.5 GB in a browser" in plan.why


def test_a_long_recording_that_is_no_file_of_the_run_has_no_sound():
    plan = make_plan([long_track(600)], "ogg", beside=0)
    assert plan.mode == "none"
    assert plan.why == "600 minutes of stems need more than 1.5 GB in a browser."


def test_stems_that_turn_out_too_large_are_encoded_again_and_then_linked_to(
    rng, tmp_path, monkeypatch
):
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for path in paths:
        soundfile.write(path, rng.normal(size=(SR * 2, 2)) / 20, SR)
    tracks = [open_track(path) for path in paths]
    columns = Columns(SR * 2, SR)
    plan = module.Plan("ogg", None, (0.0, 1.0))
    sizes = {}
    for level in (0.0, 1.0):
        whole = play(tracks, module.Plan("ogg", None, (level,)), columns, beside=0)[1]
        sizes[level] = sum(len(base64.b64decode(one.data)) for one in whole)
    assert sizes[1.0] < sizes[0.0]
    for room, mode in ((sizes[0.0], "ogg"), (sizes[1.0], "ogg"), (1000, "link")):
        monkeypatch.setattr(module, "MOST_PAGE", room * 4 // 3 + 2)
        found, stems = play(tracks, plan, columns, beside=0, threads=2)
        assert found.mode == mode
        taken = sum(len(base64.b64decode(one.data or "")) for one in stems)
        assert taken == (room if mode == "ogg" else 0)
        assert all(one.power.all() for one in stems)


@pytest.mark.parametrize("form", ["ogg", "mp3"])
def test_files_that_are_encoded_are_in_the_page_as_they_are(rng, tmp_path, form):
    path = tmp_path / f"a.{form}"
    soundfile.write(path, rng.normal(size=(SR, 2)) / 20, SR)
    own = open_track(path)
    plan, (one,) = played([own], "ogg")
    assert plan.mode == form
    np.testing.assert_array_equal(decoded(one)[0], soundfile.read(path)[0])
    told = "The stems are MP3 files and are embedded unchanged."
    assert plan.why == (told if form == "mp3" else None)


@pytest.mark.parametrize("asked", ["link", "none"])
def test_sound_that_is_not_in_the_page_is_only_measured(rng, tmp_path, asked):
    path = tmp_path / "a.wav"
    soundfile.write(path, rng.normal(size=(SR, 2)) / 20, SR)
    plan, (one,) = played([open_track(path)], asked)
    assert (plan.mode, plan.why, one.data) == (asked, None, None)
    assert one.power.all()


def test_progress_is_told_for_each_stem(rng):
    said = []
    played([track(rng, seconds=0.2)] * 3, progress=lambda *done: said.append(done))
    assert said == [(1, 3), (2, 3), (3, 3)]
