"""What libsndfile does not read, against the ffmpeg command's decoding of it."""

import importlib.util
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT

import specnmf
from specnmf.audio import media, reading, streaming
from specnmf.errors import AudioError

pytest.importorskip("av")

SR = 44100

#: A file of each kind, and how ffmpeg makes it.
KINDS = {
    "aac.m4a": "-c:a aac",
    "alac.m4a": "-c:a alac",
    "fragments.mp4": "-c:a aac -movflags frag_keyframe+empty_moov -frag_duration 99999",
    "wma.wma": "-c:a wmav2",
    "opus.mka": "-c:a libopus",
    "opus.webm": "-c:a libopus",
    "vorbis.mkv": "-c:a libvorbis",
    "wavpack.wv": "",
    "true.tta": "",
    "dolby.ac3": "",
    "dolby.eac3": "",
    "theatre.dts": "-strict -2 -c:a dca",
    "raw.aac": "",
    "pcm.mov": "-c:a pcm_s24le",
    "stream.ts": "-c:a aac",
    "program.mpg": "-c:a mp2",
    "old.avi": "-c:a libmp3lame",
    "flash.flv": "-c:a aac",
    "lossless.caf": "-c:a alac",
    "flac.ogg": "-c:a flac",
    "speech.spx": "-c:a libspeex",
    "dolby.wav": "-c:a ac3",
}

#: Those that keep every sample.
LOSSLESS = ("alac.m4a", "wavpack.wv", "true.tta", "pcm.mov", "lossless.caf", "flac.ogg")


def ffmpeg(*arguments, folder=None):
    """Call ffmpeg; what it writes to standard output."""
    command = ["ffmpeg", "-y", "-v", "error", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same tone in all kinds, and as tone.wav."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs the command ffmpeg")
    folder = tmp_path_factory.mktemp("media")
    t = np.arange(30011) / SR
    y = 0.4 * np.sin(2 * np.pi * np.array([[440], [660]]) * t)
    y += 0.01 * np.random.default_rng(0).standard_normal(y.shape)
    soundfile.write(folder / "tone.wav", y.T, SR, "PCM_16")
    outputs = [
        word for name, how in KINDS.items() for word in (*how.split(), folder / name)
    ]
    ffmpeg("-i", folder / "tone.wav", *outputs)
    return folder


@pytest.fixture
def hidden(monkeypatch):
    """PyAV is not installed."""
    monkeypatch.setitem(sys.modules, "av", None)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_reads_as_ffmpeg_decodes_it(folder, name):
    audio = specnmf.read(folder / name)
    raw = ffmpeg("-i", folder / name, "-f", "f32le", "-")
    expected = np.frombuffer(raw, "<f4").reshape(-1, 2).T
    assert audio.samples.shape == expected.shape
    np.testing.assert_allclose(audio.samples, expected, atol=1e-6)


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_files_hold_the_samples_that_were_written(folder, name):
    expected = specnmf.read(folder / "tone.wav").samples
    assert np.array_equal(specnmf.read(folder / name).samples, expected)


@pytest.mark.parametrize("name", ["aac.m4a", "opus.mka", "stream.ts", "wma.wma"])
def test_an_excerpt_is_that_part_of_the_whole(folder, name):
    whole = specnmf.read(folder / name)
    part = specnmf.read(folder / name, start=0.2, duration=0.15)
    first = round(0.2 * whole.sr)
    expected = whole.samples[:, first : first + round(0.15 * whole.sr)]
    assert np.array_equal(part.samples, expected)


@pytest.mark.parametrize("name", ["aac.m4a", "raw.aac", "wavpack.wv"])
def test_a_recording_on_disk_is_the_same_in_every_pass(folder, name):
    recording = streaming.survey(folder / name)
    whole = specnmf.read(folder / name).samples
    for _ in range(2):
        assert np.array_equal(np.concatenate([*recording.blocks()], axis=1), whole)


def test_sources_of_lossless_files_have_their_bits_and_others_24(folder):
    found = {}
    for name in ("alac.m4a", "pcm.mov", "aac.m4a"):
        with reading.reading(folder / name) as source:
            found[name] = source.subtype
    assert found == {"alac.m4a": "PCM_16", "pcm.mov": "PCM_24", "aac.m4a": "AAC"}


def test_what_libsndfile_reads_is_still_read_by_it(folder, hidden):
    ffmpeg("-i", folder / "tone.wav", folder / "song.opus", folder / "song.mp2")
    for name in ("tone.wav", "song.opus", "song.mp2"):
        assert specnmf.read(folder / name).n_channels == 2


def test_a_video_gives_its_sound(folder, tmp_path):
    path = tmp_path / "video.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc=d=0.7:s=32x32")
    codecs = ("-c:v", "mpeg4", "-c:a", "aac")
    ffmpeg(*picture, "-i", folder / "tone.wav", *codecs, path)
    expected = specnmf.read(folder / "aac.m4a").samples
    assert np.array_equal(specnmf.read(path).samples, expected)
    ffmpeg(*picture, "-an", "-c:v", "mpeg4", path)
    with pytest.raises(AudioError, match=r"video\.mp4: holds no sound$"):
        specnmf.read(path)


def test_of_several_tracks_the_one_that_is_read_is_told(folder, tmp_path):
    path = tmp_path / "two.mkv"
    mono = ("-i", folder / "tone.wav", "-filter_complex", "[0:a]pan=mono|c0=c0[m]")
    how = ("-map", "[m]", "-map", "0:a", "-c:a", "flac", "-disposition:a", "0")
    ffmpeg(*mono, *how, path)
    with pytest.warns(UserWarning, match="holds 2 sound tracks; number 2 is read"):
        assert specnmf.read(path).n_channels == 2


def test_a_track_that_begins_later_is_passed_over(folder, tmp_path):
    one = ("-map", "0:a", "-c:a", "mp2")
    ten = ("-stream_loop", 9, "-i", folder / "tone.wav")
    ffmpeg(*ten, *one, tmp_path / "one.ts")
    ffmpeg("-i", folder / "tone.wav", *one, "-map", "0:a", tmp_path / "two.ts")
    one, two = ((tmp_path / f"{name}.ts").read_bytes() for name in ("one", "two"))
    # FFmpeg looks at the beginning and the end before it reads.
    (tmp_path / "later.ts").write_bytes(one + two + one)
    audio = specnmf.read(tmp_path / "later.ts")
    assert audio.n_samples == pytest.approx(21 * 30011, abs=5000)


def test_padding_that_itunes_states_is_left_out(tmp_path):
    path = tmp_path / "song.m4a"
    for n in (5000, 4096):  # of the latter there is none
        t = np.arange(n) / SR
        specnmf.write(path, 0.5 * np.sin(2 * np.pi * 440 * t), sr=SR)
        assert specnmf.read(path).n_samples == n
        data = path.read_bytes().replace(b" 00000000 00000400 ", b" 00000000 00000400x")
        path.write_bytes(data)
        assert specnmf.read(path).n_samples == -(-n // 1024) * 1024


def test_nothing_is_printed(folder, tmp_path, capfd):
    data = (folder / "raw.aac").read_bytes()
    (tmp_path / "cut.aac").write_bytes(data[:5000])
    specnmf.read(tmp_path / "cut.aac")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["opus.webm", "fast.m4a"])
def test_a_file_cut_short_is_read_as_far_as_it_goes(folder, tmp_path, name):
    if name == "fast.m4a":  # its header stands first
        fast = ("-c", "copy", "-movflags", "faststart")
        ffmpeg("-i", folder / "aac.m4a", *fast, folder / name)
    whole = specnmf.read(folder / name).samples
    data = (folder / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: 2 * len(data) // 5])
    with pytest.warns(UserWarning, match=r"0\.[1-4]\d s shorter than its header says"):
        audio = specnmf.read(path)
    n = audio.n_samples
    assert n > 0.2 * whole.shape[1]
    np.testing.assert_allclose(audio.samples, whole[:, :n], atol=1e-6)


def test_a_file_damaged_in_the_middle_is_an_error_for_what_follows_would_move(
    folder, tmp_path
):
    data = bytearray((folder / "alac.m4a").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = bytes(1500)
    path = tmp_path / "hole.m4a"
    path.write_bytes(data)
    with pytest.raises(
        AudioError, match=r"hole\.m4a: damaged before 0\.\d s"
    ) as caught:
        specnmf.read(path)
    assert str(caught.value).endswith("ffmpeg -i hole.m4a hole_repaired.wav")


def test_a_protected_file_is_told_to_be_so(folder, tmp_path):
    lock = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16)
    how = ("-c:a", "aac", *lock, "-encryption_kid", "a7" * 16)
    ffmpeg("-i", folder / "tone.wav", *how, tmp_path / "locked.mp4")
    with pytest.raises(AudioError, match=r"locked\.mp4: protected against copying"):
        specnmf.read(tmp_path / "locked.mp4")


def test_a_change_of_channels_is_an_error(folder, tmp_path):
    ffmpeg("-i", folder / "tone.wav", "-ac", 1, tmp_path / "mono.ac3")
    both = (folder / "dolby.ac3").read_bytes() + (tmp_path / "mono.ac3").read_bytes()
    (tmp_path / "both.ac3").write_bytes(both)
    with pytest.raises(AudioError, match="changes from 2 channels at 44100 Hz to 1"):
        specnmf.read(tmp_path / "both.ac3")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "list.m4a",
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
        ),
        ("list.mp4", "ffconcat version 1.0\nfile '{}'\n"),
        ("list.mov", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 97\n"),
        ("list.mkv", "<?xml version='1.0'?><MPD><BaseURL>{}</BaseURL></MPD>"),
    ],
)
def test_a_list_that_is_called_like_a_recording_opens_no_other_file(
    folder, tmp_path, name, text
):
    shutil.copy(folder / "stream.ts", tmp_path / "other.ts")
    (tmp_path / name).write_text(text.format("other.ts"))
    with pytest.raises(AudioError, match="not a recording or video that FFmpeg reads"):
        specnmf.read(tmp_path / name)


def box(kind, *parts):
    """A box of a QuickTime file."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def words(*numbers):
    return struct.pack(f">{len(numbers)}I", *numbers)


def movie(n_chunks, samples):
    """A QuickTime file whose index plays the same samples, int16, again and again."""
    per, total = len(samples), n_chunks * len(samples)
    sound = (bytes(6), b"\0\1", bytes(8), struct.pack(">4H", 1, 16, 0, 0))
    front = box(b"ftyp", b"qt  ", words(0), b"qt  ")
    table = box(
        b"stbl",
        box(b"stsd", words(0, 1), box(b"sowt", *sound, words(SR << 16))),
        box(b"stts", words(0, 1, total, 1)),
        box(b"stsc", words(0, 1, 1, per, 1)),
        box(b"stsz", words(0, 2, total)),
        box(b"stco", words(0, n_chunks), words(len(front) + 8) * n_chunks),
    )
    media = box(
        b"mdia",
        box(b"mdhd", words(0, 0, 0, SR, total, 0)),
        box(b"hdlr", words(0), b"mhlrsoun", bytes(13)),
        box(b"minf", table),
    )
    track = box(b"trak", box(b"tkhd", words(7, 0, 0, 1, 0, total), bytes(60)), media)
    head = box(b"mvhd", words(0, 0, 0, SR, total), bytes(80))
    return front + box(b"mdat", samples.tobytes()) + box(b"moov", head, track)


def test_an_index_may_repeat_sound_but_not_without_end(tmp_path):
    samples = np.arange(500_000, dtype="<i2")
    (tmp_path / "few.mov").write_bytes(movie(3, samples))
    audio = specnmf.read(tmp_path / "few.mov")
    assert np.array_equal(audio.samples[0], np.tile(samples / 32768, 3))
    (tmp_path / "many.mov").write_bytes(movie(1000, samples))
    with pytest.raises(AudioError, match="its index repeats the same sound again"):
        streaming.survey(tmp_path / "many.mov")


def test_an_index_that_claims_millions_of_packets_takes_no_memory(folder, tmp_path):
    data = bytearray((folder / "aac.m4a").read_bytes())
    count = words(50_000_000)
    for kind, place, new in (
        (b"stsz", 8, words(400) + count),
        (b"stsc", 16, count),
        (b"stts", 8, words(1) + count),
    ):
        at = data.index(kind) + place
        data[at : at + len(new)] = new
    (tmp_path / "claim.m4a").write_bytes(data)
    with pytest.raises(AudioError, match="no sound in it can be decoded"):
        specnmf.read(tmp_path / "claim.m4a")


def test_on_the_command_line_pyav_is_missed_in_one_line(folder, hidden, run):
    status, out, err = run("decompose", folder / "aac.m4a")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "pip install 'specnmf[media]'" in err
    status, out, err = run("decompose", folder / "tone.wav", "--format", "m4a")
    assert (status, out) == (1, "")
    assert err.endswith("m4a is written with PyAV; install it: " + media.INSTALL + "\n")


def test_without_pyav_the_command_that_installs_it_is_told(folder, hidden):
    with pytest.raises(AudioError) as caught:
        specnmf.read(folder / "aac.m4a")
    message = str(caught.value)
    assert "install it: pip install 'specnmf[media]'" in message
    assert message.endswith("ffmpeg -i aac.m4a aac_converted.wav")
    assert "\n" not in message


def test_pyav_is_imported_only_when_a_file_needs_it():
    code = (
        "import sys, specnmf; "
        f"specnmf.read({str(ROOT / 'audio_examples/drums/drums.flac')!r}); "
        "assert 'av' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_suffixes_are_small_and_in_order():
    assert list(media.SUFFIXES) == sorted(set(media.SUFFIXES), key=media.SUFFIXES.index)
    assert all(each == each.lower() and each[0] == "." for each in media.SUFFIXES)
    assert importlib.util.find_spec("av") is not None


@pytest.mark.parametrize("kind", ["m4a", "mka", "wma"])
def test_texts_are_those_of_the_file(folder, tmp_path, kind):
    path = tmp_path / f"song.{kind}"
    given = {"title": "Étude", "artist": "A & B", "track": "3"}
    texts = [part for item in given.items() for part in ("-metadata", "=".join(item))]
    ffmpeg("-i", folder / "tone.wav", *texts, path)
    with reading.reading(path) as source:
        found = source.tags().texts
    assert found["title"] == "Étude"
    assert found["artist"] == "A & B"
    assert found["tracknumber"] == "3"
