"""basic-pitch: the network of Bittner et al., if it is installed.

Its package is never imported, as it needs TensorFlow: only its ONNX file is used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio, at_rate
from specnmf.errors import ParameterError
from specnmf.methods.progress import Step
from specnmf.methods.transcription.salience import N_PITCHES, Odds, Salience
from specnmf.parallel import cut, workers

Float32 = NDArray[np.float32]

#: The sample rate of the network in Hz, and its window in samples.
SR, WINDOW = 22_050, 43_844

#: Samples per frame, frames per window, and frames dropped at each edge of a window.
HOP, N_FRAMES, EDGE = 256, 172, 15

#: Frames per window that are kept: they follow those of the window before.
KEPT = 141

#: Windows between two reports of progress.
GROUP = 16

#: If the norm of the channels' mean is below this share of the loudest channel's norm,
#: the channels cancel: one is the other inverted. Independent channels have .7.
CANCELLED = 0.3

#: How to install the missing packages.
INSTALL = "pip install onnxruntime, then pip install --no-deps basic-pitch"

_MODEL = "basic_pitch/saved_models/icassp_2022/nmp.onnx"

#: What tells notes, by rendered music of two to five parts.
ODDS = Odds((0.6, 0.11, -1.13, 6.8, 4.41, -1.1), -9.0)

#: Thirds of a semitone on either side of a pitch over which its frequency is averaged.
AROUND = 2

#: The outputs, and their rows.
_OUTPUTS = {"contour": 3 * N_PITCHES, "note": N_PITCHES, "onset": N_PITCHES}
_NAMES = [f"StatefulPartitionedCall:{place}" for place in range(len(_OUTPUTS))]


class BasicPitch:
    """A network for all instruments (Bittner et al., ICASSP 2022)."""

    name = "basic-pitch"

    def hear(
        self, audio: Audio, *, threads: int | None = None, step: Step | None = None
    ) -> Salience:
        """The salience of a recording.

        Besides the recording, it needs about 30 MB per minute.

        Parameters
        ----------
        audio : Audio
            At any rate; channels are averaged, unless they cancel.
        threads : int, optional
            Windows at a time; None: one per core. Never changes the result.
        step : callable, optional
            Called with the numbers of finished and of all windows.

        Returns
        -------
        Salience
            Frames of 256 samples at 22,050 Hz; a sharp onset peaks within one frame.

        Raises
        ------
        ParameterError
            If onnxruntime or basic-pitch is not installed, or is damaged.
        """
        listen = _network()
        samples = _resampled(audio)
        n_frames = max(2, len(samples) // HOP + 1)
        heard = [np.zeros((rows, n_frames), np.float32) for rows in _OUTPUTS.values()]
        n_windows = -(-n_frames // KEPT)
        with workers(threads) as mapper:
            for group in cut(slice(0, n_windows), GROUP):
                numbers = range(group.start, group.stop)
                outputs = mapper(lambda n: listen(_window(samples, n)), numbers)
                for number, output in zip(numbers, outputs, strict=True):
                    for whole, part in zip(heard, output, strict=True):
                        place = whole[:, number * KEPT : (number + 1) * KEPT]
                        place[:] = part[EDGE : EDGE + place.shape[1]].T
                if step is not None:
                    step(group.stop, n_windows)
        contour, notes, onsets = heard
        times = np.arange(n_frames) * HOP / SR
        return Salience(notes, onsets, times, cents(contour), ODDS)


def cents(contour: Float32) -> Float32:
    """How sharp each pitch is, (N_PITCHES, n_frames): the mean by squared likelihood.

    ``contour`` (3 * N_PITCHES, n_frames) is the likelihood of each third of a semitone;
    row 3 p + 1 is pitch p itself.
    """
    padded = np.pad(contour, ((AROUND, AROUND), (0, 0)))
    total, moment = (np.zeros((N_PITCHES, contour.shape[1]), np.float32) for _ in "tm")
    for thirds in range(-AROUND, AROUND + 1):
        weights = padded[AROUND + thirds + 1 :: 3][:N_PITCHES] ** 2
        total += weights
        moment += np.float32(100 / 3 * thirds) * weights
    return np.asarray(moment / np.maximum(total, np.float32(1e-9)), np.float32)


def model_path() -> Path | None:
    """The path of the network's file; None if it or onnxruntime is not installed.

    Only the installed package counts, not a folder of its name on the path.
    """
    if find_spec("onnxruntime") is None:
        return None
    try:
        path = Path(str(distribution("basic-pitch").locate_file(_MODEL)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None


def installed() -> Path:
    """The path of the network's file.

    Raises
    ------
    ParameterError
        If it or onnxruntime is not installed.
    """
    path = model_path()
    if path is None:
        raise ParameterError(
            f"basic-pitch is not installed; {INSTALL}; or use the builtin transcriber"
        )
    return path


def _network() -> Callable[[Float32], list[Float32]]:
    """A function from a window, (WINDOW,), to each output, (N_FRAMES, rows)."""
    session = _session(installed())
    (name,) = (each.name for each in session.get_inputs())

    def listen(window: Float32) -> list[Float32]:
        outputs = session.run(_NAMES, {name: window[np.newaxis, :, np.newaxis]})
        return [output[0] for output in outputs]

    return listen


def _session(path: Path) -> Any:
    """The network, ready to run in the thread that calls it."""
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no common base
        raise ParameterError(_damaged(path, str(error))) from error
    ends = (session.get_inputs(), session.get_outputs())
    found = [{each.name: each.shape[1:] for each in end} for end in ends]
    shapes = [[N_FRAMES, rows] for rows in _OUTPUTS.values()]
    expected = dict(zip(_NAMES, shapes, strict=True))
    if [*found[0].values()] != [[WINDOW, 1]] or found[1] != expected:
        raise ParameterError(
            _damaged(path, f"it takes {found[0]} and returns {found[1]}")
        )
    return session


def _damaged(path: Path, why: str) -> str:
    """The message for a network that cannot be used."""
    return (
        f"{path} is not the expected network of basic-pitch ({' '.join(why.split())}); "
        "install it again: pip install --force-reinstall onnxruntime, then "
        "pip install --force-reinstall --no-deps basic-pitch"
    )


def _resampled(audio: Audio) -> Float32:
    """One channel at the network's rate and without an offset, shape (n,)."""
    mono = _mono(audio.samples)
    mono -= mono.mean()
    return at_rate(mono, audio.sr, SR)


def _mono(samples: Float32) -> Float32:
    """A copy of the mean of channels, or of the loudest if they cancel."""
    mean: Float32 = samples.mean(axis=0)
    loudness = np.linalg.norm(samples, axis=1)
    if np.linalg.norm(mean) < CANCELLED * loudness.max():
        mean = samples[loudness.argmax()].copy()
    return mean


def _window(samples: Float32, number: int) -> Float32:
    """A window of samples, padded with zeros, shape (WINDOW,)."""
    first = (number * KEPT - EDGE) * HOP
    window = np.zeros(WINDOW, np.float32)
    part = samples[max(0, first) : first + WINDOW]
    since = max(0, -first)
    window[since : since + len(part)] = part
    return window
