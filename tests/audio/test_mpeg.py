"""MP3 files: tags, padding, junk and damage, against the bare frames."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile

import specnmf
from specnmf.audio import mpeg, reading

SR = 44100

#: Samples by which encoder and decoder together are late.
DELAY = 1105


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """An MP3 of noise that states its length, and soundfile's reading of it."""
    path = tmp_path_factory.mktemp("mp3") / "song.mp3"
    y = 0.1 * np.random.default_rng(0).standard_normal((SR, 2))
    soundfile.write(path, y, SR, format="MP3")
    return path.read_bytes(), soundfile.read(path, dtype="float32")[0].T


@pytest.fixture(scope="module")
def bare(song):
    """The same without the first frame, in which the length is stated."""
    data = song[0]
    assert b"Xing" in data[:200] or b"Info" in data[:200]
    return data[data.index(data[:2], 4) :]


def id3(size, *, footer=False):
    """A tag of so many bytes in all, with a picture."""
    n = size - (20 if footer else 10)
    sizes = bytes(n >> shift & 127 for shift in (21, 14, 7, 0))
    head = bytes([4, 0, 0x10 if footer else 0]) + sizes
    picture = b"\0image/jpeg\0\3\0" + bytes(i * 37 & 255 for i in range(n))
    frame = b"APIC" + (n - 10).to_bytes(4, "big") + b"\0\0" + picture
    return b"ID3" + head + frame[:n] + (b"3DI" + head if footer else b"")


def ape(n):
    """An APEv2 tag with a header, and a text of so many bytes."""
    item = n.to_bytes(4, "little") + bytes(4) + b"Title\0" + b"A" * n

    def end(flags):
        numbers = (2000, len(item) + 32, 1, flags)
        return (
            b"APETAGEX" + b"".join(x.to_bytes(4, "little") for x in numbers) + bytes(8)
        )

    return end(0xA0000000) + item + end(0x80000000)


FRONTS = {
    "a small tag": id3(1000),
    "51,201 bytes": id3(51_201),
    "a large picture": id3(300_000),
    "a footer": id3(60_000, footer=True),
    "two tags": id3(2000) + id3(70_000),
    "an APE tag": ape(5000),
    "both kinds": id3(2000) + ape(100),
    "padding": id3(60_000) + bytes(100_000),
    "zeros": bytes(1000),
    "junk": b"junk" * 400,
    "a tag that is shorter than it says": id3(60_000)[:50_000],
}

BACKS = {"ID3v1": b"TAG" + b"x" * 125, "APE": ape(3000), "ID3v2": id3(999)}


@pytest.mark.parametrize("front", FRONTS)
def test_what_stands_before_the_frames_changes_nothing(tmp_path, song, bare, front):
    path = tmp_path / "song.mp3"
    path.write_bytes(bare)
    expected = specnmf.read(path).samples
    path.write_bytes(FRONTS[front] + bare)
    assert (specnmf.read(path).samples == expected).all()
    part = specnmf.read(path, start=0.25, duration=0.5).samples
    assert (part == expected[:, 11025:33075]).all()
    path.write_bytes(FRONTS[front] + song[0])
    np.testing.assert_allclose(specnmf.read(path).samples, song[1], atol=1e-6)


@pytest.mark.parametrize("back", BACKS)
def test_what_stands_behind_the_frames_changes_nothing(tmp_path, song, bare, back):
    path = tmp_path / "song.mp3"
    path.write_bytes(bare)
    expected = specnmf.read(path).samples
    path.write_bytes(bare + BACKS[back])
    assert (specnmf.read(path).samples == expected).all()
    path.write_bytes(song[0] + BACKS[back])
    np.testing.assert_allclose(specnmf.read(path).samples, song[1], atol=1e-6)


def test_without_a_stated_length_every_frame_is_read(tmp_path, song, bare):
    path = tmp_path / "bare.mp3"
    path.write_bytes(id3(60_000) + bare)
    samples = specnmf.read(path).samples
    assert samples.shape[1] % 1152 == 0
    assert samples.shape[1] >= SR + DELAY
    # The first frames differ in what the decoder has in store from before.
    later = slice(3 * 1152, SR)
    expected = song[1][:, later]
    np.testing.assert_allclose(samples[:, DELAY:][:, later], expected, atol=1e-6)
    assert reading.remarks(path, samples.shape[1]) == []


@pytest.mark.parametrize("sr", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_frames_of_all_rates_are_found(tmp_path, sr, channels):
    path = tmp_path / "song.mp3"
    y = 0.1 * np.random.default_rng(1).standard_normal((sr, channels))
    soundfile.write(path, y, sr, format="MP3")
    data = path.read_bytes()
    path.write_bytes(id3(60_000) + data[data.index(data[:2], 4) :])
    audio = specnmf.read(path)
    assert (audio.sr, audio.n_channels) == (sr, channels)
    assert audio.n_samples == pytest.approx(sr, abs=4 * 1152)
    assert audio.n_samples >= sr


@pytest.mark.parametrize("options", [["-b:a", "128k"], ["-q:a", "5"], ["-b:a", "320k"]])
def test_the_samples_are_ffmpegs(tmp_path, options):
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    wav, path = tmp_path / "noise.wav", tmp_path / "song.mp3"
    y = 0.1 * np.random.default_rng(2).standard_normal((3 * SR, 2))
    soundfile.write(wav, y * np.linspace(0, 1, 3 * SR)[:, None], SR)
    make = ["ffmpeg", "-v", "error", "-i", wav, *options, "-write_xing", "0"]
    subprocess.run([*make, "-id3v2_version", "0", path], check=True)
    path.write_bytes(id3(90_000) + path.read_bytes())
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"]
    peer = subprocess.run(command, check=True, capture_output=True).stdout
    expected = np.frombuffer(peer, "<f4").reshape(-1, 2).T
    samples = specnmf.read(path).samples
    assert samples.shape == expected.shape
    np.testing.assert_allclose(samples, expected, atol=1e-4)


def test_files_joined_to_one_are_read_to_the_end(tmp_path, song):
    path = tmp_path / "joined.mp3"
    path.write_bytes(song[0] + id3(1000) + song[0])
    with pytest.warns(
        UserWarning, match="several MP3 files joined in one: all are read"
    ):
        audio = specnmf.read(path)
    assert audio.duration == pytest.approx(2, abs=0.15)
    assert abs(audio.samples[:, -SR // 2 : -SR // 4]).max() > 0.1


def test_damage_is_counted_and_the_rest_is_read(tmp_path, bare, capfd):
    path = tmp_path / "damaged.mp3"
    path.write_bytes(bare)
    whole = specnmf.read(path)
    middle = len(bare) // 2
    path.write_bytes(bare[:middle] + bytes(700) + bare[middle + 700 :])
    with pytest.warns(UserWarning, match=r"damaged: \d+ bytes belong to no frame and"):
        audio = specnmf.read(path)
    assert whole.n_samples - 4 * 1152 <= audio.n_samples < whole.n_samples
    path.write_bytes(bare + b"other" * 2000)
    with pytest.warns(UserWarning, match="damaged: 10000 bytes belong to no frame"):
        assert (specnmf.read(path).samples == whole.samples).all()
    path.write_bytes(b"junk" * 20_000 + bare)
    with pytest.warns(UserWarning, match="damaged: 80000 bytes belong to no frame"):
        assert (specnmf.read(path).samples == whole.samples).all()
    path.write_bytes(bare[:-100])
    assert specnmf.read(path).n_samples == whole.n_samples - 1152
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("at", [1000, 3000, 5000, 9000])
def test_damage_near_the_beginning_costs_no_more_than_it_covers(
    tmp_path, song, bare, at
):
    path = tmp_path / "damaged.mp3"
    for data in (song[0], bare):
        path.write_bytes(data)
        whole = specnmf.read(path).n_samples
        path.write_bytes(data[:at] + bytes(2000) + data[at + 2000 :])
        n_samples = reading.load(path).n_samples
        assert n_samples >= whole - 6 * 1152
        assert any("damaged: " in said for said in reading.remarks(path, n_samples))


@pytest.mark.parametrize(
    "data",
    [id3(60_000), id3(2000) + BACKS["ID3v1"], BACKS["ID3v1"], id3(999) + bytes(5000),
     id3(60_000)[:3000], ape(50)],
)  # fmt: skip
def test_a_tag_alone_is_called_so(tmp_path, data):
    path = tmp_path / "tag.mp3"
    path.write_bytes(data)
    with pytest.raises(
        specnmf.AudioError, match=r"tag\.mp3: holds a tag but no sound$"
    ):
        specnmf.read(path)


def test_no_message_has_libsndfiles_inner_words(tmp_path, rng):
    path = tmp_path / "noise.mp3"
    for data in (rng.bytes(100_000), id3(999) + rng.bytes(9999), b"junk" * 99):
        path.write_bytes(data)
        with pytest.raises(specnmf.AudioError) as caught:
            specnmf.read(path)
        assert "not an audio file that libsndfile reads" in str(caught.value)
        assert "pipe" not in str(caught.value)
        assert "internal" not in str(caught.value)


def test_what_is_no_mp3_has_no_frames(tmp_path, rng):
    path = tmp_path / "noise.wav"
    soundfile.write(path, 0.1 * rng.standard_normal(9999), SR)
    assert mpeg.layout(path) is None
    path.write_bytes(id3(999) + path.read_bytes())
    assert mpeg.layout(path) is None


@pytest.mark.parametrize("format", ["FLAC", "WAV", "AIFF", "SVX", "CAF"])
@pytest.mark.parametrize(
    "front",
    [
        id3(2000),
        id3(300_000),
        id3(99) + id3(70_000),
        # Flags that promise a footer, and a size in all eight bits.
        b"ID3\4\0\xff" + id3(2000)[6:],
        b"ID3\4\0\0\x80\x80" + id3(2000)[8:],
    ],
)
def test_tags_before_other_formats_change_nothing(tmp_path, rng, format, front):
    path = tmp_path / "song"
    soundfile.write(path, 0.1 * rng.standard_normal(999), SR, format=format)
    expected = specnmf.read(path).samples
    path.write_bytes(front + path.read_bytes())
    assert (specnmf.read(path).samples == expected).all()


@pytest.mark.parametrize("n", range(4, 16))
def test_a_file_that_ends_in_the_header_of_its_first_frame_is_refused(
    tmp_path, song, n
):
    path = tmp_path / "song.mp3"
    at = max(song[0][:200].find(mark) for mark in (b"Xing", b"Info"))
    path.write_bytes(song[0][: at + n])
    with pytest.raises(specnmf.AudioError):
        specnmf.read(path)
