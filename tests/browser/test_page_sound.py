"""What the page plays is what the run wrote, stem by stem, in step to the sample."""

import json

import made_stems
import numpy as np
import pytest
import soundfile
from browsing import (
    level,
    rendered,
    stems_in,
    tapped,
    times_until_it_goes_back,
    until,
)
from made_stems import AMPLITUDE, BAND

#: What the codec may change, in dB below the stem: Vorbis and MP3 keep sines well.
CODEC_DB = -25

#: A span in which bass, viola and bell sound, and one in which bass, flute and bell do.
FIRST, SECOND = (0.7, 0.8), (2.4, 0.8)


def play(page, command):
    """Do something with the player."""
    return page.evaluate(f"(stems) => {{ const p = specnmf.player; {command} }}")


def heard(page, span=FIRST):
    return stems_in(*rendered(page, *span))


def number_of(page, name):
    """The number of a stem in the page."""
    names = page.evaluate(
        "specnmf.contents.groups.flatMap(g => g.stems.map(s => s.name))"
    )
    return names.index(name)


def test_all_stems_are_heard_together(page):
    assert heard(page, FIRST) == {"bass", "viola", "bell"}
    assert heard(page, SECOND) == {"bass", "flute", "bell"}


def test_each_stem_is_heard_alone_when_the_others_are_muted(page):
    for name in BAND:
        for other in BAND:
            muted = json.dumps(other != name)
            play(page, f"p.setMuted({number_of(page, other)}, {muted})")
        assert heard(page, SECOND if name == "flute" else FIRST) == {name}


def test_solo_silences_the_others_and_gives_them_back(page):
    viola = number_of(page, "viola")
    play(page, f"p.setSolo({viola}, true)")
    assert heard(page) == {"viola"}
    play(page, f"p.setSolo({number_of(page, 'bass')}, true)")
    assert heard(page) == {"viola", "bass"}
    play(
        page, f"p.setSolo({viola}, false); p.setSolo({number_of(page, 'bass')}, false)"
    )
    assert heard(page) == {"bass", "viola", "bell"}


def test_only_this_and_all_but_this_are_each_other_s_rest(page):
    bass = number_of(page, "bass")
    play(page, f"p.onlyThis({bass})")
    assert heard(page) == {"bass"}
    play(page, f"p.allBut({bass})")
    assert heard(page) == {"viola", "bell"}


def test_level_is_in_decibels_and_of_one_stem(page):
    play(page, f"p.setGain({number_of(page, 'viola')}, -6.0206)")
    y, sr = rendered(page, *FIRST)
    assert level(y, sr, BAND["viola"][0]) == pytest.approx(AMPLITUDE / 2, rel=0.03)
    assert level(y, sr, BAND["bass"][0]) == pytest.approx(AMPLITUDE, rel=0.03)


def test_pan_moves_one_stem_to_a_side(page):
    bass, viola = number_of(page, "bass"), number_of(page, "viola")
    play(page, f"p.setPan({bass}, -1); p.setPan({viola}, 1)")
    y, sr = rendered(page, *FIRST)
    left, right = level(y, sr, BAND["bass"][0])
    assert left > AMPLITUDE / 2
    assert right < AMPLITUDE / 100
    left, right = level(y, sr, BAND["viola"][0])
    assert left < AMPLITUDE / 100
    assert right > AMPLITUDE / 2
    assert level(y, sr, BAND["bell"][0]) == pytest.approx(AMPLITUDE, rel=0.03)


@pytest.mark.parametrize("audio", ["ogg", "mp3"])
def test_each_stem_in_the_page_is_the_written_one(visit, tmp_path, audio):
    page = visit(made_stems.band(tmp_path, report_audio=audio) / "report.html").page
    for name in BAND:
        play(page, f"p.onlyThis({number_of(page, name)})")
        y, sr = rendered(page, 0, 4)
        written, rate = soundfile.read(tmp_path / "out/song/sources" / f"{name}.wav")
        assert sr == rate
        assert y.shape == written.T.shape
        error = np.sqrt(np.mean((y - written.T) ** 2) / np.mean(written**2))
        assert 20 * np.log10(error) < CODEC_DB


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    """The run folder of sixteen stems that click at the same sample."""
    return made_stems.clicks(tmp_path_factory.mktemp("clicks"), 16)


def test_sixteen_stems_start_at_the_same_sample(visit, clicks):
    page = visit(clicks / "report.html").page
    y, sr = rendered(page, 0, 0.5)
    together = y[0]
    assert np.argmax(abs(together)) == 11025 * sr // 44100
    alone = []
    for stem in (0, 7, 15):
        play(page, f"p.onlyThis({stem})")
        alone.append(np.argmax(abs(rendered(page, 0, 0.5)[0][0])))
    assert set(alone) == {11025 * sr // 44100}


#: A machine so busy that each call takes its time: the first stems would be ahead.
BUSY = """
const begin = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...given) {
  for (const until = performance.now() + 5; performance.now() < until;);
  return begin.apply(this, given);
};"""


ENDED = "(heard.starts.length === 16 && !specnmf.player.playing)"


@pytest.mark.parametrize("machine", ["", BUSY], ids=["idle", "busy"])
def test_sixteen_stems_are_heard_at_once_by_the_speakers(visit, clicks, machine):
    page = visit(clicks / "report.html").page
    page.evaluate(f"() => {{ {machine} }}")
    expected = np.abs(rendered(page, 0, 0.5)[0][0]).max()
    play(page, "p.play()")
    until(page, f"specnmf.player.time > 0.6 || {ENDED}")
    starts = page.evaluate("heard.starts")
    assert len(starts) == 16
    assert len({(each["when"], each["offset"]) for each in starts}) == 1
    y, _ = tapped(page)
    peak = np.argmax(abs(y[0]))
    assert abs(y[0, peak]) == pytest.approx(expected, rel=0.01)
    far = np.abs(np.arange(y.shape[1]) - peak) > 500
    assert np.abs(y[0, far]).max() < expected / 5


def test_playing_is_heard_and_pausing_is_not(page):
    assert not play(page, "return p.playing")
    play(page, "p.seek(0.5); p.play()")
    until(page, "specnmf.player.time > 1.0")
    assert play(page, "return p.playing")
    play(page, "p.pause()")
    stopped = play(page, "return p.time")
    y, sr = tapped(page)
    assert {"bass", "viola", "bell"} <= stems_in(y[:, -round(0.4 * sr) :], sr)
    until(page, f"heard.blocks.length > {y.shape[1] // 4096 + 6}")
    assert play(page, "return p.time") == stopped
    assert stems_in(*after(page, y)) == set()


def after(page, before):
    """What went to the speakers since, but for what was on its way."""
    y, sr = tapped(page)
    return y[:, before.shape[1] + 8192 :], sr


def test_a_solo_while_playing_is_heard_at_once(page):
    play(page, f"p.seek(0.5); p.play(); p.setSolo({number_of(page, 'bell')}, true)")
    until(page, "specnmf.player.time > 1.3")
    y, sr = tapped(page)
    assert stems_in(y[:, -round(0.4 * sr) :], sr) == {"bell"}


def test_seeking_while_playing_goes_on_from_there(page):
    play(page, "p.seek(0.5); p.play()")
    until(page, "specnmf.player.time > 0.7")
    play(page, "p.seek(2.4)")
    until(page, "specnmf.player.time > 2.9")
    y, sr = tapped(page)
    assert stems_in(y[:, -round(0.3 * sr) :], sr) == {"bass", "flute", "bell"}


def test_a_loop_comes_back_to_its_start(page):
    play(page, "p.setLoop(0.5, 0.9); p.seek(0.5); p.play()")
    for _ in range(2):
        times = times_until_it_goes_back(page)
        assert min(times) >= 0.5 - 0.01
        assert max(times) <= 0.9 + 0.01
    play(page, "p.setLoop(null)")
    assert play(page, "return p.loop") is None
    until(page, "specnmf.player.time > 1.0")


def test_it_stops_at_the_end(page):
    play(page, "p.seek(3.7); p.play()")
    until(page, "!specnmf.player.playing")
    assert 0 <= play(page, "return p.time") <= 4.001


def test_seeking_outside_the_song_stays_in_it(page):
    for place, expected in ((-1, 0), (5, 4), (1e9, 4)):
        play(page, f"p.seek({place})")
        assert play(page, "return p.time") == pytest.approx(expected)


def test_contents_say_what_the_run_says(page, band):
    contents = page.evaluate("specnmf.contents")
    report = json.loads((band / "run.json").read_text())
    assert contents["title"] == "song"
    assert contents["kind"] == report["kind"]
    assert contents["sr"] == report["audio"]["sr"]
    assert contents["duration"] == pytest.approx(4)
