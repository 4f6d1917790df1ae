import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from specnmf import Audio, ParameterError
from specnmf.methods.transcription import basic_pitch
from specnmf.methods.transcription.basic_pitch import HOP, KEPT, SR, BasicPitch

needs_network = pytest.mark.skipif(
    basic_pitch.model_path() is None, reason="basic-pitch is not installed"
)

#: Longer than two windows, in seconds.
DURATION = 4.5

#: Notes with sharp onsets: start in seconds, MIDI number.
STRUCK = [(0.5, 60), (1.1, 64), (1.62, 67), (2.3, 57), (3.1, 72), (3.77, 62)]


@pytest.fixture(scope="module")
def tones(struck):
    """A function from a rate to the samples of `STRUCK`, shape (n,)."""
    return lambda sr=SR: struck(STRUCK, duration=DURATION, sr=sr).samples[0]


@pytest.fixture(scope="module")
def heard(tones):
    return BasicPitch().hear(Audio(tones(), SR), threads=1)


def onset_of(salience, start, pitch):
    """When a pitch is most likely to begin around a time, in seconds."""
    near = np.flatnonzero(np.abs(salience.times - start) < 0.1)
    return salience.times[near[salience.onsets[pitch - 21, near].argmax()]]


@needs_network
def test_frames_of_a_window_are_the_networks_own(heard, tones):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(basic_pitch.model_path())
    y = tones()
    y -= y.mean()
    first = KEPT * HOP - 15 * HOP  # where the second window begins
    window = y[first : first + basic_pitch.WINDOW][None, :, None]
    note, onset, contour = (
        session.run(
            [f"StatefulPartitionedCall:{k}"], {session.get_inputs()[0].name: window}
        )[0]
        for k in (1, 2, 0)
    )
    kept = slice(KEPT, 2 * KEPT)
    np.testing.assert_array_equal(heard.notes[:, kept], note[0, 15 : 15 + KEPT].T)
    np.testing.assert_array_equal(heard.onsets[:, kept], onset[0, 15 : 15 + KEPT].T)
    sharp = basic_pitch.cents(contour[0, 15 : 15 + KEPT].T)
    np.testing.assert_array_equal(heard.cents[:, kept], sharp)


@needs_network
def test_struck_tones_are_heard_at_their_pitch_and_within_a_frame(heard):
    for start, pitch in STRUCK:
        peak = onset_of(heard, start, pitch)
        assert abs(peak - start) <= heard.hop
        assert heard.notes[pitch - 21, round(start / heard.hop) + 10] > 0.5


@needs_network
def test_tones_in_tune_are_heard_in_tune(heard):
    for start, pitch in STRUCK:
        frame = round(start / heard.hop) + 15
        assert abs(heard.cents[pitch - 21, frame]) < 10


def test_cents_are_means_of_the_contour_around_a_pitch():
    contour = np.zeros((264, 2), np.float32)
    contour[3 * 40 : 3 * 40 + 3, 0] = 0.1, 0.7, 0.7
    contour[0, 1] = contour[263, 1] = 0.5
    cents = basic_pitch.cents(contour)
    assert cents[40].tolist() == pytest.approx([100 / 3 * 0.48 / 0.99, 0])
    assert cents[[0, 87], 1].tolist() == pytest.approx([-100 / 3, 100 / 3])


@needs_network
def test_times_are_those_of_all_frames(heard):
    n_frames = round(DURATION * SR) // HOP + 1
    assert heard.notes.shape == heard.onsets.shape == (88, n_frames)
    assert heard.cents.shape == (88, n_frames)
    assert heard.times[-1] == pytest.approx(DURATION, abs=heard.hop)


@needs_network
@pytest.mark.parametrize("sr", [16_000, 44_100, 48_000])
def test_rate_does_not_matter(heard, tones, sr):
    other = BasicPitch().hear(Audio(tones(sr), sr))
    assert abs(len(other.times) - len(heard.times)) <= 1
    n = len(heard.times) - 1
    assert np.abs(other.notes[:, :n] - heard.notes[:, :n]).mean() < 0.01


@needs_network
def test_channels_are_averaged_unless_they_cancel(heard, tones):
    y = tones()
    same = BasicPitch().hear(Audio(np.stack([2 * y, 0 * y]), SR))
    np.testing.assert_allclose(same.notes, heard.notes, atol=1e-3)
    upside_down = BasicPitch().hear(Audio(np.stack([y, -y]), SR))
    np.testing.assert_allclose(upside_down.notes, heard.notes, atol=1e-3)


@needs_network
def test_offset_is_not_heard(heard, tones):
    shifted = BasicPitch().hear(Audio(tones() + np.float32(0.2), SR))
    np.testing.assert_allclose(shifted.notes, heard.notes, atol=0.02)


@needs_network
def test_threads_do_not_change_a_bit(heard, tones):
    other = BasicPitch().hear(Audio(tones(), SR), threads=3)
    for name in ("notes", "onsets", "cents"):
        np.testing.assert_array_equal(getattr(other, name), getattr(heard, name))


@needs_network
@pytest.mark.parametrize("n_samples", [1, 7, HOP, 3000])
def test_shortest_recordings_and_silence_have_no_notes(n_samples):
    salience = BasicPitch().hear(Audio(np.zeros(n_samples, np.float32), 44_100))
    assert len(salience.times) >= 2
    assert salience.hop == pytest.approx(HOP / SR)
    assert salience.notes.max() < 0.3


@needs_network
def test_progress_is_told_in_windows(tones):
    told = []
    BasicPitch().hear(Audio(tones(), SR), step=lambda *done: told.append(done))
    assert told == [(3, 3)]


@needs_network
def test_nothing_is_printed_and_no_package_of_networks_imported():
    code = (
        "import sys, numpy as np, specnmf\n"
        "from specnmf.methods.transcription.basic_pitch import BasicPitch\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "BasicPitch().hear(specnmf.Audio(np.zeros(100, np.float32), 22050))\n"
        "assert not {'basic_pitch', 'tensorflow'} & {*sys.modules}\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A function that has a file of these bytes for the installed network."""

    def install(content):
        path = tmp_path / basic_pitch._MODEL
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        found = SimpleNamespace(locate_file=lambda name: tmp_path / name)
        monkeypatch.setattr(basic_pitch, "distribution", lambda name: found)
        return path

    return install


def hear_anything():
    return BasicPitch().hear(Audio(np.zeros(100, np.float32), SR))


def test_absent_package_is_one_line_with_both_commands(monkeypatch):
    def absent(name):
        raise basic_pitch.PackageNotFoundError(name)

    monkeypatch.setattr(basic_pitch, "distribution", absent)
    with pytest.raises(
        ParameterError,
        match="pip install onnxruntime.*pip install --no-deps basic-pitch",
    ):
        hear_anything()


def test_absent_onnxruntime_is_said_alike(monkeypatch):
    monkeypatch.setattr(basic_pitch, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match="pip install onnxruntime"):
        hear_anything()


def test_package_without_its_network_is_not_installed(installed):
    installed(b"").unlink()
    assert basic_pitch.model_path() is None


def test_folder_on_the_path_is_no_package(monkeypatch, tmp_path):
    path = tmp_path / basic_pitch._MODEL
    path.parent.mkdir(parents=True)
    path.write_bytes(b"anything")
    (tmp_path / "basic_pitch" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert basic_pitch.model_path() != path


@needs_network
@pytest.mark.parametrize("n_bytes", [0, 100, 100_000])
def test_truncated_network_is_one_line(installed, n_bytes):
    whole = basic_pitch.model_path().read_bytes()
    path = installed(whole[:n_bytes])
    with pytest.raises(ParameterError, match="install it again") as raised:
        hear_anything()
    message = str(raised.value)
    assert message.startswith(f"{path} is not the expected network of basic-pitch")
    assert "\n" not in message


@needs_network
def test_network_with_other_outputs_is_one_line(installed):
    whole = basic_pitch.model_path().read_bytes()
    installed(whole.replace(b"StatefulPartitionedCall:2", b"StatefulPartitionedCall:9"))
    with pytest.raises(ParameterError, match=r"Call:9.*install it again") as raised:
        hear_anything()
    assert "\n" not in str(raised.value)
