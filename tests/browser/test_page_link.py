"""A page whose sound is the files beside it, as that of long songs is."""

import json

import made_stems
import pytest
from browsing import times_until_it_goes_back, until
from made_stems import BAND

pytestmark = pytest.mark.slow  # a browser, sound in real time

#: The most that stems may be apart, in seconds.
APART = 0.1

PLAYING = "[...heard.elements].filter(e => !e.paused)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("linked")
    return made_stems.band(folder, title="#1: 100% wet?", report_audio="link")


@pytest.fixture
def page(visit, folder):
    return visit(folder / "report.html").page


def play(page, seconds=0.5, start=0.5):
    page.evaluate(f"specnmf.player.seek({start}); specnmf.player.play()")
    until(page, f"specnmf.player.time > {start + seconds}")


def positions(page):
    return page.evaluate(f"{PLAYING}.map(e => e.currentTime)")


def test_the_page_holds_no_sound_and_says_so(page, folder):
    contents = page.evaluate("specnmf.contents")
    assert contents["sound"]["mode"] == "link"
    assert page.locator("script[id^=sound-]").count() == 0
    text = json.dumps(contents["sound"])
    assert "sources" in text or contents["sound"]["why"] is None


def test_linked_stems_play_from_disk_and_keep_in_step(page):
    play(page, 1.0)
    apart = []
    for step in range(1, 9):
        until(page, f"specnmf.player.time > {1.5 + step / 10}")
        found = positions(page)
        assert len(found) == len(BAND)
        apart.append(max(found) - min(found))
    assert max(apart) < APART


def test_linked_stems_keep_in_step_after_seeking(page):
    play(page)
    page.evaluate("specnmf.player.seek(2.0)")
    until(page, "specnmf.player.time > 2.5")
    found = positions(page)
    assert max(found) - min(found) < APART
    assert min(found) > 2.0


def test_only_what_is_heard_plays(page):
    play(page)
    page.evaluate("specnmf.player.onlyThis(1)")
    until(page, f"{PLAYING}.filter(e => !e.muted && e.volume > 0).length === 1")
    loud = page.evaluate(
        f"{PLAYING}.filter(e => !e.muted && e.volume > 0).map(e => e.src)"
    )
    assert len(loud) == 1
    assert loud[0].endswith("/sources/viola.wav")


def test_a_stem_that_comes_back_is_in_step(page):
    page.evaluate("specnmf.player.setMuted(0, true)")
    play(page)
    page.evaluate("specnmf.player.setMuted(0, false)")
    times = f"{PLAYING}.map(e => e.currentTime)"
    apart = f"Math.max(...{times}) - Math.min(...{times})"
    until(page, f"{PLAYING}.length === {len(BAND)} && {apart} < {APART}")
    until(page, f"specnmf.player.time > {page.evaluate('specnmf.player.time') + 0.3}")
    found = positions(page)
    assert len(found) == len(BAND)
    assert max(found) - min(found) < APART


def test_levels_of_linked_stems_are_in_decibels(page):
    page.evaluate("specnmf.player.setGain(2, -20)")
    play(page, 0.2)
    volumes = page.evaluate(
        f"Object.fromEntries({PLAYING}.map(e => [e.src.split('/').pop(), e.volume]))"
    )
    assert volumes["flute.wav"] == pytest.approx(0.1, rel=0.01)
    assert volumes["bass.wav"] == 1


def test_pausing_stops_all_of_them(page):
    play(page)
    page.evaluate("specnmf.player.pause()")
    assert positions(page) == []


def test_a_loop_of_linked_stems_comes_back(page):
    page.evaluate("specnmf.player.setLoop(0.5, 1.0)")
    play(page, 0.1)
    times = times_until_it_goes_back(page)
    assert max(times) < 1.0 + APART
    assert times[-1] >= 0.5 - APART


def test_a_missing_file_is_told_and_the_rest_plays(visit, tmp_path):
    folder = made_stems.band(tmp_path, report_audio="link")
    (folder / "sources/viola.wav").unlink()
    watched = visit(folder / "report.html")
    page = watched.page
    page.evaluate("specnmf.player.seek(0.5); specnmf.player.play()")
    until(page, "document.body.innerText.includes('viola.wav')")
    until(page, "specnmf.player.time > 0.8")
    found = f"{PLAYING}.filter(e => !e.error).map(e => e.src.split('/').pop())"
    heard = page.evaluate(found)
    assert sorted(heard) == sorted(f"{name}.wav" for name in BAND if name != "viola")
    watched.problems[:] = [each for each in watched.problems if "viola.wav" not in each]
